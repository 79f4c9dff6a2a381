"""The flags of `orthanc-stl convert`: one for each option of a conversion, made from conversion/request.py."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from orthanc_stl.conversion import options as kinds
from orthanc_stl.conversion.options import SOURCE_OPTIONS, Kind, Option
from orthanc_stl.conversion.request import OPTIONS, ConversionRequest

# Said in another way on the command line, or not there.
_OTHERWISE = ("Structures", "Replace", "Format")

_FLAGS = {"Label": "--text"}
"""Where a flag is not named as its option: `--label` is a structure's number, as in version 0.1."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """All flags. What is said of the structures may be repeated."""
    which = parser.add_argument_group("which structures (default: all that can be used)")
    which.add_argument("--structure", action="append", default=[], metavar="NAME", help="a name or number")
    which.add_argument("--roi", dest="structure", action="append", metavar="NAME", help=argparse.SUPPRESS)
    for old in ("--roi-number", "--label"):
        which.add_argument(old, dest="number", action="append", type=int, default=[], metavar="N", help="by number")
    how = parser.add_argument_group("how")
    for option in OPTIONS:
        if option.key not in _OTHERWISE:
            _add(how, option)
    how.add_argument(
        "--model-modification", action="store_true", help="it is meant to be of another size: --scale needs that"
    )
    of_source = parser.add_argument_group("for single kinds of files")
    for key, (kind, meaning) in SOURCE_OPTIONS.items():
        if key != "Labels":
            _add(of_source, Option(key, _field(key), kind, None, "", meaning))


def add_print_check(parser: argparse.ArgumentParser) -> None:
    """The sizes of a print check, in mm."""
    group = parser.add_argument_group("sizes in mm")
    size = _reader(kinds.Number(0.01, 10_000))
    group.add_argument("--wall", type=size, default=0.8, metavar="X", help="thinner walls are told (default 0.8)")
    group.add_argument("--bed", type=_bed, metavar="X,Y,Z", help="the size of the printer's bed, and its height")
    group.add_argument("--hollow", type=size, metavar="X", help="the wall of a hollow print, for its material")


def request_of(options: argparse.Namespace, *, several_parts: bool) -> ConversionRequest:
    """The request that the flags make. A format that holds several parts gets a part for each structure."""
    values = {o.field: getattr(options, o.field) for o in OPTIONS if o.key not in _OTHERWISE}
    given = {key: getattr(options, _field(key), None) for key in SOURCE_OPTIONS}
    structures = (*(_name_or_number(text) for text in options.structure), *options.number)
    values["separate"] = values["separate"] or several_parts
    return ConversionRequest(
        **values,
        structures=structures,
        fields={key: value for key, value in given.items() if value is not None},
        tags={"ModelModification": "YES"} if options.model_modification else {},
    )


def chosen_structures(request: ConversionRequest) -> ConversionRequest:
    """Nothing chosen means all that can be used."""
    return request if request.structures else replace(request, all=True)


def _add(group: argparse._ArgumentGroup, option: Option) -> None:
    words = "".join(f"-{c.lower()}" if c.isupper() else c for c in option.key)
    flag = _FLAGS.get(option.key, "--" + words.lstrip("-"))
    text = option.meaning.replace("`", "").replace("%", "%%")
    text = text.partition(" ([")[0] + (
        f" (default {option.shown})" if option.shown not in ("", "false", "true") else ""
    )
    match option.kind:
        case kinds.Boolean() if option.default:
            negative = "--no-" + flag.removeprefix("--")
            group.add_argument(negative, dest=option.field, action="store_false", help=f"not: {text}")
        case kinds.Boolean():
            default = None if option.default is None else False
            group.add_argument(flag, dest=option.field, action="store_true", default=default, help=text)
        case kinds.Texts() | kinds.NumbersOrTexts() | kinds.Operands() | kinds.Integers():
            group.add_argument(
                flag, dest=option.field, nargs="+", type=_name_or_number, default=option.default, help=text
            )
        case kinds.Objects():
            group.add_argument(
                flag, dest=option.field, nargs="+", type=_object, default=option.default, metavar="X", help=text
            )
        case kinds.Choice(values) if not option.default:
            group.add_argument(flag, dest=option.field, choices=values, default=option.default, help=text)
        case _:
            group.add_argument(
                flag, dest=option.field, type=_reader(option.kind), default=option.default, metavar="X", help=text
            )


def _reader(kind: Kind) -> Callable[[str], Any]:
    match kind:
        case kinds.Integer(low, high):
            return lambda text: _integer(text, int(low), int(high))
        case kinds.Number(low, high):
            return lambda text: _number(text, low, high)
        case kinds.NumberOrText():
            return _name_or_number
        case kinds.Color():
            return _color
        case kinds.Object():
            return _object
        case kinds.NumberOrObject():
            return _number_or_object
        case _:
            return str


def _integer(text: str, low: int, high: int) -> int:
    if not text.isdecimal() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"must be a number from {low} to {high}, not {text}")
    return int(text)


def _number(text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or not low <= value <= high:
        raise argparse.ArgumentTypeError(f"must be a number from {low:g} to {high:g}, not {text}")
    return value


def _color(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if len(parts) != 3 or not all(part.isdecimal() and int(part) <= 255 for part in parts):
        raise argparse.ArgumentTypeError(f"must be three numbers from 0 to 255, as 255,128,0, not {text}")
    return tuple(int(part) for part in parts)


def _bed(text: str) -> list[float]:
    parts = text.split(",")
    if len(parts) != 3:
        raise argparse.ArgumentTypeError(f"must be three numbers, as 220,220,250, not {text[:40]}")
    return [_number(part, 0.01, 10_000) for part in parts]


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"must be a JSON object, not {text[:40]}")
    return value


def _number_or_object(text: str) -> float | dict[str, Any]:
    return _object(text) if text.lstrip().startswith("{") else _number(text, -math.inf, math.inf)


def _name_or_number(text: str) -> int | str:
    """Digits alone are a number."""
    return int(text) if text.isdecimal() and len(text) <= 12 else text


def _field(key: str) -> str:
    return "source_" + key.lower()
