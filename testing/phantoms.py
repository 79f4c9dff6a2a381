"""Structure sets, CT slices and models in DICOM, built in code: with a knob for each defect that real files have.

    data = structure_set([ball("Sphere", 30), ellipse("Body", 90, 72)])

Lengths in mm, patient coordinates (LPS). The same arguments give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydicom.charset import default_encoding
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from testing.dicom_study import SYNTAXES as SYNTAXES
from testing.dicom_study import Study as Study
from testing.dicom_study import file_of as file_of
from testing.dicom_study import instance_of

RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


@dataclass(frozen=True)
class Contour:
    """`declared`: NumberOfContourPoints, -1 for the true one, None to leave it out; `data`: the raw Contour Data
    instead of the points; `images`: items of the Contour Image Sequence, None for no such sequence."""

    points: np.ndarray
    kind: str | None = "CLOSED_PLANAR"
    declared: int | None = -1
    data: bytes | None = None
    images: int | None = 1


@dataclass(frozen=True)
class Roi:
    """`contours` None: no item in the ROI Contour Sequence's ContourSequence at all; `number` None: its place from 1;
    `raw_name`: the bytes of the name, as they are; `listed` and `drawn`: False leaves it out of one sequence; `frame`:
    of reference, None for the study's, "" for none."""

    name: str
    contours: Sequence[Contour] | None
    number: int | None = None
    colour: Sequence[int] | None = (255, 0, 0)
    interpreted_type: str | None = "ORGAN"
    raw_name: bytes | None = None
    frame: str | None = None
    listed: bool = True
    drawn: bool = True


# Shapes ---------------------------------------------------------------------------------------------------------------


def circle(radius: float, z: float, centre: Sequence[float] = (0, 0), points: int = 200, wide: float = 1) -> np.ndarray:
    """(points, 3) of a circle, or an ellipse `wide` times as long in x, drawn counter-clockwise."""
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    xy = np.stack([wide * radius * np.cos(angles) + centre[0], radius * np.sin(angles) + centre[1]], axis=1)
    return np.column_stack([xy, np.full(points, float(z))])


def slices(low: float, high: float, spacing: float = 3.0, first: float = 0.0) -> np.ndarray:
    """The planes `first + k * spacing` within (low, high)."""
    k = np.arange(np.ceil((low - first) / spacing), np.floor((high - first) / spacing) + 1)
    planes = first + k * spacing
    return planes[(planes > low) & (planes < high)]


def ball(
    name: str = "Sphere",
    radius: float = 30.0,
    centre: Sequence[float] = (0, 0, 0),
    spacing: float = 3.0,
    first: float = 0.0,
    points: int = 200,
    **roi: Any,
) -> Roi:
    planes = slices(centre[2] - radius, centre[2] + radius, spacing, first)
    radii = np.sqrt(radius**2 - (planes - centre[2]) ** 2)
    rings = [Contour(circle(r, z, centre, points)) for r, z in zip(radii, planes, strict=True)]
    return Roi(name, rings, **roi)


def cylinder(
    name: str = "Body",
    radius: float = 72.0,
    planes: Iterable[float] = tuple(range(-60, 61, 3)),
    wide: float = 1.25,
    points: int = 200,
    **roi: Any,
) -> Roi:
    """An elliptic cylinder along z: 180 x 144 mm unless told otherwise."""
    return Roi(name, [Contour(circle(radius, z, points=points, wide=wide)) for z in planes], **roi)


def changed(roi: Roi, change: Callable[[np.ndarray], np.ndarray]) -> Roi:
    """The ROI with `change` applied to the points of each contour: reversed, rotated, shifted ..."""
    return replace(roi, contours=[replace(c, points=change(c.points)) for c in roi.contours or ()])


def body_and_sphere(spacing: float = 3.0, points: int = 200) -> list[Roi]:
    body = cylinder(planes=slices(-61, 61, spacing), points=points, colour=(0, 255, 0), interpreted_type="EXTERNAL")
    return [body, ball(spacing=spacing, points=points)]


def rt60() -> list[Roi]:
    """meshing.md's measure: 60 slices 3 mm apart, a ball of radius 60 mm at (0, 0, 0.5), a BODY of 180 x 144 mm."""
    planes = -88.5 + 3.0 * np.arange(60)
    return [ball("Ball", 60, (0, 0, 0.5), 3.0, -88.5), cylinder("BODY", planes=planes)]


# Objects --------------------------------------------------------------------------------------------------------------


