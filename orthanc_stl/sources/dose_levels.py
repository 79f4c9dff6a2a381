"""Levels of isodoses: what was asked for, in Gy or per cent of what, and the colors of a usual scale."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from orthanc_stl.dicom import sop_classes
from orthanc_stl.errors import InvalidField, InvalidInput
from orthanc_stl.model import Color, Note, Rank
from orthanc_stl.sources.dicom_object import DicomObject, read_object

RT_PLANS = (sop_classes.RT_PLAN, sop_classes.RT_ION_PLAN)
_SOP_INSTANCE_UID = 0x00080018
_REFERENCED_PLANS, _REFERENCED_INSTANCE = 0x300C0002, 0x00081155
_DOSE_REFERENCES, _PRESCRIPTION = 0x300A0010, 0x300A0026

USUAL = (107.0, 105.0, 100.0, 95.0, 90.0, 80.0, 70.0, 50.0, 30.0, 10.0)
"""Per cent of the reference, for a listing that asks for none."""

MOST_LEVELS = 100

_SCALE: tuple[tuple[float, Color], ...] = (
    (0, (128, 0, 255)), (10, (96, 0, 255)), (30, (0, 0, 255)), (50, (0, 128, 255)), (70, (0, 224, 224)),
    (80, (0, 200, 0)), (90, (160, 230, 0)), (95, (255, 255, 0)), (100, (255, 144, 0)), (105, (255, 0, 0)),
    (110, (255, 0, 160)),
)  # fmt: skip
"""Cold to hot, as planning systems paint isodoses: blue for low doses, yellow at 95 %, red above the prescription."""

_LEVEL = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(%|gy|)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Yardstick:
    """What 100 % is, in the unit of the dose, and in words; `maximum` is the highest dose there is."""

    hundred: float
    words: str
    maximum: float
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Level:
    """`value` in the unit of the dose, `percent` of the yardstick."""

    value: float
    percent: float
    name: str
    color: Color


def yardstick_of(
    dose: DicomObject, plan: bytes | memoryview | None, maximum: float, unit: str, reference: Any
) -> Yardstick:
    """`reference` is "prescription", "maximum", a number of Gy, or None: the prescription if there is one in `plan`.

    Raises InvalidInput for a prescription that is asked for and not known, InvalidField for another reference.
    """
    reference = _alone(reference)
    if reference == "maximum" or (reference is None and (plan is None or not unit)):
        return Yardstick(maximum, "the maximum", maximum)
    if not unit:
        raise InvalidInput('a RELATIVE dose has per cent of its maximum only: "Reference" must be "maximum"')
    if reference is None or reference == "prescription":
        if plan is None:
            raise InvalidInput('"Reference" is "prescription", but no RT Plan was given with the dose')
        prescribed, notes = _prescription(dose, plan)
        if prescribed is None:
            if reference == "prescription":
                raise InvalidInput("the RT Plan has no Target Prescription Dose")
            text = "the RT Plan has no Target Prescription Dose: per cent are of the maximum"
            return Yardstick(maximum, "the maximum", maximum, (Note(Rank.GUESSED, "", text),))
        return Yardstick(prescribed, "the prescription", maximum, notes)
    if isinstance(reference, (int, float)) and not isinstance(reference, bool) and 0 < reference < math.inf:
        return Yardstick(float(reference), f"{reference:g} Gy", maximum)
    raise InvalidField(f'"Reference" must be "prescription", "maximum" or a number of Gy, not {str(reference)[:60]!r}')


def _alone(reference: Any) -> Any:
    """A list of one stands for that one, and a text that is a number for the number: forms and flags send such."""
    if isinstance(reference, (list, tuple)) and len(reference) == 1:
        reference = reference[0]
    match = _LEVEL.fullmatch(reference) if isinstance(reference, str) else None
    return float(match[1]) if match and match[2] != "%" else reference


def _prescription(dose: DicomObject, data: bytes | memoryview) -> tuple[float | None, tuple[Note, ...]]:
    plan = read_object(data, RT_PLANS, "an RT Plan")
    found = [item.decimal(_PRESCRIPTION) for item in plan.items(_DOSE_REFERENCES)]
    doses = sorted({value for value in found if value is not None and value > 0})
    notes = []
    referenced = [item.uid(_REFERENCED_INSTANCE) for item in dose.items(_REFERENCED_PLANS)]
    if referenced and plan.uid(_SOP_INSTANCE_UID) not in referenced:
        notes.append(Note(Rank.GUESSED, "", "the dose refers to another RT Plan than the one that was given with it"))
    if len(doses) > 1:
        shown = ", ".join(f"{value:g}" for value in doses)
        text = f"the RT Plan prescribes {shown} Gy: per cent are of the highest"
        notes.append(Note(Rank.GUESSED, "", text))
    return (doses[-1] if doses else None), tuple(notes)


def levels_of(given: Any, yardstick: Yardstick, unit: str) -> tuple[Level, ...]:
    """The levels of the field `Levels`: numbers are Gy, texts are `"50%"` or `"20 Gy"`; without it the usual ones.

    Raises InvalidField for what is no level.
    """
    if given is None:
        usual = [_level(percent / 100 * yardstick.hundred, yardstick, unit, as_percent=True) for percent in USUAL]
        reached = [level for level in usual if level.value < yardstick.maximum]
        return tuple(reached or usual)  # where the dose reaches none of them, each says so
    if not isinstance(given, (list, tuple)) or not 1 <= len(given) <= MOST_LEVELS:
        raise InvalidField(f'"Levels" must be a list of 1 to {MOST_LEVELS} levels such as [20, "95%"]')
    return tuple(_asked(one, yardstick, unit) for one in given)


def _asked(one: Any, yardstick: Yardstick, unit: str) -> Level:
    match = _LEVEL.fullmatch(one) if isinstance(one, str) else None
    number = match[1] if match else one
    value = float(number) if match or (isinstance(number, (int, float)) and not isinstance(number, bool)) else 0.0
    if not 0 < value < math.inf:
        raise InvalidField(f'"Levels" has {str(one)[:60]!r}; a number of Gy or a text such as "95%" is expected')
    percent = match is not None and match[2] == "%"
    if not percent and not unit:
        raise InvalidField(f'"Levels" has {one!r}, but this dose is RELATIVE: levels are per cent of its maximum')
    return _level(value / 100 * yardstick.hundred if percent else value, yardstick, unit, as_percent=percent)


def _level(value: float, yardstick: Yardstick, unit: str, *, as_percent: bool) -> Level:
    percent = value / yardstick.hundred * 100
    amount = f"{value:.6g} {unit}".strip()
    name = amount
    if as_percent:
        name = f"{percent:.6g} % of {yardstick.words}" + (f" ({amount})" if unit else "")
    return Level(value, percent, name, color_of(percent))


def color_of(percent: float) -> Color:
    """On the scale of isodoses, between its colors where the level is between theirs."""
    places = [place for place, _ in _SCALE]
    red, green, blue = (round(float(np.interp(percent, places, [color[n] for _, color in _SCALE]))) for n in range(3))
    return red, green, blue
