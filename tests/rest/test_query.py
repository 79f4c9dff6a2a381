"""What the query of a URL may ask for: nothing of it is passed over in silence."""

from __future__ import annotations

import pytest

from orthanc_stl.errors import InvalidField, InvalidInput
from orthanc_stl.formats.registry import WRITERS, how_to_write, writer_of
from orthanc_stl.rest.http.options import converts, query_request, refuse, structures_of_query, yes_or_no


def test_numbers_and_booleans_are_the_options_of_a_body() -> None:
    made = query_request({"resolution": "64", "smooth": "false", "tolerance": "0.5", "options": '{"Mirror": "x"}'})
    assert (made.resolution, made.smooth, made.tolerance, made.mirror) == (64, False, 0.5, "x")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"resolution": "many"}, "Resolution in the address must be a number"),
        ({"smooth": "banana"}, "Smooth in the address must be a number, true or false, got 'banana'"),
        ({"smooth": "3"}, "Boolean value expected in field: Smooth"),
        ({"resolution": "5000"}, "from 2 to 1024"),
        ({"mirror": "x"}, 'mirror is not read by itself here: give it as options={"Mirror": ...}'),
        ({"options": "[]"}, "options must be a JSON object"),
        ({"options": r'{"Mirror": "\ud800"}'}, "\\ud800, which is half of a surrogate pair"),
    ],
)
def test_what_is_no_value_is_refused(query: dict[str, str], sentence: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        query_request(query)
    assert sentence in str(refused.value)


def test_structures_are_numbers_each_once() -> None:
    assert structures_of_query({"structures": "5,1,5"}) == (5, 1)
    for text in ("liver", "1,,2", "-1", "9" * 13):
        with pytest.raises(InvalidField, match="structures are numbers, separated by commas"):
            structures_of_query({"structures": text})


def test_compress_is_true_or_false_and_for_a_format_that_can() -> None:
    given = {text: yes_or_no({"compress": text}, "compress") for text in ("true", "1", "True", "false", "0")}
    assert given == {"true": True, "1": True, "True": True, "false": False, "0": False}
    assert not yes_or_no({}, "compress")
    for text in ("banana", "", "yes"):
        with pytest.raises(InvalidField, match=f"compress is true or false, got '{text}'"):
            yes_or_no({"compress": text}, "compress")
    glb = writer_of("glb")
    assert glb
    assert how_to_write(glb, compress=True).compress
    for writer in WRITERS:
        assert not how_to_write(writer, compress=False).compress
        if writer.suffix != "glb":
            with pytest.raises(InvalidInput, match="compress makes files of GLB smaller, not those of"):
                how_to_write(writer, compress=True)


def test_what_would_change_a_stored_model_and_what_has_no_meaning() -> None:
    assert converts({"tolerance": "1"})
    assert converts({"options": "{}"})
    assert not converts({"structures": "1", "compress": "true"})
    refuse({"compress": "true"}, ["part", "with"], "one structure")
    with pytest.raises(InvalidField, match="part has no meaning for one structure"):
        refuse({"part": "2"}, ["part", "with"], "one structure")
