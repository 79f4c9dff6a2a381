"""Small DICOM objects for the tests of the routes, made here: structure sets of balls and boxes, an image."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

STUDY = generate_uid(entropy_srcs=["orthanc-stl tests"])
FRAME = "1.2.826.0.1.3680043.8.498.4.2"

Contours = Sequence[np.ndarray]


def ball(radius: float = 20.0, spacing: float = 2.0, centre: Sequence[float] = (0, 0, 0), points: int = 48) -> Contours:
    """The circles, (points, 3) float64 in mm, where planes of constant z cut a ball."""
    heights = np.arange(-radius + spacing / 2, radius, spacing)
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    rings = []
    for z in heights:
        r = np.sqrt(radius**2 - z**2)
        rings.append(np.stack([r * np.cos(angle), r * np.sin(angle), np.full(points, z)], 1) + centre)
    return rings


def box(half: float = 30.0, height: float = 25.0, spacing: float = 2.0) -> Contours:
    corners = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
    return [np.column_stack([corners, np.full(4, z)]) for z in np.arange(-height + spacing / 2, height, spacing)]


def structure_set(rois: Mapping[str, Contours], study: str = STUDY, **attributes: Any) -> bytes:
    """A DICOM file with these ROIs, numbered from 1. `attributes` are set at the end, by keyword."""
    ds = _object(RTStructureSetStorage, study, "RTSTRUCT")
    ds.StructureSetLabel, ds.StructureSetDate, ds.StructureSetTime = "TEST", "20240131", "120000"
    ds.StructureSetROISequence, ds.ROIContourSequence, ds.RTROIObservationsSequence = [], [], []
    for number, (name, contours) in enumerate(rois.items(), 1):
        ds.StructureSetROISequence.append(
            _item(ROINumber=number, ReferencedFrameOfReferenceUID=FRAME, ROIName=name, ROIGenerationAlgorithm="MANUAL")
        )
        items = [
            _item(
                ContourGeometricType="CLOSED_PLANAR",
                NumberOfContourPoints=len(c),
                ContourData=c.round(4).ravel().tolist(),
            )
            for c in contours
        ]
        ds.ROIContourSequence.append(
            _item(ROIDisplayColor=[255, 0, 0], ReferencedROINumber=number, ContourSequence=items)
        )
        ds.RTROIObservationsSequence.append(
            _item(ObservationNumber=number, ReferencedROINumber=number, RTROIInterpretedType="ORGAN", ROIInterpreter="")
        )
    ds.update(_item(**attributes))
    return _file(ds)


def _contour(points: np.ndarray) -> Dataset:
    data = points.round(4).ravel().tolist()
    return _item(ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=len(points), ContourData=data)


def image(study: str = STUDY) -> bytes:
    """One CT slice of 8 x 8 pixels."""
    ds = _object(CTImageStorage, study, "CT")
    ds.update(
        _item(
            ImageType=["ORIGINAL", "PRIMARY", "AXIAL"], InstanceNumber=1, ImagePositionPatient=[-30, -30, 0],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0], PixelSpacing=[8, 8], SliceThickness=2, SamplesPerPixel=1,
            PhotometricInterpretation="MONOCHROME2", Rows=8, Columns=8, BitsAllocated=16, BitsStored=16, HighBit=15,
            PixelRepresentation=1, RescaleIntercept=0, RescaleSlope=1, KVP=120, AcquisitionNumber=1,
        )
    )  # fmt: skip
    ds.add_new(0x7FE00010, "OW", bytes(128))
    return _file(ds)


def _object(sop_class: UID, study: str, modality: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    ds.update(
        _item(
            SpecificCharacterSet="ISO_IR 192", SOPClassUID=sop_class, SOPInstanceUID=meta.MediaStorageSOPInstanceUID,
            PatientName="Test^Anna", PatientID="T-" + study[-8:], PatientBirthDate="19700101", PatientSex="F",
            StudyInstanceUID=study, StudyDate="20240131", StudyTime="120000", StudyID="1", AccessionNumber="",
            ReferringPhysicianName="", StudyDescription="Tests", SeriesInstanceUID=generate_uid(), SeriesNumber=1,
            SeriesDescription="Structures", Modality=modality, Manufacturer="tests", OperatorsName="",
            FrameOfReferenceUID=FRAME, PositionReferenceIndicator="",
        )
    )  # fmt: skip
    return ds


def _item(**attributes: Any) -> Dataset:
    ds = Dataset()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def _file(ds: FileDataset) -> bytes:
    target = io.BytesIO()
    ds.save_as(target, enforce_file_format=True)
    return target.getvalue()
