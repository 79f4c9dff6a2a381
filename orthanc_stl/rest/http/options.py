"""The options of a conversion, read from a JSON body: each by its kind, with the sentences of `fields`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from orthanc_stl import errors
from orthanc_stl.conversion import options as kinds
from orthanc_stl.conversion.options import SOURCE_OPTIONS, Kind, Option
from orthanc_stl.conversion.preparation import preparation_of
from orthanc_stl.conversion.request import OPTIONS, ConversionRequest
from orthanc_stl.rest.http import fields
from orthanc_stl.rest.http.body import refuse_half_characters

# The options that the original has, in the order in which it looks at them: the same one is named first.
_FIRST = ("Smooth", "Resolution", "Strict", "EndCaps")
_ORDER = sorted(OPTIONS, key=lambda option: _FIRST.index(option.key) if option.key in _FIRST else len(_FIRST))

_IN_QUERY = {option.key.lower(): option for option in OPTIONS if option.key not in ("Structures", "Replace", "Format")}
"""What the query of a URL may have of a conversion. `structures` are numbers there."""

OF_CONVERSIONS = ("options", *_IN_QUERY)
_PLAIN = (kinds.Boolean, kinds.Integer, kinds.Number)
_YES, _NO = ("true", "1"), ("false", "0")


def conversion_request(body: fields.Body) -> ConversionRequest:
    """The request that a body makes. Raises `InvalidField` or `OutOfRange` for the first field that is wrong."""
    values = {option.field: option_value(body, option) for option in _ORDER}
    if values["tolerance"] is not None and values["triangles"] is not None:
        raise errors.InvalidField("Tolerance and Triangles exclude each other: give one of the two")
    given = {key: _value(body, key, kind) for key, (kind, _) in SOURCE_OPTIONS.items() if body.get(key) is not None}
    request = ConversionRequest(**values, fields=given, tags=fields.tags(body))
    for key, color in request.colors.items():
        fields.color_of(color, f"Colors.{key}")
    preparation_of(request)
    return request


def unknown_fields(body: fields.Body, others: Iterable[str] = ()) -> list[str]:
    """A sentence for each field of a body that is neither an option of a conversion nor one of `others`.

    >>> unknown_fields({"Smoth": True})
    ['there is no field "Smoth": is "Smooth" meant?']
    """
    known = [*(option.key for option in OPTIONS), *SOURCE_OPTIONS, "Tags", *others]
    sentences = []
    for key in body:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f': is "{near[0]}" meant?' if near else ""
            sentences.append(f'there is no field "{key[:40]}"{hint}')
    return sentences


def query_request(query: Mapping[str, str]) -> ConversionRequest:
    """The request that the query of a URL makes: `?resolution=128&smooth=false&tolerance=0.2`.

    `options` is a body of POST /stl/encode as JSON, under those: `?options={"Shell": {"Wall": 2}}`.
    """
    body = _options_of(query)
    for key, option in _IN_QUERY.items():
        if key in query:
            if not isinstance(option.kind, _PLAIN):
                raise errors.InvalidField(
                    f'{key} is not read by itself here: give it as options={{"{option.key}": ...}}'
                )
            body[option.key] = _from_text(option.key, query[key])
    return conversion_request(body)


def converts(query: Mapping[str, str]) -> bool:
    """Whether a query says how structures are made, so that a stored model has to be made anew for it."""
    return "options" in query or not _IN_QUERY.keys().isdisjoint(query)


def yes_or_no(query: Mapping[str, str], name: str) -> bool:
    """`?compress=true`; False without it."""
    text = query.get(name, "false").lower()
    if text not in _YES and text not in _NO:
        raise errors.InvalidField(f"{name} is true or false, got {query[name][:40]!r}")
    return text in _YES


def refuse(query: Mapping[str, str], names: Iterable[str], where: str) -> None:
    """Raises InvalidField for what has no meaning in `where`: another answer than the one asked for would come."""
    found = next((name for name in names if name in query), "")
    if found:
        raise errors.InvalidField(f"{found} has no meaning for {where}")


def _options_of(query: Mapping[str, str]) -> dict[str, Any]:
    if "options" not in query:
        return {}
    try:
        options = json.loads(query["options"])
    except (ValueError, RecursionError):
        options = None
    if not isinstance(options, dict):
        raise errors.InvalidField(f"options must be a JSON object, got {query['options'][:40]!r}")
    refuse_half_characters(options, query["options"])
    return options


def structures_of_query(query: Mapping[str, str]) -> tuple[int, ...]:
    """`?structures=1,5`; empty without it."""
    text = query.get("structures", "")
    parts = text.split(",") if text else []
    if not all(part.strip().isdecimal() and len(part) <= 12 for part in parts):
        raise errors.InvalidField(f"structures are numbers, separated by commas, got {text[:40]!r}")
    return tuple(dict.fromkeys(int(part) for part in parts))


def _from_text(key: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise errors.InvalidField(f"{key} in the address must be a number, true or false, got {text[:40]!r}") from None


def option_value(body: fields.Body, option: Option) -> Any:
    """The value of one option, its default where the body has none."""
    if option.key not in body or (body[option.key] is None and option.default is None):
        return option.default
    return _value(body, option.key, option.kind)


def _value(body: fields.Body, key: str, kind: Kind) -> Any:
    match kind:
        case kinds.Boolean():
            return fields.boolean(body, key, False)
        case kinds.Integer(low, high):
            return fields.integer(body, key, low, low, high)
        case kinds.Number(low, high):
            return fields.number_between(body, key, low, high)
        case kinds.Text():
            return fields.text(body, key)
        case kinds.Choice(values):
            return fields.one_of(body, key, values)
        case kinds.Texts():
            return tuple(fields.texts(body, key))
        case kinds.Integers():
            return tuple(fields.integers(body, key) or ())
        case kinds.NumbersOrTexts():
            return fields.numbers_or_texts(body, key)
        case kinds.Operands():
            return fields.operands(body, key)
        case kinds.NumberOrText():
            return fields.numbers_or_texts({key: [body[key]]}, key)[0]
        case kinds.Color():
            return fields.color(body, key)
        case kinds.Object():
            return fields.mapping(body, key)
        case kinds.Objects():
            return fields.mappings(body, key)
        case kinds.NumberOrObject():
            return fields.mapping(body, key) if isinstance(body[key], dict) else fields.number(body, key)
