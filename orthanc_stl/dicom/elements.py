"""DICOM data elements as byte ranges: what is where in a file, without an object per element.

pydicom makes an object of every element it meets. In a structure set of 50 MB that is a quarter of a million objects
nobody asked for, and in a hostile file of empty items, gigabytes. So the files we are given are walked here, without
recursion (1,000 nested sequences are 1,000 steps) and without copies; pydicom then decodes the few values wanted. The
standard library only: Orthanc's own process uses it too.

Encodings: PS3.5 section 7 and Annex A (implicit and explicit VR, both byte orders, deflated), PS3.10 section 7.1 (the
preamble and the File Meta Information, which may be missing).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from orthanc_stl.dicom.ascii import ascii_value
from orthanc_stl.errors import InvalidInput, TooLarge

Buffer = bytes | bytearray | memoryview

ITEM_END = 0xFFFEE00D
UNDEFINED = 0xFFFFFFFF

# PS3.5 section 7.1.2: these have two reserved bytes and a length of 32 bits; all others a length of 16 bits.
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())

EXPLICIT_BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"

# A deflated data set may grow to this and no further: a hundred megabytes of zeros deflate to a hundred kilobytes.
MAX_INFLATED_BYTES = 1 << 30


class Encoding(NamedTuple):
    """How elements are written. `head`: a tag (group, number) and the 32 bits after it, in implicit VR the length."""

    explicit: bool
    little: bool
    u16: struct.Struct
    u32: struct.Struct
    head: struct.Struct


def _encoding(explicit: bool, little: bool) -> Encoding:
    order = "<" if little else ">"
    return Encoding(explicit, little, *(struct.Struct(order + form) for form in ("H", "L", "HHL")))


_IMPLICIT = _encoding(explicit=False, little=True)
_EXPLICIT = _encoding(explicit=True, little=True)


class Element(NamedTuple):
    """One data element: its value is `data[start:stop]`, and the next element begins at `after`.

    `vr` is empty in implicit VR; `inside` is the encoding of the items if it is a sequence.
    """

    tag: int
    vr: bytes
    at: int
    start: int
    stop: int
    after: int
    inside: Encoding


Elements = dict[int, Element]
"""A data set or item: tag to element."""


class DicomFile(NamedTuple):
    """The data set of a file: `data[start:]` in `encoding`; `meta` is the File Meta Information, tag to value."""

    data: memoryview
    start: int
    encoding: Encoding
    meta: dict[int, bytes]

    def elements(self) -> Iterator[Element]:
        return elements(self.data, self.start, len(self.data), self.encoding)

    def value(self, element: Element) -> bytes:
        return bytes(self.data[element.start : element.stop])

    def value_of(self, of: Elements, tag: int) -> bytes:
        """The bytes of an element's value; empty if it is absent."""
        element = of.get(tag)
        return self.value(element) if element else b""

    def items_of(self, of: Elements, tag: int) -> Iterator[Elements]:
        """The items of a sequence; none if it is absent."""
        sequence = of.get(tag)
        if sequence is None:
            return
        for start, stop in items(self.data, sequence):
            yield {element.tag: element for element in elements(self.data, start, stop, sequence.inside)}

    def first_item(self, of: Elements, tag: int) -> Elements:
        """The first item of a sequence; without elements if there is none."""
        return next(self.items_of(of, tag), {})


WHY_NO_DOCUMENT = 'Orthanc\'s anonymization empties it, unless its field "Keep" names "EncapsulatedDocument"'


def unpadded(value: memoryview, declared: bytes) -> memoryview:
    """`value` without the byte that DICOM pads it with, where `declared`, a length as UL in either byte order, says so.

    Any other length contradicts the value, and the value is what there is.
    """
    length = max(len(value) - 1, 0)
    return value[:length] if declared in (length.to_bytes(4, "little"), length.to_bytes(4, "big")) else value


def name_of(tag: int) -> str:
    return f"({tag >> 16:04x},{tag & 0xFFFF:04x})"


def open_file(data: Buffer) -> DicomFile:
    """Find the data set in a file, with or without preamble and File Meta Information.

    Raises InvalidInput for bytes that are no DICOM, TooLarge for a deflated data set beyond MAX_INFLATED_BYTES.
    """
    view = memoryview(data).cast("B").toreadonly()
    start = 132 if bytes(view[128:132]) == b"DICM" else 0
    if len(view) < start + 8:
        raise InvalidInput(f"this is not a DICOM file: it has {len(view)} bytes")
    meta, start = _meta_information(view, start)
    syntax = ascii_value(meta.get(0x00020010, b""))
    if syntax == DEFLATED:
        view, start = memoryview(_inflate(view[start:])).toreadonly(), 0
        return DicomFile(view, start, _EXPLICIT, meta)
    if start >= len(view):
        raise InvalidInput("this DICOM file has no data set after its meta information")
    return DicomFile(view, start, _encoding_of(view, start, syntax), meta)


def _meta_information(view: memoryview, start: int) -> tuple[dict[int, bytes], int]:
    """Group 2, always explicit little endian. Its length is not trusted: it ends where the group does."""
    meta: dict[int, bytes] = {}
    at = start
    while at + 8 <= len(view) and view[at] == 2 and view[at + 1] == 0:
        element = _element_at(view, at, len(view), _EXPLICIT)
        meta[element.tag] = bytes(view[element.start : element.stop])
        at = element.after
    return meta, at


