"""A data set and one large value to the bytes of a DICOM file, explicit VR little endian."""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Iterator

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import UID, ExplicitVRLittleEndian

from orthanc_stl.dicom.elements import Buffer
from orthanc_stl.dicom.text import common_character_set
from orthanc_stl.errors import InvalidInput, TooLarge

IMPLEMENTATION_CLASS_UID = "2.25.185361933932965542140023269735895965711"
IMPLEMENTATION_VERSION_NAME = "ORTHANC_STL"

# PS3.5 section 6.2: values of the default repertoire alone.
_ASCII_VRS = frozenset(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"))

# PS3.5 section 7.1.1: a length of 32 bits, even, and all ones means "undefined".
_MAX_VALUE_BYTES = 0xFFFFFFFE


def file_bytes(ds: Dataset, large_tag: int, large: Buffer, character_set: tuple[str, ...]) -> bytes:
    """The file: `ds`, and the element `large_tag` (VR OB) with the bytes `large`, which are copied only once.

    `character_set` is kept if it can write all the texts of `ds`, else UTF-8 is taken. Raises TooLarge for a value
    that no DICOM element can hold, InvalidInput for one that is of ASCII by its VR and is not (a damaged UID).
    """
    size = memoryview(large).nbytes
    if size > _MAX_VALUE_BYTES:
        raise TooLarge(f"a DICOM element holds at most {_MAX_VALUE_BYTES} bytes, got {size}")
    terms = common_character_set(list(_texts(ds)), character_set)
    if terms:
        ds.SpecificCharacterSet = list(terms) if len(terms) > 1 else terms[0]
    _check_ascii(ds)
    head, tail = Dataset(), Dataset()
    for element in ds:
        (head if element.tag < large_tag else tail).add(element)
    header = struct.pack("<HH2sHL", large_tag >> 16, large_tag & 0xFFFF, b"OB", 0, size + size % 2)
    parts = (_meta(ds), _encoded(head, ds), header, large, b"\0" * (size % 2), _encoded(tail, ds))
    return b"".join(parts)


def _check_ascii(ds: Dataset) -> None:
    for element in ds.iterall():
        if element.VR in _ASCII_VRS and not str(element.value).isascii():
            raise InvalidInput(
                f"{element.keyword} {element.tag} holds letters outside ASCII, which VR {element.VR} cannot"
            )


def _meta(ds: Dataset) -> bytes:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    buffer = DicomBytesIO()
    buffer.write(b"\0" * 128 + b"DICM")
    write_file_meta_info(buffer, meta)
    return buffer.getvalue()


def _encoded(part: Dataset, whole: Dataset) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid PatientID is written as the source has it, see source.py
        write_dataset(buffer, part, whole.get("SpecificCharacterSet", "ISO_IR 6"))
    return buffer.getvalue()


def _texts(ds: Dataset) -> Iterator[str]:
    for element in ds.iterall():
        yield from _texts_of(element)


def _texts_of(element: DataElement) -> Iterator[str]:
    if element.VR not in ("LO", "LT", "PN", "SH", "ST", "UC", "UT") or element.value is None:
        return
    values = element.value if element.VM > 1 else [element.value]
    for value in map(str, values):
        # The parts of a person's name are encoded each by itself (PS3.5 section 6.1.2.5.3).
        yield from re.split("[\\^=]", value) if element.VR == "PN" else (value,)
