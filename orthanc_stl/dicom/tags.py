"""The `Tags` of a request: extra DICOM attributes, by keyword or by number, that win over what we would write."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from pydicom.datadict import dictionary_has_tag, dictionary_VM, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from orthanc_stl.dicom.elements import name_of
from orthanc_stl.dicom.study_context import STUDY_TAGS, Stated
from orthanc_stl.dicom.text import is_known_character_set
from orthanc_stl.dicom.values import LENGTHS, is_valid
from orthanc_stl.errors import InvalidField, Overridden, UnknownTag

# Sequences within sequences; nothing that a person writes is as deep.
MAX_DEPTH = 16

_NUMBER = re.compile(r"([0-9a-fA-F]{4})[,-]?([0-9a-fA-F]{4})")
_SPECIFIC_CHARACTER_SET = 0x00080005

# Of a time: zeros that say nothing. In a date and time an offset from UTC may follow.
_END_OF_FRACTION = re.compile(r"(\.\d*[1-9])0+(?!\d)|\.0+(?!\d)")

# What identifies the object and says how it is encoded: given by us, always.
_IDENTITY = frozenset((0x00080016, 0x00080018, 0x0020000E))


def places_patient(tag: int) -> bool:
    return tag >> 16 == 0x0010


def places_study(tag: int) -> bool:
    return tag in STUDY_TAGS


def places_series(tag: int) -> bool:
    """C.7.3.1 General Series, as far as study_context.py takes it over."""
    return tag in (0x00080021, 0x00080031, 0x0008103E, 0x00200011)


def identifies(tag: int) -> bool:
    """Also File Meta Information, group lengths and delimiters, which are never anybody else's to give."""
    return tag in _IDENTITY or tag >> 16 in (0x0000, 0x0002, 0xFFFE) or tag & 0xFFFF == 0


def places(tag: int) -> bool:
    """What an object has in common with its patient and study."""
    return places_patient(tag) or places_study(tag)


def refuse_placing(tag: int) -> bool:
    """What `Tags` may not set in an object whose patient and study are given."""
    return identifies(tag) or places(tag)


def apply_tags(
    ds: Dataset, tags: Mapping[str, Any], refused: Callable[[int], bool], stated: Mapping[int, Stated] | None = None
) -> tuple[str, ...]:
    """Put the attributes into `ds`; the character set among them is returned, empty if there is none.

    `stated`: what the parent says of its patient, study and series, by tag: a tag that repeats it changes nothing,
    and is accepted. Raises UnknownTag; Overridden for a tag that `refused` refuses; InvalidField for a value that its
    tag cannot have.
    """
    character_set: tuple[str, ...] = ()
    for name, given in tags.items():
        tag = tag_of(name)
        value = _without_null(tag, given)
        if refused(tag):
            if not identifies(tag) and _repeats(tag, value, stated or {}):
                continue
            raise Overridden(f"Tags may not set {_title(tag)}: it is given by the parent and by the plugin")
        if tag == _SPECIFIC_CHARACTER_SET:
            character_set = _character_set(value)
        else:
            ds.add(_element(tag, value, 0))
    return character_set


def _without_null(tag: int, value: Any) -> Any:
    """As Orthanc's create-dicom has it: null is an empty text, and an empty text an empty sequence."""
    if _vr(tag) == "SQ":
        return [] if value == "" else value
    return "" if value is None else value


def _repeats(tag: int, value: Any, stated: Mapping[int, Stated]) -> bool:
    """Whether a value is what the parent has, or nothing where the parent has nothing."""
    if isinstance(value, list) and _vr(tag) == "SQ":
        _items(tag, value, 0)
    elif not isinstance(value, str):
        return False
    return _meaning(tag, _by_tag(tag, value)) == _meaning(tag, stated.get(tag, ""))


def _by_tag(tag: int, value: Any) -> Stated:
    """A value of `Tags` that is valid, as what a parent states has it."""
    value = _without_null(tag, value)
    if not isinstance(value, list):
        return str(value)
    return [{tag_of(name): _by_tag(tag_of(name), inner) for name, inner in item.items()} for item in value]


def _meaning(tag: int, value: Stated) -> Any:
    """What is the same for values that say the same: without what pads them, empty attributes, zeros at the end of a
    fraction; of letters and line ends one form."""
    if isinstance(value, list):
        items = [{inner: _meaning(inner, stated) for inner, stated in item.items() if stated} for item in value]
        return [{inner: meaning for inner, meaning in item.items() if meaning} for item in items] or ""
    vr = _vr(tag)
    return "\\".join(_plain(vr, part) for part in value.split("\\"))


def _plain(vr: str, text: str) -> str:
    text = unicodedata.normalize("NFC", text).strip("\0 ")
    if vr in ("DS", "IS") and is_valid("DS", text) and text:
        return repr(float(text))
    if vr in ("TM", "DT"):
        return _END_OF_FRACTION.sub(r"\1", text)
    return text.rstrip("^= ") if vr == "PN" else text.replace("\r\n", "\n")


