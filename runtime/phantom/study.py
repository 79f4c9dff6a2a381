"""The torso as DICOM: one CT slice per 3 mm, and the structure set that a planning system would have drawn on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    RTStructureSetStorage,
    generate_uid,
)
from skimage.measure import approximate_polygon, find_contours

from . import shapes
from .shapes import Shape

# Detached Study Management, retired but what planning systems write here
DETACHED_STUDY = "1.2.840.10008.3.1.2.3.1"
PIXELS, PIXEL_MM = 192, 2.0
SLICES_Z = np.arange(-130.0, 126.0, 3.0)
ORIGIN = -PIXEL_MM * (PIXELS - 1) / 2
DRAWN_MM = 1.0  # outlines are drawn finer than pixels
CONTOUR_TOLERANCE_MM = 0.1
SMALLEST_MM2 = 16.0  # an outline around less is a crumb of a thin edge: nobody draws it
DAY, TIME = "20260102", "080000"
CLOSED, POINT = "CLOSED_PLANAR", "POINT"


@dataclass(frozen=True)
class Structure:
    name: str
    colour: tuple[int, int, int]
    interpreted: str
    shape: Shape | None


STRUCTURES = (
    Structure("Body", (224, 186, 160), "EXTERNAL", shapes.body),
    Structure("Lung_L", (110, 170, 220), "ORGAN", shapes.lung_left),
    Structure("Lung_R", (90, 140, 210), "ORGAN", shapes.lung_right),
    Structure("Heart", (200, 60, 60), "ORGAN", shapes.heart),
    Structure("Tumour", (250, 190, 40), "GTV", shapes.tumour),
    Structure("Spine", (235, 225, 200), "ORGAN", shapes.spine),
    Structure("SpinalCord", (80, 200, 120), "ORGAN", shapes.cord),
    Structure("Isocentre", (255, 255, 255), "ISOCENTER", None),
)

# What a voxel holds, the later winning: (shape, Hounsfield units)
MATERIALS = (
    (shapes.body, -95),
    (lambda x, y, z: shapes.body(x, y, z) + 9, 45),
    (shapes.lung_left, -790),
    (shapes.lung_right, -790),
    (shapes.heart, 60),
    (shapes.ribs, 520),
    (shapes.spine, 460),
    (shapes.cord, 35),
    (shapes.tumour, 70),
    (shapes.tumour_cavity, -20),
)


def uid(*what: object) -> str:
    """The same UID every time, so that a second upload adds nothing."""
    return generate_uid(entropy_srcs=["orthanc-stl demo 4", *map(str, what)])


def study() -> Iterator[tuple[str, Dataset]]:
    """The files of the study by name: the CT slices, then the structure set."""
    contours: list[list[Dataset]] = [[] for _ in STRUCTURES]
    for number, z in enumerate(SLICES_Z, start=1):
        yield f"ct-{number:03}.dcm", _ct(number, float(z))
        for structure, found in zip(STRUCTURES, contours, strict=True):
            found += _contours(structure, number, float(z))
    yield "structures.dcm", _structure_set(contours)


def _structure_set(contours: list[list[Dataset]]) -> Dataset:
    dataset = _common(RTStructureSetStorage, uid("structures"), "RTSTRUCT", uid("structures series"), 2)
    dataset.SeriesDescription = "Structures"
    dataset.StructureSetLabel = "PHANTOM"
    dataset.StructureSetDate, dataset.StructureSetTime = DAY, TIME
    dataset.ReferencedFrameOfReferenceSequence = Sequence([_referenced_frame()])
    dataset.StructureSetROISequence = Sequence()
    dataset.ROIContourSequence = Sequence()
    dataset.RTROIObservationsSequence = Sequence()
    for number, (structure, found) in enumerate(zip(STRUCTURES, contours, strict=True), start=1):
        roi = _item(ROINumber=number, ReferencedFrameOfReferenceUID=uid("frame"), ROIName=structure.name)
        roi.ROIGenerationAlgorithm = "AUTOMATIC"
        dataset.StructureSetROISequence.append(roi)
        roi_contour = _item(ROIDisplayColor=list(structure.colour), ReferencedROINumber=number)
        roi_contour.ContourSequence = Sequence(found)
        dataset.ROIContourSequence.append(roi_contour)
        observation = _item(ObservationNumber=number, ReferencedROINumber=number, ROIInterpreter="")
        observation.RTROIInterpretedType = structure.interpreted
        dataset.RTROIObservationsSequence.append(observation)
    dataset.ApprovalStatus = "UNAPPROVED"
    return dataset


@lru_cache(2)
def _grid(z: float, spacing: float = PIXEL_MM) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y and z of points of a slice, at first its pixels' centres, each a square of float32. The same arrays."""
    axis = np.arange(ORIGIN, -ORIGIN + spacing / 2, spacing, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    return x, y, np.full_like(x, z)


def _ct(number: int, z: float) -> Dataset:
    image = np.full((PIXELS, PIXELS), -1000.0)
    for shape, hounsfield in MATERIALS:
        inside = np.clip(0.5 - shape(*_grid(z)) / PIXEL_MM, 0, 1)  # a border voxel holds some of each
        image += inside * (hounsfield - image)
    image += np.random.default_rng(number).normal(0, 9, image.shape)
    dataset = _common(CTImageStorage, uid("ct", number), "CT", uid("ct series"), 1)
    dataset.SeriesDescription = "Torso 3 mm"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.InstanceNumber, dataset.AcquisitionNumber, dataset.PatientPosition = number, 1, "HFS"
    dataset.ImagePositionPatient = [ORIGIN, ORIGIN, z]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing, dataset.SliceThickness, dataset.SliceLocation = [PIXEL_MM, PIXEL_MM], 3, z
    dataset.KVP = 120
    dataset.Rows = dataset.Columns = PIXELS
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = 1, 0, "HU"
    dataset.WindowCenter, dataset.WindowWidth = 40, 400
    dataset.PixelData = np.clip(image.round(), -1024, 3071).astype("<i2").tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


def _contours(structure: Structure, number: int, z: float) -> list[Dataset]:
    """Where the shape crosses a slice, to within 0.1 mm."""
    if structure.shape is None:
        return [_contour(POINT, np.array([[-82.0, 2.0, z]]))] if number == len(SLICES_Z) // 2 else []
    found = []
    for line in find_contours(structure.shape(*_grid(z, DRAWN_MM)), 0.0):
        corners = approximate_polygon(line, CONTOUR_TOLERANCE_MM / DRAWN_MM)[:-1]  # the last is the first again
        points = ORIGIN + DRAWN_MM * corners[:, ::-1]
        if len(points) >= 3 and _area(points) >= SMALLEST_MM2:
            found.append(_contour(CLOSED, np.column_stack([points, np.full(len(points), z)]), uid("ct", number)))
    return found


def _area(corners: np.ndarray) -> float:
    """Of a polygon of corners `(n, 2) float`."""
    x, y = corners.T
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def _contour(kind: str, points: np.ndarray, image: str | None = None) -> Dataset:
    item = _item(ContourGeometricType=kind, NumberOfContourPoints=len(points))
    if image:
        reference = _item(ReferencedSOPClassUID=CTImageStorage, ReferencedSOPInstanceUID=image)
        item.ContourImageSequence = Sequence([reference])
    item.ContourData = [f"{value:.2f}" for value in points.ravel()]
    return item


def _referenced_frame() -> Dataset:
    images = [
        _item(ReferencedSOPClassUID=CTImageStorage, ReferencedSOPInstanceUID=uid("ct", number))
        for number in range(1, len(SLICES_Z) + 1)
    ]
    series = _item(SeriesInstanceUID=uid("ct series"), ContourImageSequence=Sequence(images))
    study = _item(ReferencedSOPClassUID=DETACHED_STUDY, ReferencedSOPInstanceUID=uid("study"))
    study.RTReferencedSeriesSequence = Sequence([series])
    return _item(FrameOfReferenceUID=uid("frame"), RTReferencedStudySequence=Sequence([study]))


def _common(sop_class: str, instance: str, modality: str, series: str, series_number: int) -> Dataset:
    dataset = _item(SpecificCharacterSet="ISO_IR 192", SOPClassUID=sop_class, SOPInstanceUID=instance)
    dataset.PatientName, dataset.PatientID = "Phantom^Torso", "DEMO"
    dataset.PatientBirthDate, dataset.PatientSex = "", "O"
    dataset.StudyInstanceUID, dataset.StudyID, dataset.StudyDescription = uid("study"), "1", "orthanc-stl demo"
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = dataset.AcquisitionDate = DAY
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = dataset.AcquisitionTime = TIME
    dataset.AccessionNumber = dataset.ReferringPhysicianName = dataset.OperatorsName = ""
    dataset.Manufacturer, dataset.ManufacturerModelName = "orthanc-stl", "phantom torso"
    dataset.Modality, dataset.SeriesInstanceUID, dataset.SeriesNumber = modality, series, series_number
    dataset.InstanceNumber = 1
    dataset.BodyPartExamined = "CHEST"
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = uid("frame"), ""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def _item(**values: object) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item
