"""Which contours belong to which ROI: by number, else in the one way that makes sense.

PS3.3 C.8.8.5, C.8.8.6, C.8.8.8. An item of the ROI Contour Sequence belongs to the ROI whose number it names, wherever
it stands. Files break this in ways that have one sensible reading nevertheless, which is taken and told of:

- Several ROIs have one number (rt-utils numbered so), and as many contour items name it: they are paired in order.
- Numbers are no whole numbers ("ROI-2"), but what contour items name is there once: they are paired by it.
- Contour items name ROIs by numbers that are all as much too high or too low: they are paired in order.
- Contour items name no ROI, or one that is not listed, and as many ROIs have no contours: they are paired in order.
- What then is left, or a structure set without a list of ROIs: a contour item is a ROI of its own, named by its number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from orthanc_stl.dicom.roi import ContourItem, quoted
from orthanc_stl.model import Color

_MOST_NAMED = 3
_LONGEST_NUMBER = 40
_BY_PLACE = "they were assigned in the order of the file"


@dataclass
class Listed:
    """An item of the Structure Set ROI Sequence; then the contour items that are its own, and how they were found.

    `unread`: its number, if that is no whole number.
    """

    number: int | None
    name: str
    frame: str
    unread: str = ""
    kind: str = ""
    drawn: list[Drawn] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)
    why_none: str = ""


@dataclass(frozen=True)
class Drawn:
    """An item of the ROI Contour Sequence: the ROI that it names (`unread`: by no whole number), its color, its
    contours."""

    number: int | None
    unread: str
    color: Color | None
    contours: tuple[ContourItem, ...]


def assigned(listed: Sequence[Listed], drawn: Sequence[Drawn], types: dict[int, list[str]], frame: str) -> list[Listed]:
    """All ROIs, each with a number of its own, its type and its contour items."""
    by_number: dict[int, list[Drawn]] = {}
    for item in drawn:
        if item.number is not None:
            by_number.setdefault(item.number, []).append(item)
    namesakes: dict[int, list[Listed]] = {}
    for roi in listed:
        if roi.number is not None:
            namesakes.setdefault(roi.number, []).append(roi)
    free = count(max([0, *by_number, *namesakes]) + 1)
    shifted = _shift(listed, drawn)
    types_shifted = shifted if not types.keys() <= namesakes.keys() and types.keys() <= by_number.keys() else 0
    for number, rois in namesakes.items():
        _give(rois, by_number.get(number + shifted, []), types.get(number + types_shifted, []), free)
    for roi in listed if shifted else ():
        how = f"in this file all contours are numbered {abs(shifted)} too {'high' if shifted > 0 else 'low'}"
        roi.guesses.append(f"its contours name ROI {roi.drawn[0].number}, and {how}: {_BY_PLACE}")
    left = [] if shifted else _left_by_text(listed, [item for item in drawn if item.number not in namesakes])
    bare = [roi for roi in listed if not (roi.drawn or roi.why_none)]
    if left and len(left) == len(bare) and (len(drawn) == len(listed) or all(i.number is None for i in left)):
        for roi, item in zip(bare, left, strict=True):
            roi.drawn = [item]
            roi.guesses.append(f"its contours name {_named(item, listed)}: {_BY_PLACE}")
        left, bare = [], []
    _tell_of_a_shift(listed, drawn, left)
    for roi in listed:
        if len(roi.drawn) > 1 and bare:
            roi.guesses.append(
                f"{len(roi.drawn)} sets of contours name this ROI and none names {quoted(bare[0].name)}: "
                "all of them were assigned to this one"
            )
        if roi.number is None:
            roi.number = next(free)
            what = f"has {quoted(roi.unread[:_LONGEST_NUMBER])} for its number" if roi.unread else "gives it no number"
            roi.guesses.append(f"the file {what}")
    return [*listed, *_unlisted(left, frame, types, free)]


def _shift(listed: Sequence[Listed], drawn: Sequence[Drawn]) -> int:
    """By how much the numbers that contour items name are all too high, where they are as many, and in the order, of
    the ROIs; else 0. Programs count from 0 or from 1."""
    if len(drawn) != len(listed) or not drawn:
        return 0
    if not {item.number for item in drawn} & {roi.number for roi in listed}:
        return 0
    steps = {
        None if item.number is None or roi.number is None else item.number - roi.number
        for roi, item in zip(listed, drawn, strict=True)
    }
    return (steps.pop() or 0) if len(steps) == 1 else 0


def _tell_of_a_shift(listed: Sequence[Listed], drawn: Sequence[Drawn], left: Sequence[Drawn]) -> None:
    """On ROIs with contours by their number, where some contours name a ROI that is not listed, and all would name
    listed ones if they were numbered one higher or lower: fewer contour items than ROIs say no order."""
    missing = [item.number for item in left if item.number is not None]
    named, known = {item.number for item in drawn if item.number is not None}, {roi.number for roi in listed}
    off = next((off for off in (-1, 1) if {number - off for number in named} <= known), 0)
    for roi in listed if missing and off else ():
        if roi.drawn and roi.drawn[0].number == roi.number:
            roi.guesses.append(
                f"its contours are those that name ROI {roi.number}, but others name ROI {missing[0]}, which is not "
                f"listed: all contours may be numbered 1 too {'high' if off > 0 else 'low'}, and belong to other ROIs"
            )


def _left_by_text(listed: Sequence[Listed], drawn: Sequence[Drawn]) -> list[Drawn]:
    """Contour items go to the ROI whose number is the same text, where there is one such; the items that are left."""
    texts = Counter(roi.unread for roi in listed)
    by_text = {roi.unread: roi for roi in listed if roi.unread and texts[roi.unread] == 1}
    left = []
    for item in drawn:
        roi = by_text.get(item.unread)
        if roi:
            roi.drawn.append(item)
        else:
            left.append(item)
    return left


def _named(item: Drawn, listed: Sequence[Listed]) -> str:
    """Which ROI a contour item names that it was not given to."""
    if item.unread and any(roi.unread == item.unread for roi in listed):
        return f"the ROI {quoted(item.unread[:_LONGEST_NUMBER])}, which is the number of several"
    if item.number is not None:
        return f"ROI {item.number}, which is not listed"
    return f"the ROI {quoted(item.unread[:_LONGEST_NUMBER])}, which is not listed" if item.unread else "no ROI"


def _give(rois: Sequence[Listed], items: Sequence[Drawn], types: Sequence[str], free: Iterator[int]) -> None:
    """To ROIs of one number its contour items and types; all but the first ROI get a number that is free."""
    rois[0].kind = next((kind for kind in types if kind), "")
    if len(rois) == 1:
        rois[0].drawn = list(items)
        return
    first, number = rois[0], rois[0].number
    for roi in rois[1:]:
        roi.number = next(free)
    if len(types) == len(rois):
        for roi, kind in zip(rois, types, strict=True):
            roi.kind = kind
    if len(items) == len(rois):
        for roi, item in zip(rois, items, strict=True):
            others = _others(rois, roi)
            roi.drawn = [item]
            roi.guesses.append(f"its number {number} is also that of {others}: their contours were taken in order")
        return
    first.drawn = list(items)
    if items:
        first.guesses.append(f"it has its number in common with {_others(rois, first)}: all its contours were taken")
    for roi in rois[1:]:
        roi.why_none = (
            f"its number {number} is also that of {quoted(first.name)}, and the contours cannot be told apart"
        )


def _others(rois: Sequence[Listed], one: Listed) -> str:
    """The names of the other ROIs, a few of them."""
    names = [quoted(roi.name) for roi in rois[: _MOST_NAMED + 1] if roi is not one][:_MOST_NAMED]
    more = len(rois) - 1 - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _unlisted(items: Sequence[Drawn], frame: str, types: dict[int, list[str]], free: Iterator[int]) -> list[Listed]:
    """ROIs of contour items that no ROI of the list has."""
    found: dict[int, Listed] = {}
    for item in items:
        if item.contours:
            number = next(free) if item.number is None else item.number
            kind = next((kind for kind in types.get(number, []) if kind), "")
            roi = found.setdefault(number, Listed(number, f"ROI {number}", frame, kind=kind))
            roi.guesses = ["the structure set does not list it: it was named by its number"]
            roi.drawn.append(item)
    return list(found.values())
