"""Every kind of input, in the order in which files are tried. A new one is one file beside this, and one line here."""

from __future__ import annotations

from collections.abc import Sequence

from orthanc_stl.dicom.elements import open_file
from orthanc_stl.dicom.study_context import class_name, uid_of
from orthanc_stl.errors import InvalidInput
from orthanc_stl.sources.base import OpenSource, ReadOptions, Source
from orthanc_stl.sources.file_kinds import kind_of
from orthanc_stl.sources.nifti import Nifti
from orthanc_stl.sources.rtstruct import RtStruct
from orthanc_stl.sources.seg import Seg

SOURCES: tuple[Source, ...] = (RtStruct(), Seg(), Nifti())

BEGINNING = 64 << 10
"""Bytes that tell what a file is."""

_SOP_CLASS_UID = 0x00080016


def source_for(sop_class: str) -> Source | None:
    """The reader of objects of this SOP class."""
    return next((source for source in SOURCES if sop_class in source.sop_classes), None)


def source_by_key(key: str) -> Source | None:
    return next((source for source in SOURCES if source.key == key), None)


def recognise(beginning: bytes, name: str = "") -> Source | None:
    """The reader of a file that is no DICOM object, by its first bytes, else by the suffix of its name."""
    found = next((source for source in SOURCES if source.recognises(beginning)), None)
    if found is not None:
        return found
    lower = name.lower()
    return next((source for source in SOURCES if source.suffixes and lower.endswith(source.suffixes)), None)


def open_files(
    files: Sequence[bytes | bytearray | memoryview], options: ReadOptions, *, name: str = "", kind: str = ""
) -> OpenSource:
    """Open the first file, with the others that it needs. `name` is its file name, `kind` the only kind that it may be.

    Raises InvalidInput that says what came, for what no reader knows.
    """
    source = source_by_key(kind) if kind else _source_of(files[0], name)
    if source is None:
        raise InvalidInput(_unknown(bytes(files[0][:BEGINNING])))
    return source.open([memoryview(file) for file in files], options)


def _source_of(file: bytes | bytearray | memoryview, name: str) -> Source | None:
    beginning = bytes(file[:BEGINNING])
    known = recognise(beginning, name)
    if known is not None:
        return known
    try:
        dicom = open_file(file)
    except InvalidInput:
        return None
    for element in dicom.elements():
        if element.tag >= _SOP_CLASS_UID:
            sop_class = uid_of(dicom.value(element)) if element.tag == _SOP_CLASS_UID else ""
            found = source_for(sop_class)
            if found is None:
                readable = ", ".join(source.name for source in SOURCES if source.sop_classes)
                raise InvalidInput(f"this is a {class_name(sop_class)} object; one of these is expected: {readable}")
            return found
    return None


def _unknown(beginning: bytes) -> str:
    found = kind_of(beginning)
    known = ", ".join(source.name for source in SOURCES)
    return f"this file is {found or 'of no kind that is known here'}; one of these is expected: {known}"
