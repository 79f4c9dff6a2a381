"""Which source reads a file. All of them are in `kinds.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pkgutil import resolve_name

from orthanc_stl.dicom.ascii import ascii_value
from orthanc_stl.dicom.elements import open_file
from orthanc_stl.dicom.sop_classes import ENCAPSULATED_MTL, IMAGE_CLASSES
from orthanc_stl.dicom.study_context import class_name
from orthanc_stl.errors import InvalidInput, reading
from orthanc_stl.sources import kinds
from orthanc_stl.sources.base import OpenSource, Reader, ReadOptions
from orthanc_stl.sources.dose_levels import RT_PLANS
from orthanc_stl.sources.file_kinds import kind_of
from orthanc_stl.sources.kinds import Kind
from orthanc_stl.sources.mesh_files import is_mtl
from orthanc_stl.sources.nifti_bytes import GZIP_MAGIC


@dataclass(frozen=True)
class Source:
    """A kind of input and its reader."""

    kind: Kind
    reader: Reader


SOURCES = tuple(Source(kind, resolve_name(kind.reader)()) for kind in kinds.KINDS)
"""In the order in which files are tried."""

BEGINNING = 1 << 16
"""Bytes of a file by which it is recognised."""

_SOP_CLASS_UID = 0x00080016


def source_for(sop_class: str) -> Source:
    """The source that reads objects of this SOP class. Raises InvalidInput, naming the class, if there is none."""
    for source in SOURCES:
        if sop_class in source.kind.sop_classes:
            return source
    read = ", ".join(source.kind.name for source in SOURCES if source.kind.sop_classes)
    raise InvalidInput(f"this is an object of the class {class_name(sop_class)}; one of these is expected: {read}")


def source_by_key(key: str) -> Source:
    """Raises KeyError for a key that no source has."""
    for source in SOURCES:
        if source.kind.key == key:
            return source
    raise KeyError(key)


def recognise(beginning: bytes, name: str = "") -> Source | None:
    """The source of a file that is no DICOM object, by its first bytes, else by the suffix of its name."""
    for source in SOURCES:
        if source.reader.recognises(beginning):
            return source
    found = [
        (len(suffix), source) for source in SOURCES for suffix in source.kind.suffixes if name.lower().endswith(suffix)
    ]
    return max(found, key=lambda pair: pair[0])[1] if found else None


@reading("this file")
def open_files(
    files: Sequence[bytes | bytearray | memoryview], options: ReadOptions, *, name: str = "", kind: str = ""
) -> OpenSource:
    """Find the source of the first file, a DICOM object or any other, and open it.

    `name` is the file's name, `kind` the key of the only source that may read it; both empty if nobody said.
    Raises InvalidInput that says what was given instead.
    """
    if not files or not len(files[0]):
        raise InvalidInput("the file is empty")
    views = _source_first([memoryview(file).cast("B") for file in files])
    if kind:
        return _opened(source_by_key(kind), views, options)
    beginning = bytes(views[0][:BEGINNING])
    if beginning[128:132] == b"DICM":
        sop_class = _sop_class(views[0])
        found = source_by_key(kinds.IMAGES.key) if sop_class in IMAGE_CLASSES else source_for(sop_class)
        return _opened(found, views, options)
    source = recognise(beginning) or _bare_dicom(views[0]) or recognise(b"", name)
    what = kind_of(beginning)
    packed = beginning[:2] == GZIP_MAGIC  # where the name says what is in it, its reader says what is wrong
    if source is None or (
        what and not packed and not source.reader.recognises(beginning) and not source.kind.sop_classes
    ):
        what = what or ("an MTL file, which needs its OBJ" if is_mtl(beginning) else "")
        # The table of kinds is of unpacked files: a packed one that no source knew comes here packed once.
        what = what.replace("packed twice by gzip", "packed by gzip") or f"{len(views[0])} bytes of an unknown kind"
        read = ", ".join(source.kind.name for source in SOURCES)
        raise InvalidInput(f"this is {what}; one of these is expected: {read}")
    return _opened(source, views, options)


def _source_first(files: list[memoryview]) -> list[memoryview]:
    """Of two files, the source before the MTL or the RT Plan that it needs: by their names those may come first."""
    if len(files) == 2 and _is_needed(files[0]) and not _is_needed(files[1]):
        return files[::-1]
    return files


def _is_needed(file: memoryview) -> bool:
    beginning = bytes(file[:BEGINNING])
    if beginning[128:132] == b"DICM":
        return _sop_class(file) in (*RT_PLANS, ENCAPSULATED_MTL)
    return is_mtl(beginning)


def _opened(source: Source, files: Sequence[memoryview], options: ReadOptions) -> OpenSource:
    most = source.kind.most_files
    if len(files) > most:
        with_more = "alone" if most == 1 else "with one more file that it needs at most"
        raise InvalidInput(f"got {len(files)} files, and the first is {source.kind.name}, which is read {with_more}")
    return source.reader.open(files, options)


def _sop_class(data: bytes | memoryview) -> str:
    file = open_file(data)
    for element in file.elements():
        if element.tag >= _SOP_CLASS_UID:
            return ascii_value(file.value(element)) if element.tag == _SOP_CLASS_UID else ""
    return ""


def _bare_dicom(data: bytes | memoryview) -> Source | None:
    """The source of a DICOM object without preamble and meta information, as some planning systems write them."""
    try:
        sop_class = _sop_class(data)
    except InvalidInput:
        return None
    return source_for(sop_class) if sop_class else None
