"""The tables of docs/rest.md are those of the options, row by row."""

from __future__ import annotations

from pathlib import Path

from orthanc_stl.conversion.options import SOURCE_OPTIONS
from orthanc_stl.conversion.request import OPTIONS, ConversionRequest

PAGE = (Path(__file__).parents[2] / "docs/rest.md").read_text("utf-8").splitlines()


def test_every_option_has_its_row() -> None:
    rows = [f"| `{o.key}` | {o.kind.words} | {o.shown} | {o.meaning} |" for o in OPTIONS]
    begin = PAGE.index(rows[0])
    assert PAGE[begin : begin + len(rows)] == rows


def test_every_option_of_a_source_has_its_row() -> None:
    rows = [f"| `{key}` | {kind.words} | {meaning} |" for key, (kind, meaning) in SOURCE_OPTIONS.items()]
    begin = PAGE.index(rows[0])
    assert PAGE[begin : begin + len(rows)] == rows


def test_a_request_comes_back_from_its_json() -> None:
    request = ConversionRequest(
        structures=(3, "Heart"), separate=True, resolution=64, tolerance=0.0, color=(1, 2, 3), colors={"3": [4, 5, 6]},
        fields={"Levels": [30]}, tags={"SeriesDescription": "x"}, limits={"max_voxels": 7},
    )  # fmt: skip
    assert ConversionRequest.from_json(request.as_json()) == request
    assert ConversionRequest.from_json({}) == ConversionRequest()
    assert ConversionRequest().as_json() == {}
