"""What is read of the files that are about to be stored."""

from __future__ import annotations

from orthanc_stl.rest.storing import sop_instance_uid
from tests.formats.test_encapsulated import parts, read


def test_the_uid_of_an_object_without_reading_all_of_it() -> None:
    files = list(parts())
    assert [sop_instance_uid(memoryview(file)) for file in files] == [read(file).SOPInstanceUID for file in files]
    assert len({sop_instance_uid(file) for file in files}) == len(files)


def test_what_is_no_dicom_has_none() -> None:
    assert sop_instance_uid(bytes(2000)) == ""
