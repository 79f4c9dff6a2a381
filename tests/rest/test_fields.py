"""Fields of bodies: the original's words first, then what came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orthanc_stl import errors
from orthanc_stl.rest.http import fields


@pytest.mark.parametrize("value", ["64", 64.0, True, None, [], {}])
def test_an_integer_is_a_json_integer(value: Any) -> None:
    with pytest.raises(errors.InvalidField, match=r"^Integer value expected in field: R, got "):
        fields.integer({"R": value}, "R", 256, 2, 1024)


def test_an_integer_in_its_range() -> None:
    assert fields.integer({}, "R", 256, 2, 1024) == 256
    assert [fields.integer({"R": v}, "R", 256, 2, 1024) for v in (2, 1024)] == [2, 1024]
    with pytest.raises(errors.InvalidField, match=r"^Unsigned integer value expected in field: R"):
        fields.integer({"R": -1}, "R", 256, 2, 1024)
    for value in (0, 1, 1025, 2147483647, 10**4000):
        with pytest.raises(errors.OutOfRange, match=r"^R must be from 2 to 1024, but is "):
            fields.integer({"R": value}, "R", 256, 2, 1024)


@pytest.mark.parametrize("value", ["true", 1, 0, None, "yes", [], 1.5])
def test_a_boolean_is_true_or_false(value: Any) -> None:
    with pytest.raises(errors.InvalidField, match=r"^Boolean value expected in field: S, got "):
        fields.boolean({"S": value}, "S", True)


@pytest.mark.parametrize("value", ["a", ["a", 1], None, {}, [["a"]], [None]])
def test_a_list_of_strings(value: Any) -> None:
    with pytest.raises(errors.InvalidField, match=r"^List of strings expected in field: N, got "):
        fields.texts({"N": value}, "N")


def test_lists_have_each_item_once_and_at_least_one() -> None:
    assert fields.texts({"N": ["b", "a", "b"]}, "N") == ["b", "a"]
    assert fields.integers({"N": [3, 1, 3]}, "N") == [3, 1]
    assert fields.integers({}, "N") is None
    with pytest.raises(errors.InvalidField, match="the list is empty"):
        fields.texts({"N": []}, "N")
    with pytest.raises(errors.InvalidField, match=r"^List of integers expected"):
        fields.integers({"N": [True]}, "N")


@pytest.mark.parametrize("value", [True, "1", float("nan"), float("inf"), []])
def test_a_number_is_finite(value: Any) -> None:
    with pytest.raises(errors.InvalidField, match=r"^Number expected in field: T"):
        fields.number({"T": value}, "T")


def test_a_huge_integer_is_no_number() -> None:
    with pytest.raises(errors.InvalidField, match=r"^Number expected in field: T"):
        fields.number({"T": 10**400}, "T")


@pytest.mark.parametrize("read", [fields.text, fields.texts])
def test_a_missing_field_is_called_missing(read: Callable[..., Any]) -> None:
    with pytest.raises(errors.InvalidField, match="expected in field: X, but it is missing"):
        read({}, "X")


def test_what_came_is_shown_in_short() -> None:
    with pytest.raises(errors.InvalidField) as caught:
        fields.text({"X": ["long"] * 1000}, "X")
    assert len(str(caught.value)) < 150


def test_tags_are_an_object() -> None:
    assert fields.tags({}) == {}
    values: tuple[object, ...] = ("x", None, [], 1)
    for value in values:
        with pytest.raises(errors.MalformedBody, match=r"^Tags must be provided as a JSON object"):
            fields.tags({"Tags": value})
