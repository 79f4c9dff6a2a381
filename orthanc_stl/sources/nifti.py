"""NIfTI files: label maps with names and colors, masks, and grey volumes.

Names and colors are in an extension of the file (TotalSegmentator writes code 0, Connectome Workbench code 30, both the
XML of Caret), or come with the request as `LabelNames` and `LabelColors`.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator, Sequence
from functools import partial

from lxml import etree

from orthanc_stl.dicom.text import one_line
from orthanc_stl.errors import reading
from orthanc_stl.model import Color
from orthanc_stl.sources import kinds
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.label_maps import Naming, naming_of_fields
from orthanc_stl.sources.masks import OpenMasks, open_masks
from orthanc_stl.sources.nifti_bytes import GZIP_MAGIC
from orthanc_stl.sources.nifti_file import MAX_BYTES, read_nifti
from orthanc_stl.sources.volume_files import OpenVolume, open_volume

MOST_EXTENSION_BYTES = 4 << 20
"""Of a file are looked at for extensions: 117 labels take 12 KB."""

CARET_CODES = (0, 30)
MOST_LABELS = 65_536


class Nifti:
    """The source of NIfTI-1 and NIfTI-2 files, gzip or plain; several files are a mask each."""

    def recognises(self, beginning: bytes) -> bool:
        head = _first(beginning, 348)
        return head[344:347] in (b"n+1", b"ni1") or head[4:7] in (b"n+2", b"ni2")

    @reading("the NIfTI file")
    def open(self, files: Sequence[bytes | memoryview], options: ReadOptions) -> OpenVolume | OpenMasks:
        most = options.limits.get("max_nifti_mb")
        read = partial(read_nifti, max_bytes=most << 20 if most else MAX_BYTES)
        naming = naming_of_fields(options.fields)
        if len(files) > 1:
            return open_masks(kinds.NIFTI, files, read, naming, options)
        return open_volume(kinds.NIFTI, read(files[0]), naming.over(caret_naming(files[0])), options)


def caret_naming(data: bytes | memoryview) -> Naming:
    """Names and colors of the file's extensions. What is no readable table of labels is left out."""
    for code, content in extensions(_first(data, MOST_EXTENSION_BYTES)):
        if code in CARET_CODES:
            naming = _label_table(content)
            if naming.names:
                return naming
    return Naming()


def extensions(head: bytes) -> Iterator[tuple[int, bytes]]:
    """Code and content of each extension in the first bytes of a decompressed file (nifti1.h, "extension_code")."""
    size = int.from_bytes(head[:4], "little")
    little = size in (348, 540)
    order = "little" if little else "big"
    size = int.from_bytes(head[:4], order)  # type: ignore[arg-type]
    if size not in (348, 540) or not any(head[size : size + 1]):
        return
    at = size + 4
    while at + 8 <= len(head):
        length = int.from_bytes(head[at : at + 4], order)  # type: ignore[arg-type]
        code = int.from_bytes(head[at + 4 : at + 8], order)  # type: ignore[arg-type]
        if length < 16 or length % 16 or at + length > len(head):
            return
        yield code, head[at + 8 : at + length]
        at += length


def _first(data: bytes | memoryview, size: int) -> bytes:
    """The first bytes of a file, decompressed; less if its gzip data is damaged."""
    view = memoryview(data).cast("B")
    if view[:2] != GZIP_MAGIC:
        return bytes(view[:size])
    found = bytearray()
    left = bytes(view[: size + (1 << 16)])
    while left and len(found) < size:
        member = zlib.decompressobj(wbits=31)
        try:
            piece = member.decompress(left, size - len(found))
        except zlib.error:
            break  # read_nifti says what is wrong with it
        if not piece and not member.unused_data:
            break
        found += piece
        left = member.unused_data
    return bytes(found)


def _label_table(content: bytes) -> Naming:
    """The `Label` elements of a Caret extension: no entity is resolved, and nothing is fetched."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(_without_padding(content), parser)
    except (etree.XMLSyntaxError, ValueError):
        return Naming()  # extensions of code 0 hold anything
    names: dict[int, str] = {}
    colors: dict[int, Color] = {}
    for label in root.iter("Label"):
        key = label.get("Key", "")
        name = one_line(label.text or "")
        if not key.lstrip("-").isdecimal() or len(key) > 18 or not name or len(names) >= MOST_LABELS:
            continue
        names[int(key)] = name[:1024]
        color = _color(label)
        if color:
            colors[int(key)] = color
    return Naming(names, colors)


def _without_padding(xml: bytes) -> bytes:
    """The XML of an extension, which zeros fill up to a multiple of 16 bytes; UTF-16 has zeros of its own."""
    if xml[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return xml.decode("utf-16", "replace").strip("\0 \r\n\t").encode("utf-16")
    return xml.strip(b"\0 \r\n\t")


def _color(label: etree._Element) -> Color | None:
    try:
        red, green, blue = (round(float(label.get(part, "")) * 255) for part in ("Red", "Green", "Blue"))
    except (ValueError, OverflowError):
        return None
    return (red, green, blue) if all(0 <= value <= 255 for value in (red, green, blue)) else None