def tag_of(name: str) -> int:
    """The number of a tag, from its keyword ("SeriesDescription") or its digits ("0008,103e")."""
    match = _NUMBER.fullmatch(name)
    tag = int(match[1] + match[2], 16) if match else tag_for_keyword(name or "none")
    if tag is None or not (dictionary_has_tag(tag) or Tag(tag).is_private):
        raise UnknownTag(f'"{_shown(name)}" is no DICOM tag that is known here')
    return tag


def _element(tag: int, value: Any, depth: int) -> DataElement:
    vr = _vr(tag)
    if vr == "SQ":
        return _checked(tag, vr, _items(tag, value, depth))
    if not isinstance(value, str):
        raise InvalidField(f"String value expected in Tags for {_title(tag)}, not {_kind(value)}")
    if vr in ("US", "SS", "UL", "SL", "UV", "SV"):
        return _checked(tag, vr, _numbers(tag, value, int))
    if vr in ("FL", "FD"):
        return _checked(tag, vr, _numbers(tag, value, float))
    if vr == "UN":
        raw = value.encode("utf-8")
        return _checked(tag, vr, raw + b" " * (len(raw) % 2))
    if vr not in _TEXT_VRS:
        raise InvalidField(f"{_title(tag)} cannot be set by Tags: its VR {vr} holds no text")
    return _checked(tag, vr, _texts(tag, vr, value))


_TEXT_VRS = frozenset((
    "AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT",
))  # fmt: skip
_ONE_VALUE_VRS = frozenset(("LT", "ST", "UT", "UR"))


def _vr(tag: int) -> str:
    if Tag(tag).is_private_creator:
        return "LO"
    if Tag(tag).is_private:
        return "UN"
    return dictionary_VR(tag).split(" or ")[0]


def _items(tag: int, value: Any, depth: int) -> list[Dataset]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InvalidField(f"List of objects expected in Tags for {_title(tag)}, a sequence, not {_kind(value)}")
    if depth >= MAX_DEPTH:
        raise InvalidField(f"Tags holds sequences more than {MAX_DEPTH} deep")
    items = []
    for item in value:
        ds = Dataset()
        for name, inner in item.items():
            inner_tag = tag_of(name)
            if inner_tag == _SPECIFIC_CHARACTER_SET or inner_tag & 0xFFFF == 0 or inner_tag >> 16 in (0, 2, 0xFFFE):
                raise Overridden(f"Tags may not set {_title(inner_tag)} within {_title(tag)}")
            ds.add(_element(inner_tag, _without_null(inner_tag, inner), depth + 1))
        items.append(ds)
    return items


def _texts(tag: int, vr: str, value: str) -> str | list[str]:
    values = [value] if vr in _ONE_VALUE_VRS else value.split("\\")
    for one in values:
        longest = LENGTHS.get(vr, 1 << 20)
        if len(one) > longest and vr != "PN":
            raise InvalidField(f"{_title(tag)} holds at most {longest} characters, got {len(one)} in Tags")
        if not is_valid(vr, one):
            raise InvalidField(f'{_title(tag)} is of VR {vr}; "{_shown(one)}" in Tags is no such value')
    most = dictionary_VM(tag).split("-")[-1] if dictionary_has_tag(tag) else "n"
    if most.isdigit() and len(values) > int(most):
        raise InvalidField(f"{_title(tag)} has at most {most} values, separated by \\, got {len(values)} in Tags")
    return values if len(values) > 1 else values[0]


def _numbers(tag: int, value: str, convert: Callable[[str], float]) -> list[float] | float | None:
    try:
        values = [convert(part) for part in value.split("\\")] if value else []
    except ValueError:
        raise InvalidField(f'{_title(tag)} is a number, got "{_shown(value)}" in Tags') from None
    if not all(map(isfinite, values)):
        raise InvalidField(f'{_title(tag)} is a number, got "{_shown(value)}" in Tags')
    return values[0] if len(values) == 1 else values or None


_RANGES = {"US": (0, 1 << 16), "UL": (0, 1 << 32), "UV": (0, 1 << 64)}
_RANGES |= {"SS": (-(1 << 15), 1 << 15), "SL": (-(1 << 31), 1 << 31), "SV": (-(1 << 63), 1 << 63)}


def _checked(tag: int, vr: str, value: Any) -> DataElement:
    low, high = _RANGES.get(vr, (0, 0))
    for number in value if isinstance(value, list) else [value]:
        if high and number is not None and not low <= number < high:
            raise InvalidField(f"{_title(tag)} is a number from {low} to {high - 1}, got {number} in Tags")
    return DataElement(tag, vr, value, validation_mode=0)


def _character_set(value: Any) -> tuple[str, ...]:
    if not isinstance(value, str) or not all(is_known_character_set(term) for term in value.split("\\")):
        raise InvalidField(f'SpecificCharacterSet in Tags expects terms such as "ISO_IR 192", not {_kind(value)}')
    return tuple(value.split("\\"))


def _title(tag: int) -> str:
    keyword = keyword_for_tag(tag)
    return f"{keyword} {name_of(tag)}" if keyword else name_of(tag)


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return f'"{_shown(value)}"'
    names = {dict: "an object", list: "a list", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _shown(text: str) -> str:
    return text if len(text) <= 64 else text[:61] + "..."
