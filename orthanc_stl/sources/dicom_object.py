"""Values of a DICOM object as its readers ask for them, over the byte ranges of dicom/elements.py.

A segmentation of 117 segments has 50,000 items with four sequences each: an object for every element would take
gigabytes, so an item here is a table of tags to byte ranges, made when it is asked for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orthanc_stl.dicom.ascii import ascii_value
from orthanc_stl.dicom.elements import Buffer, DicomFile, Element, elements, items, name_of, open_file
from orthanc_stl.dicom.study_context import Reference, StudyContext, ascii_uid, class_name, read_study_context
from orthanc_stl.dicom.text import character_sets, decode, one_line
from orthanc_stl.errors import InvalidInput
from orthanc_stl.model import Code, Color, Note, Rank

_SOP_CLASS_UID = 0x00080016
_CHARACTER_SET = 0x00080005
_CODE_VALUE, _CODE_SCHEME, _CODE_MEANING, _LONG_CODE_VALUE = 0x00080100, 0x00080102, 0x00080104, 0x00080119
_CIELAB = 0x0062000D
_FRAME_OF_REFERENCE_UID = 0x00200052


@dataclass(frozen=True)
class Item:
    """A data set or an item of a sequence. What is absent or of no valid form is None, empty, or an empty item."""

    file: DicomFile
    found: dict[int, Element]
    terms: tuple[str, ...]

    def __contains__(self, tag: int) -> bool:
        return tag in self.found

    def raw(self, tag: int) -> bytes:
        element = self.found.get(tag)
        return self.file.value(element) if element else b""

    def view(self, tag: int) -> memoryview:
        element = self.found.get(tag)
        return self.file.data[element.start : element.stop] if element else memoryview(b"")

    def text(self, tag: int) -> str:
        return one_line(decode(self.raw(tag), self.terms))

    def uid(self, tag: int) -> str:
        """Empty if it is absent. Raises InvalidInput for one that no other object can refer to."""
        raw = self.raw(tag)
        uid = ascii_uid(raw)
        if raw.strip(b"\0 ") and not uid:
            raise InvalidInput(f"this DICOM file is damaged: its {name_of(tag)} is not ASCII or not one value")
        return uid

    def decimals(self, tag: int) -> tuple[float, ...]:
        """The values of a DS or IS; empty if one of them is no finite number."""
        raw = self.raw(tag).strip(b"\0 ")
        if not raw or len(raw) > 1 << 20:
            return ()
        try:
            values = tuple(float(part) for part in raw.split(b"\\"))
        except ValueError:
            return ()
        return values if all(map(math.isfinite, values)) else ()

    def decimal(self, tag: int) -> float | None:
        values = self.decimals(tag)
        return values[0] if values else None

    def integer(self, tag: int) -> int | None:
        """The value of an IS."""
        value = self.decimal(tag)
        return int(value) if value is not None and value == int(value) else None

    def array(self, tag: int, kind: str) -> np.ndarray:
        """A binary value as numbers of `kind` ("u2", "u4", "f4", "f8"), in the file's byte order; odd bytes are cut."""
        raw = self.view(tag)
        dtype = np.dtype(kind).newbyteorder("<" if self.file.encoding.little else ">")
        return np.frombuffer(raw[: len(raw) // dtype.itemsize * dtype.itemsize], dtype)

    def unsigned(self, tag: int) -> int | None:
        """The first value of a US or UL, by its length."""
        values = self.array(tag, "u4" if len(self.view(tag)) == 4 and self._vr(tag) != b"US" else "u2")
        return int(values[0]) if len(values) else None

    def items(self, tag: int) -> Iterator[Item]:
        sequence = self.found.get(tag)
        if sequence is None:
            return
        for start, stop in items(self.file.data, sequence):
            found = {e.tag: e for e in elements(self.file.data, start, stop, sequence.inside)}
            yield Item(self.file, found, self.terms)

    def first(self, tag: int) -> Item:
        """The first item of a sequence; an empty one if there is none."""
        return next(self.items(tag), Item(self.file, {}, self.terms))

    def code(self, tag: int) -> Code | None:
        """The first concept of a code sequence."""
        item = self.first(tag)
        value = item.text(_CODE_VALUE) or item.text(_LONG_CODE_VALUE)
        meaning = item.text(_CODE_MEANING)
        return Code(value, item.text(_CODE_SCHEME), meaning) if value and meaning else None

    def color(self) -> Color | None:
        """Of its Recommended Display CIELab Value, by the white point D65 that writers of segmentations use."""
        values = self.array(_CIELAB, "u2")
        return srgb_of_d65(int(values[0]), int(values[1]), int(values[2])) if len(values) == 3 else None

    def _vr(self, tag: int) -> bytes:
        element = self.found.get(tag)
        return element.vr if element else b""


@dataclass(frozen=True)
class DicomObject(Item):
    """A whole object, which a source was made to read."""

    @property
    def sop_class(self) -> str:
        return self.uid(_SOP_CLASS_UID)

    @cached_property
    def study(self) -> StudyContext:
        """What objects made from this one copy. Raises InvalidInput if it has no UIDs."""
        return read_study_context(self.file)

    @property
    def references(self) -> tuple[Reference, ...]:
        return (self.study.reference,)

    @property
    def transfer_syntax(self) -> str:
        return ascii_value(self.file.meta.get(0x00020010, b""))


class OfDicomObject:
    """What an `OpenSource` of one DICOM object takes from it."""

    source: DicomObject

    @property
    def frame_of_reference_uid(self) -> str:
        return self.source.uid(_FRAME_OF_REFERENCE_UID)

    @property
    def study(self) -> StudyContext:
        return self.source.study

    @property
    def references(self) -> tuple[Reference, ...]:
        return self.source.references


def read_object(data: Buffer, sop_classes: tuple[str, ...], expected: str) -> DicomObject:
    """Raises InvalidInput for what is no DICOM object of one of these classes: `expected` names them."""
    file = open_file(data)
    found: dict[int, Element] = {}
    for element in file.elements():
        found[element.tag] = element
        if element.tag == _SOP_CLASS_UID:
            sop_class = ascii_value(file.value(element))
            if sop_class not in sop_classes:
                raise InvalidInput(f"this is a {class_name(sop_class)} object; {expected} was expected")
    if _SOP_CLASS_UID not in found:
        raise InvalidInput(f"this DICOM file has no SOP class; {expected} was expected")
    character_set = found.get(_CHARACTER_SET)
    terms = character_sets(file.value(character_set)) if character_set else ()
    return DicomObject(file, found, terms)


def numbering_notes(found: Iterable[Item], tag: int, sequence: str) -> tuple[Note, ...]:
    """Of items that cannot be chosen, because they have no number in `tag`, or one that stands before them."""
    counts = Counter(item.unsigned(tag) for item in found)
    without = counts.pop(None, 0)
    texts = [
        f"{sequence} has {count} entries of the number {n}: the first counts"
        for n, count in counts.items()
        if count > 1
    ]
    if without:
        texts.append(f"{sequence} has {without} {'entry' if without == 1 else 'entries'} without a number: left out")
    return tuple(Note(Rank.LEFT_OUT, "", text) for text in texts)


_D65_TO_SRGB = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
)
_D65 = np.array([0.95047, 1.0, 1.08883])
_EPSILON = 6 / 29


def srgb_of_d65(lightness: int, a: int, b: int) -> Color:
    """The color of a CIELab value that was encoded over D65, as dcmqi, highdicom and TotalSegmentator do.

    (41661, 41167, 40792) is (221, 130, 101), the liver of 3D Slicer. The standard means D50, which gives (217, 130,
    101): what we write ourselves is read by dicom/color.py.
    """
    y = (lightness / 0xFFFF * 100 + 16) / 116
    f = np.array([y + (a / 0xFFFF * 255 - 128) / 500, y, y - (b / 0xFFFF * 255 - 128) / 200])
    xyz = np.where(f > _EPSILON, f**3, 3 * _EPSILON**2 * (f - 4 / 29)) * _D65
    linear = (_D65_TO_SRGB @ xyz).clip(0, 1)
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = np.rint(srgb * 255).astype(int).tolist()
    return red, green, blue
