"""What is read of the files that are about to be stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orthanc_stl.rest.storing import number_after, sop_instance_uid
from tests.formats.test_encapsulated import parts, read


def test_the_uid_of_an_object_without_reading_all_of_it() -> None:
    files = list(parts())
    assert [sop_instance_uid(memoryview(file)) for file in files] == [read(file).SOPInstanceUID for file in files]
    assert len({sop_instance_uid(file) for file in files}) == len(files)


def test_what_is_no_dicom_has_none() -> None:
    assert sop_instance_uid(bytes(2000)) == ""


TABLE = json.loads((Path(__file__).parents[1] / "series_numbers.json").read_text("utf-8"))


@pytest.mark.parametrize("case", TABLE)
def test_the_number_after_those_of_models(case: dict[str, Any]) -> None:
    tags = [{"Modality": modality, "SeriesNumber": number} for modality, number in case["series"]]
    given = [{name: value for name, value in one.items() if value is not None} for one in tags]
    assert number_after(given) == case["next"]