def _inflate(deflated: memoryview) -> bytes:
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = machine.decompress(deflated, MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise InvalidInput(f"the deflated data set of this DICOM file is damaged: {error}") from error
    if machine.unconsumed_tail:
        raise TooLarge(f"this deflated DICOM file inflates to more than {MAX_INFLATED_BYTES} bytes")
    if not machine.eof or len(data) < 8:
        raise InvalidInput("the deflated data set of this DICOM file ends too early")
    return data


def _encoding_of(view: memoryview, start: int, syntax: str) -> Encoding:
    """What the first element looks like counts more than the transfer syntax: labels are wrong more often than data."""
    if len(view) < start + 8:
        raise InvalidInput("the data set of this DICOM file ends within its first element")
    little_group = int.from_bytes(view[start : start + 2], "little")
    big_group = int.from_bytes(view[start : start + 2], "big")
    # The lower reading wins: the first group of a data set is 0008 nearly always, and 0x0800 read the wrong way.
    little = little_group < big_group if little_group != big_group else syntax != EXPLICIT_BIG
    vr = bytes(view[start + 4 : start + 6])
    explicit = vr in _SHORT_VRS or vr in _LONG_VRS
    if min(little_group, big_group) > 0x00FF or (not explicit and not little):
        raise InvalidInput("this is not a DICOM file: it does not begin with a data element")
    return _encoding(explicit, little)


def _element_at(view: memoryview, at: int, stop: int, encoding: Encoding) -> Element:
    group, number, length = encoding.head.unpack_from(view, at)
    tag, vr, value = group << 16 | number, b"", at + 8
    if encoding.explicit:
        vr, value, length = _explicit_header(view, at, stop, encoding)
    inside = _IMPLICIT if vr == b"UN" else encoding
    if length == UNDEFINED:
        after = _end_of_undefined(view, value, stop, inside)
        return Element(tag, vr, at, value, after - 8, after, inside)
    after = value + length
    if after > stop:
        raise InvalidInput(
            f"this DICOM file is damaged: {name_of(tag)} at byte {at} says {length} bytes, {stop - value} are left"
        )
    return Element(tag, vr, at, value, after, after, inside)


def _explicit_header(view: memoryview, at: int, stop: int, encoding: Encoding) -> tuple[bytes, int, int]:
    """VR, where the value begins, and its length."""
    vr = bytes(view[at + 4 : at + 6])
    if vr in _LONG_VRS:
        if at + 12 > stop:
            raise InvalidInput(f"this DICOM file is damaged: it ends within the element at byte {at}")
        return vr, at + 12, encoding.u32.unpack_from(view, at + 8)[0]
    if vr in _SHORT_VRS or (vr.isalpha() and vr.isupper()):
        return vr, at + 8, encoding.u16.unpack_from(view, at + 6)[0]
    # Some writers slip into implicit VR for single elements of an explicit file; pydicom reads those as well.
    return b"", at + 8, encoding.u32.unpack_from(view, at + 4)[0]


def _end_of_undefined(view: memoryview, at: int, stop: int, encoding: Encoding) -> int:
    """The end of a sequence of undefined length, its delimiter included, with a stack instead of recursion."""
    around: list[tuple[bool, Encoding]] = []
    in_sequence = True
    while True:
        if at + 8 > stop:
            raise InvalidInput("this DICOM file is damaged: it ends within a sequence of undefined length")
        group, number, length = encoding.head.unpack_from(view, at)
        if group == 0xFFFE and number == (0xE0DD if in_sequence else 0xE00D):
            at += 8
            if not around:
                return at
            in_sequence, encoding = around.pop()
            continue
        inside = encoding
        if in_sequence:
            _expect_item(group, number, at)
            at += 8
        elif encoding.explicit:
            vr, at, length = _explicit_header(view, at, stop, encoding)
            inside = _IMPLICIT if vr == b"UN" else encoding
        else:
            at += 8
        if length == UNDEFINED:
            around.append((in_sequence, encoding))
            in_sequence, encoding = not in_sequence, inside
        else:
            at += length


def _expect_item(group: int, number: int, at: int) -> None:
    if group != 0xFFFE or number != 0xE000:
        raise InvalidInput(
            f"this DICOM file is damaged: {name_of(group << 16 | number)} at byte {at}, an item was expected"
        )


def elements(view: memoryview, start: int, stop: int, encoding: Encoding) -> Iterator[Element]:
    """The elements of a data set or item in `view[start:stop]`, in the file's order.

    Zeros after the last element (some writers pad files) end the walk. Raises InvalidInput where the bytes do not
    hold together.
    """
    at = start
    while at + 8 <= stop:
        element = _element_at(view, at, stop, encoding)
        if element.tag == ITEM_END:
            return
        if element.tag == 0 and not any(view[at : min(stop, at + 4096)]):
            return
        yield element
        at = element.after
    if any(view[at:stop]):
        raise InvalidInput(f"this DICOM file is damaged: it ends within the element at byte {at}")


def items(view: memoryview, sequence: Element) -> Iterator[tuple[int, int]]:
    """The (start, stop) of each item's data set in a sequence."""
    encoding = sequence.inside
    at = sequence.start
    while at + 8 <= sequence.stop:
        group, number, length = encoding.head.unpack_from(view, at)
        if group == 0xFFFE and number == 0xE0DD:
            return
        _expect_item(group, number, at)
        at += 8
        after = _end_of_item(view, at, sequence.stop, encoding) if length == UNDEFINED else at + length
        if after > sequence.stop:
            raise InvalidInput(f"this DICOM file is damaged: the item at byte {at - 8} goes beyond its sequence")
        yield at, after - 8 if length == UNDEFINED else after
        at = after


def _end_of_item(view: memoryview, at: int, stop: int, encoding: Encoding) -> int:
    while at + 8 <= stop:
        if encoding.head.unpack_from(view, at)[:2] == (0xFFFE, 0xE00D):
            return at + 8
        at = _element_at(view, at, stop, encoding).after
    raise InvalidInput("this DICOM file is damaged: it ends within an item of undefined length")
