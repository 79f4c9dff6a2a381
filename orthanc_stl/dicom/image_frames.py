"""What the attributes of an image say of its frames: where each lies, and what its stored numbers mean.

Attributes come as texts by keyword, as Orthanc's `simplified-tags` gives them: sequences are lists of the same. The
standard library only, since Orthanc's own process reads them.

PS3.3 C.7.6.2 Image Plane; C.7.6.16.2 functional groups of multi-frame images; C.8.4.15 NM Detector; C.11.1 Modality
LUT.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from orthanc_stl.errors import InvalidInput, TooLarge

MOST_FRAMES = 20_000
"""Of one series. What is known of a frame takes about a kilobyte."""

MOST_SIDE = 1 << 15
"""Pixels of a row or column."""

MOST_PIXELS = 1 << 26
"""Of one frame."""

LARGEST = 1e9
"""Of any number: what is larger is no place, and no value of a pixel."""

_RECONSTRUCTED = {"RECON TOMO", "RECON GATED TOMO"}
"""Image Type of nuclear medicine, value 3, of what is a volume (PS3.3 C.8.4.9.1.1)."""

Vector = tuple[float, float, float]
Tags = Mapping[str, Any]

NO_IMAGES = {
    "SEG": "a segmentation",
    "RTDOSE": "an RT Dose",
    "RTSTRUCT": "an RT-STRUCT",
    "RTPLAN": "an RT Plan",
    "M3D": "a 3D model",
    "PR": "a presentation state",
    "SR": "a report",
    "SM": "slide microscopy",
}


@dataclass(frozen=True)
class Frame:
    """One frame of an image.

    `number` counts from 0 in the instance, which has `count` of them. `position` is the centre of the first pixel,
    `row` and `column` are the directions of growing column and row index, unit vectors; `spacing` is the distance of
    pixels along them, mm. A value is `stored number * slope + intercept`. `padding`: the lowest and highest value that
    stands for no measurement (PS3.3 C.7.5.1.1.2). `table`: values are in a Modality LUT Sequence instead, which is not
    read. `order` tells frames of one place apart.
    """

    instance: str
    number: int
    count: int
    sop_class_uid: str
    sop_instance_uid: str
    frame_of_reference_uid: str
    columns: int
    rows: int
    position: Vector
    row: Vector
    column: Vector
    spacing: tuple[float, float]
    thickness: float
    bits_allocated: int
    bits_stored: int
    signed: bool
    inverted: bool
    slope: float
    intercept: float
    unit: str
    window: tuple[float, float] | None
    padding: tuple[float, float] | None
    table: bool
    order: tuple[float, ...]

    @property
    def path(self) -> str:
        """Where Orthanc has it: the instance, and the frame if there are several."""
        return self.instance if self.count == 1 else f"{self.instance}/frames/{self.number}"

    @property
    def stored_bytes(self) -> int:
        return self.columns * self.rows * self.bits_allocated // 8


def frames_of(instance: str, tags: Tags) -> list[Frame]:
    """The frames of an instance. Raises InvalidInput with the reason why it is no image with a place in the patient."""
    modality = _text(tags, "Modality")
    if modality in NO_IMAGES:
        raise InvalidInput(f"it holds {NO_IMAGES[modality]}, no images")
    columns, rows = _integer(tags, "Columns"), _integer(tags, "Rows")
    if not columns or not rows:
        raise InvalidInput("it holds no images")
    if max(columns, rows) > MOST_SIDE or columns * rows > MOST_PIXELS:
        raise TooLarge(f"its images have {columns} x {rows} pixels, more than {MOST_PIXELS:,}")
    if _integer(tags, "SamplesPerPixel", 1) != 1 or _text(tags, "PhotometricInterpretation") == "PALETTE COLOR":
        raise InvalidInput("its images are in color, and values of grey are needed")
    bits = _integer(tags, "BitsAllocated")
    if bits not in (8, 16, 32):
        raise InvalidInput(f"its pixels have {bits} bits, and 8, 16 or 32 are expected")
    count = max(1, _integer(tags, "NumberOfFrames", 1))
    if count > MOST_FRAMES:
        raise TooLarge(f"it has {count:,} frames, more than {MOST_FRAMES:,}")
    return [_frame(instance, tags, number, count) for number in range(count)]


def _frame(instance: str, tags: Tags, number: int, count: int) -> Frame:
    find = _Groups(tags, number, count)
    position, row, column = _placed(find, tags, number, count)
    spacing = find.numbers("PixelMeasuresSequence", "PixelSpacing", 2)
    if spacing is None or min(spacing) <= 0:
        raise InvalidInput("its images do not say how large a pixel is (Pixel Spacing)")
    slope = find.numbers("PixelValueTransformationSequence", "RescaleSlope", 1) or (1.0,)
    intercept = find.numbers("PixelValueTransformationSequence", "RescaleIntercept", 1) or (0.0,)
    bits = _integer(tags, "BitsAllocated")
    scale = slope[0] or 1.0
    return Frame(
        instance=instance,
        number=number,
        count=count,
        sop_class_uid=_text(tags, "SOPClassUID"),
        sop_instance_uid=_text(tags, "SOPInstanceUID"),
        frame_of_reference_uid=_text(tags, "FrameOfReferenceUID"),
        columns=_integer(tags, "Columns"),
        rows=_integer(tags, "Rows"),
        position=position,
        row=row,
        column=column,
        spacing=(spacing[1], spacing[0]),
        thickness=abs((find.numbers("PixelMeasuresSequence", "SliceThickness", 1) or (0.0,))[0]),
        bits_allocated=bits,
        bits_stored=min(_integer(tags, "BitsStored", bits) or bits, bits),
        signed=_integer(tags, "PixelRepresentation") == 1,
        inverted=_text(tags, "PhotometricInterpretation") == "MONOCHROME1",
        slope=scale,
        intercept=intercept[0],
        unit=find.text("PixelValueTransformationSequence", "RescaleType") or _text(tags, "Units"),
        window=_window(find),
        padding=_padding(tags, scale, intercept[0]),
        table=bool(_items(tags, "ModalityLUTSequence")),
        order=_order(find, tags, number),
    )


class _Groups:
    """Attributes of one frame: in its own functional groups, else in the shared ones, else in the image itself."""

    def __init__(self, tags: Tags, number: int, count: int) -> None:
        own = _items(tags, "PerFrameFunctionalGroupsSequence")
        self._places = [own[number]] if len(own) == count else []
        self._places += _items(tags, "SharedFunctionalGroupsSequence")[:1]
        self._image = tags

    def text(self, group: str, name: str) -> str:
        for place in self._places:
            for item in _items(place, group):
                if text := _text(item, name):
                    return text
        return _text(self._image, name)

    def numbers(self, group: str, name: str, count: int) -> tuple[float, ...] | None:
        return _numbers(self.text(group, name), count)


def _placed(find: _Groups, tags: Tags, number: int, count: int) -> tuple[Vector, Vector, Vector]:
    position = find.numbers("PlanePositionSequence", "ImagePositionPatient", 3)
    directions = find.numbers("PlaneOrientationSequence", "ImageOrientationPatient", 6)
    detector = _items(tags, "DetectorInformationSequence")[:1]
    if detector and position is None:
        position = _numbers(_text(detector[0], "ImagePositionPatient"), 3)
        directions = directions or _numbers(_text(detector[0], "ImageOrientationPatient"), 6)
    if position is None or directions is None:
        raise InvalidInput("its images do not say where in the patient they lie (Image Position, Image Orientation)")
    row, column = _unit(directions[:3]), _unit(directions[3:])
    if row is None or column is None or abs(dot(row, column)) > 1e-2:
        raise InvalidInput("its Image Orientation is no pair of perpendicular directions")
    x, y, z = position
    if count == 1 or _items(tags, "PerFrameFunctionalGroupsSequence"):
        return (x, y, z), row, column
    # A volume of nuclear medicine: the first slice's position, and a step. Projections have none.
    step = _numbers(_text(tags, "SpacingBetweenSlices"), 1) or _numbers(_text(tags, "SliceThickness"), 1)
    if not detector or step is None or not _RECONSTRUCTED & set(_text(tags, "ImageType").split("\\")):
        raise InvalidInput("it has several frames that do not say where each lies")
    a, b, c = cross(row, column)
    at = step[0] * (_slice(tags, number, count) - 1)
    return (x + a * at, y + b * at, z + c * at), row, column


def _slice(tags: Tags, number: int, count: int) -> float:
    """Which slice from 1 a frame of nuclear medicine is of: each has several where time slots are gated."""
    slices = _slice_vector(_text(tags, "SliceVector"), count)
    if slices is not None:
        return slices[number]
    if _integer(tags, "NumberOfSlices", count) != count:
        listed = _text(tags, "NumberOfSlices")
        raise InvalidInput(f"it has {count} frames but {listed} slices, and no Slice Vector says which is of which")
    return number + 1


@lru_cache(maxsize=1)
def _slice_vector(text: str, count: int) -> tuple[float, ...] | None:
    """Read once for all frames of an instance: it has a number for each of them."""
    return _numbers(text, count)


def _window(find: _Groups) -> tuple[float, float] | None:
    center = find.numbers("FrameVOILUTSequence", "WindowCenter", 0)
    width = find.numbers("FrameVOILUTSequence", "WindowWidth", 0)
    return (center[0], width[0]) if center and width and width[0] > 0 else None


def _padding(tags: Tags, slope: float, intercept: float) -> tuple[float, float] | None:
    """Some writers give the number of signed pixels as an unsigned one."""
    one = _numbers(_text(tags, "PixelPaddingValue"), 1)
    if one is None:
        return None
    ends = [one[0], *(_numbers(_text(tags, "PixelPaddingRangeLimit"), 1) or one)]
    if _integer(tags, "PixelRepresentation") == 1:
        bits = _integer(tags, "BitsAllocated")
        ends = [end - (1 << bits) if end >= 1 << (bits - 1) else end for end in ends]
    low, high = sorted(end * slope + intercept for end in ends)
    return low, high


def _order(find: _Groups, tags: Tags, number: int) -> tuple[float, ...]:
    """What comes first of several frames at one place: by time, echo, acquisition, then as they are numbered."""
    found = (
        find.numbers("FrameContentSequence", "TemporalPositionIndex", 1),
        _numbers(_text(tags, "TemporalPositionIdentifier"), 1),
        find.numbers("MREchoSequence", "EffectiveEchoTime", 1) or _numbers(_text(tags, "EchoTime"), 1),
        _numbers(_text(tags, "AcquisitionNumber"), 1),
        _numbers(_text(tags, "InstanceNumber"), 1),
    )
    return (*(value[0] if value else 0.0 for value in found), float(number))


def cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


def _unit(vector: Sequence[float]) -> Vector | None:
    length = math.hypot(*vector)
    if not 0.9 < length < 1.1:
        return None
    x, y, z = vector
    return (x / length, y / length, z / length)


def _items(tags: Tags, name: str) -> list[Tags]:
    found = tags.get(name)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def _text(tags: Tags, name: str) -> str:
    found = tags.get(name)
    return found.strip("\0 ") if isinstance(found, str) else ""


def _integer(tags: Tags, name: str, default: int = 0) -> int:
    text = _text(tags, name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else default


def _numbers(text: str, count: int) -> tuple[float, ...] | None:
    """`count` finite numbers; of 0, as many as there are, at least one."""
    try:
        found = tuple(float(part) for part in text.split("\\"))
    except ValueError:
        return None
    if (count and len(found) != count) or not all(abs(value) < LARGEST for value in found):
        return None
    return found
