"""Series of images in DICOM, built in code: any place, spacing, type of pixels; single frames or many in one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    NuclearMedicineImageStorage,
    generate_uid,
)

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def series_tags(seed: str, modality: str = "CT", sop_class: UID = CTImageStorage, **more: Any) -> Dataset:
    """What all images of a series share."""
    ds = Dataset()
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Phantom^Images", f"IMAGES {seed}", "", "O"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid(seed, "study"), uid(seed, "series")
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = uid(seed, "frame"), ""
    ds.StudyDate = ds.StudyTime = ds.AccessionNumber = ds.ReferringPhysicianName = ds.StudyID = ""
    ds.Modality, ds.SOPClassUID, ds.SeriesDescription, ds.SeriesNumber = modality, sop_class, f"Series {seed}", 1
    ds.PhotometricInterpretation, ds.SamplesPerPixel = "MONOCHROME2", 1
    for keyword, value in more.items():
        setattr(ds, keyword, value)
    return ds


def uid(*what: object) -> str:
    return str(generate_uid(entropy_srcs=["orthanc-stl images", *map(str, what)]))


def single_frame(
    values: np.ndarray, position: Sequence[float] | np.ndarray, number: int, *, seed: str,
    syntax: UID = ExplicitVRLittleEndian, orientation: Sequence[float] = AXIAL,
    spacing: tuple[float, float] = (1.0, 1.0), **more: Any,
) -> bytes:  # fmt: skip
    """An image with `values` (rows, columns), of any type of whole numbers, as its stored numbers."""
    ds = series_tags(seed)
    ds.SOPInstanceUID, ds.InstanceNumber = uid(seed, number), number
    ds.ImagePositionPatient = [round(float(x), 6) for x in position]
    ds.ImageOrientationPatient, ds.PixelSpacing = list(orientation), list(spacing)
    _pixels(ds, values)
    for keyword, value in more.items():
        setattr(ds, keyword, value)
    return file_of(ds, syntax)


def enhanced(
    values: np.ndarray, positions: Sequence[Sequence[float] | np.ndarray], *, seed: str, slopes: Sequence[float],
    orientation: Sequence[float] = AXIAL, spacing: tuple[float, float] = (1.5, 1.5), **more: Any,
) -> bytes:  # fmt: skip
    """An Enhanced CT with `values` (frames, rows, columns)."""
    ds = series_tags(seed, sop_class=EnhancedCTImageStorage, **more)
    ds.SOPInstanceUID, ds.InstanceNumber, ds.NumberOfFrames = uid(seed, "enhanced"), 1, len(values)
    shared = Dataset()
    shared.PixelMeasuresSequence = [_item(PixelSpacing=list(spacing), SliceThickness=2.0)]
    shared.PlaneOrientationSequence = [_item(ImageOrientationPatient=list(orientation))]
    shared.FrameVOILUTSequence = [_item(WindowCenter=50.0, WindowWidth=350.0)]
    ds.SharedFunctionalGroupsSequence = [shared]
    ds.PerFrameFunctionalGroupsSequence = []
    for position, slope in zip(positions, slopes, strict=True):
        frame = Dataset()
        frame.PlanePositionSequence = [_item(ImagePositionPatient=[float(x) for x in position])]
        frame.PixelValueTransformationSequence = [_item(RescaleSlope=slope, RescaleIntercept=0.0, RescaleType="HU")]
        ds.PerFrameFunctionalGroupsSequence.append(frame)
    _pixels(ds, values)
    return file_of(ds)


def nuclear(values: np.ndarray, position: Sequence[float], step: float, *, seed: str) -> bytes:
    """A reconstructed volume of nuclear medicine: one position, and a step from frame to frame."""
    ds = series_tags(seed, "NM", NuclearMedicineImageStorage)
    ds.SOPInstanceUID, ds.InstanceNumber, ds.NumberOfFrames = uid(seed, "nm"), 1, len(values)
    ds.ImageType, ds.SpacingBetweenSlices, ds.PixelSpacing = (
        ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"],
        step,
        [4, 4],
    )
    ds.DetectorInformationSequence = [
        _item(ImagePositionPatient=[float(x) for x in position], ImageOrientationPatient=list(AXIAL))
    ]
    _pixels(ds, values)
    return file_of(ds)


def file_of(ds: Dataset, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if syntax != ExplicitVRLittleEndian:
        ds.compress(syntax, generate_instance_uid=False)
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _pixels(ds: Dataset, values: np.ndarray) -> None:
    ds.Rows, ds.Columns = values.shape[-2:]
    bits = 8 * values.dtype.itemsize
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = bits, bits, bits - 1
    ds.PixelRepresentation = int(values.dtype.kind == "i")
    ds.PixelData = values.astype(values.dtype.newbyteorder("<")).tobytes()
    ds["PixelData"].VR = "OB" if bits == 8 else "OW"


def _item(**values: Any) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item
