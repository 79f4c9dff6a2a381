"""Segmentations, doses and surfaces made by pydicom: every attribute can be right or wrong."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, generate_uid

SEG, LABELMAP = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"
RTDOSE, RTPLAN = "1.2.840.10008.5.1.4.1.1.481.2", "1.2.840.10008.5.1.4.1.1.481.5"
DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
OBLIQUE = (0.8, 0.6, 0.0, -0.36, 0.48, 0.8)


def a_dataset(sop_class: str, modality: str) -> Dataset:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = generate_uid(), generate_uid(), "1.2.3.4"
    ds.Modality, ds.PatientName, ds.PatientID = modality, "Made^Up", "1"
    return ds


def file_of(ds: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    out = io.BytesIO()
    if syntax == DEFLATED_FRAME:  # pydicom does not know it: a name of the same length is written, and replaced
        ds.file_meta.TransferSyntaxUID = JPEG2000Lossless
    ds.save_as(out, enforce_file_format=True)
    if syntax == DEFLATED_FRAME:
        return out.getvalue().replace(JPEG2000Lossless.encode(), f"{DEFLATED_FRAME}\0".encode())
    return out.getvalue()


def item(**values: Any) -> Dataset:
    ds = Dataset()
    for name, value in values.items():
        setattr(ds, name, value)
    return ds


def code(value: str, meaning: str) -> Dataset:
    return item(CodeValue=value, CodingSchemeDesignator="SCT", CodeMeaning=meaning)


def segment(number: int, label: str, **more: Any) -> Dataset:
    return item(
        SegmentNumber=number,
        SegmentLabel=label,
        SegmentedPropertyCategoryCodeSequence=[code("123037004", "Anatomical Structure")],
        SegmentedPropertyTypeCodeSequence=[code("10200004", "Liver")],
        **more,
    )


def packed(frames: np.ndarray) -> bytes:
    """1-bit frames without a gap, padded to an even length."""
    data = np.packbits(frames.reshape(-1).astype(bool), bitorder="little").tobytes()
    return data + b"\0" * (len(data) % 2)


def seg_dataset(
    frames: np.ndarray,
    placed: Sequence[tuple[int, Sequence[float]]],
    *,
    kind: str = "BINARY",
    orientation: Sequence[float] = AXIAL,
    spacing: Sequence[float] = (1.0, 1.0),
    step: float | None = 1.0,
    thickness: float | None = 1.0,
    numbers: Sequence[int] = (1,),
    maximum: int = 255,
) -> Dataset:
    """`frames` (n, rows, columns); `placed`: segment and position of each. A `step` of None is not declared."""
    ds = a_dataset(LABELMAP if kind == "LABELMAP" else SEG, "SEG")
    ds.SegmentationType = kind
    if kind == "FRACTIONAL":
        ds.SegmentationFractionalType, ds.MaximumFractionalValue = "PROBABILITY", maximum
    ds.SegmentSequence = [segment(number, f"segment {number}") for number in numbers]
    ds.NumberOfFrames, ds.Rows, ds.Columns = frames.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated = ds.BitsStored = 1 if kind == "BINARY" else 8 * frames.dtype.itemsize
    ds.HighBit = ds.BitsStored - 1
    measures = item(PixelSpacing=list(spacing))
    if step is not None:
        measures.SpacingBetweenSlices = step
    if thickness is not None:
        measures.SliceThickness = thickness
    ds.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[measures],
            PlaneOrientationSequence=[item(ImageOrientationPatient=list(orientation))],
        )
    ]
    ds.PerFrameFunctionalGroupsSequence = []
    for number, position in placed:
        groups = item(PlanePositionSequence=[item(ImagePositionPatient=[float(f"{v:.10g}") for v in position])])
        if kind != "LABELMAP":
            groups.SegmentIdentificationSequence = [item(ReferencedSegmentNumber=number)]
        ds.PerFrameFunctionalGroupsSequence.append(groups)
    data = packed(frames) if kind == "BINARY" else frames.tobytes()
    ds.add_new(0x7FE00010, "OB" if ds.BitsAllocated <= 8 else "OW", data + b"\0" * (len(data) % 2))
    return ds


def compressed(ds: Dataset, frames: Sequence[bytes]) -> None:
    ds.PixelData = encapsulate(list(frames))
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True


def ball_frames(
    centre: Sequence[float], radius: float, *, orientation: Sequence[float] = AXIAL, places: Sequence[float],
    size: int = 48, pixel: float = 1.0,
) -> tuple[np.ndarray, list[list[float]]]:  # fmt: skip
    """Masks of a ball on planes at `places` along the normal from its centre, and the position of each plane."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(row, column)
    grid = (np.arange(size) - (size - 1) / 2) * pixel
    u, v = np.meshgrid(grid, grid)
    frames, positions = [], []
    for place in places:
        frames.append((u**2 + v**2 + place**2 <= radius**2).astype(np.uint8))
        positions.append((np.array(centre) + normal * place + row * grid[0] + column * grid[0]).tolist())
    return np.array(frames), positions


def dose_dataset(
    dose: np.ndarray,
    *,
    offsets: Sequence[float],
    position: Sequence[float],
    orientation: Sequence[float] = AXIAL,
    spacing: Sequence[float] = (2.5, 2.5),
    scaling: float = 1e-3,
    bits: int = 32,
) -> Dataset:
    """`dose` (planes, rows, columns) in Gy."""
    ds = a_dataset(RTDOSE, "RTDOSE")
    ds.NumberOfFrames, ds.Rows, ds.Columns = dose.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated = ds.BitsStored = bits
    ds.HighBit = bits - 1
    ds.ImagePositionPatient, ds.ImageOrientationPatient = list(position), list(orientation)
    ds.PixelSpacing, ds.GridFrameOffsetVector = list(spacing), [float(f"{v:.10g}") for v in offsets]
    ds.DoseUnits, ds.DoseType, ds.DoseSummationType, ds.DoseGridScaling = "GY", "PHYSICAL", "PLAN", scaling
    ds.PixelData = np.rint(dose / scaling).astype(f"<u{bits // 8}").tobytes()
    ds["PixelData"].VR = "OW"
    return ds


def plan_dataset(*prescribed: float) -> Dataset:
    ds = a_dataset(RTPLAN, "RTPLAN")
    ds.DoseReferenceSequence = [item(TargetPrescriptionDose=value) for value in prescribed]
    return ds