def structure_set(
    rois: Sequence[Roi] | None = None,
    study: Study | None = None,
    *,
    decimals: int = 4,
    reverse_contour_sequence: bool = False,
    frames: int | None = 1,
    label: str = "PHANTOM",
    series_description: str = "Contours",
) -> bytes:
    """An RT-STRUCT file. `frames`: items of the Referenced Frame of Reference Sequence, None for no such sequence."""
    study = study or Study()
    rois = body_and_sphere() if rois is None else rois
    numbered = [replace(roi, number=place if roi.number is None else roi.number) for place, roi in enumerate(rois, 1)]
    ds = instance_of(study, RT_STRUCTURE_SET, "RTSTRUCT", "rtstruct", series_description)
    ds.StructureSetLabel = label
    ds.StructureSetDate, ds.StructureSetTime = "20240102", "030405"
    if frames is not None:
        ds.ReferencedFrameOfReferenceSequence = [_frame(study, place) for place in range(frames)]
    ds.StructureSetROISequence = [_structure_set_roi(roi, study) for roi in numbered if roi.listed]
    drawn = [_roi_contour(roi, study, decimals) for roi in numbered if roi.drawn]
    ds.ROIContourSequence = drawn[::-1] if reverse_contour_sequence else drawn
    ds.RTROIObservationsSequence = [_observation(roi) for roi in numbered if roi.interpreted_type is not None]
    data = file_of(ds, study)
    for roi in numbered:  # pydicom would decode raw text and encode it again, so it is put in afterwards
        if roi.raw_name:
            stand_in = rb"(?:\x06\x30\x26\0|\x30\x06\0\x26).{4}" + _STAND_IN.encode() * len(roi.raw_name)
            found = re.search(stand_in, data, re.DOTALL)
            assert found
            data = data[: found.start() + 8] + roi.raw_name + data[found.end() :]
    return data


_STAND_IN = "\x11"


def large_structure_set(contours: int = 2000, points: int = 1000, rois: int = 20) -> bytes:
    """50 MB by default: `rois` cylinders of `contours / rois` contours of `points` points."""
    each = contours // rois
    drawn = []
    for roi in range(rois):
        planes = 2.0 * np.arange(each)
        drawn.append(cylinder(f"ROI {roi + 1}", 60 + roi, planes, points=points))
    return structure_set(drawn, decimals=4)


def ct_slices(study: Study | None = None, planes: Iterable[float] = range(-60, 61, 3), size: int = 64) -> list[bytes]:
    """Axial CT images of the same study and frame of reference as `structure_set`, with a bright disc."""
    study = study or Study()
    row, column = np.mgrid[:size, :size] - size / 2
    pixels = np.where(row**2 + column**2 < (size / 3) ** 2, 1040, 24).astype("<i2").tobytes()
    return [_ct_slice(study, place, float(z), size, pixels) for place, z in enumerate(planes, 1)]


def _ct_slice(study: Study, place: int, z: float, size: int, pixels: bytes) -> bytes:
    ds = instance_of(study, CT_IMAGE, "CT", f"ct {place}", "Phantom CT")
    ds.SeriesInstanceUID = study.uid("series of CT")
    ds.FrameOfReferenceUID = study.uid("frame 0")
    ds.InstanceNumber = str(place)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    spacing = 192 / size
    ds.ImagePositionPatient = [-96 + spacing / 2, -96 + spacing / 2, z]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing = [spacing, spacing]
    ds.SliceThickness = "3"
    ds.Rows = ds.Columns = size
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.RescaleIntercept, ds.RescaleSlope = "-1024", "1"
    ds.add_new(0x7FE00010, "OW", pixels)
    return file_of(ds, study)


def _frame(study: Study, place: int) -> Dataset:
    item = Dataset()
    item.FrameOfReferenceUID = study.uid(f"frame {place}")
    return item


def _structure_set_roi(roi: Roi, study: Study) -> Dataset:
    item = Dataset()
    item.ROINumber = str(roi.number)
    item.ReferencedFrameOfReferenceUID = study.uid("frame 0") if roi.frame is None else roi.frame
    item.ROIName = roi.name if roi.raw_name is None else _STAND_IN * len(roi.raw_name)
    item.ROIGenerationAlgorithm = ""
    return item


def _roi_contour(roi: Roi, study: Study, decimals: int) -> Dataset:
    item = Dataset()
    item.ReferencedROINumber = str(roi.number)
    if roi.colour is not None:
        item.ROIDisplayColor = list(roi.colour)
    if roi.contours is not None:
        item.ContourSequence = [_contour(contour, study, decimals) for contour in roi.contours]
    return item


def _contour(contour: Contour, study: Study, decimals: int) -> Dataset:
    item = Dataset()
    if contour.images is not None:
        item.ContourImageSequence = [_image(study) for _ in range(contour.images)]
    if contour.kind is not None:
        item.ContourGeometricType = contour.kind
    if contour.declared is not None:
        item.NumberOfContourPoints = str(len(contour.points) if contour.declared < 0 else contour.declared)
    data = contour_data(contour.points, decimals) if contour.data is None else contour.data
    data += b" " * (len(data) % 2)
    item[0x30060050] = RawDataElement(Tag(0x30060050), "DS", len(data), data, 0, False, True)
    # Raw as it is: else pydicom makes an object of each number before it writes it.
    item.set_original_encoding(study.syntax == "implicit", study.syntax != "big", default_encoding)
    return item


def contour_data(points: np.ndarray, decimals: int = 4) -> bytes:
    """Points as decimal strings, rounded to `decimals`, without zeros at their ends."""
    values = np.round(np.asarray(points, float).ravel(), decimals).tolist()
    return ("\\".join(["%.12g"] * len(values)) % tuple(values)).encode()


def _image(study: Study) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = CT_IMAGE
    item.ReferencedSOPInstanceUID = study.uid("ct 1")
    return item


def _observation(roi: Roi) -> Dataset:
    item = Dataset()
    item.ObservationNumber = item.ReferencedROINumber = str(roi.number)
    item.RTROIInterpretedType, item.ROIInterpreter = roi.interpreted_type, ""
    return item
