"""Which structures of a source a request means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from orthanc_stl.conversion.options import SOURCE_OPTIONS
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import InvalidInput, reading
from orthanc_stl.model import Note, Rank, Structure
from orthanc_stl.sources.base import OpenSource
from orthanc_stl.sources.kinds import kind_by_title

MOST_NAMED = 60
"""How many structures an error lists."""


@dataclass(frozen=True)
class Skipped:
    """A structure that was asked for and is not in the answer, and why."""

    number: int
    name: str
    reason: str

    def as_json(self) -> dict[str, int | str]:
        return {"Number": self.number, "Name": self.name, "Reason": self.reason}


@dataclass(frozen=True)
class Choice:
    """The structures to make, in the order of the request; those that `All` leaves out; and what was guessed."""

    structures: tuple[Structure, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[Note, ...] = ()


def choice_for(source: OpenSource, request: ConversionRequest) -> Choice:
    """What `choose` finds among the structures of a source, and a note on each field of another kind of source."""
    with reading("this file"):  # a reader may look for its structures only now
        structures = source.structures
    choice = choose(structures, request)
    return replace(choice, notes=(*choice.notes, *_fields_of_others(source, request)))


def _fields_of_others(source: OpenSource, request: ConversionRequest) -> list[Note]:
    """Of fields for another kind of source; what is false or empty asks for nothing."""
    kind = kind_by_title(source.title)
    if kind is None:
        return []
    asked = (key for key, value in request.fields.items() if value is not None and value is not False and value != {})
    lost = [key for key in asked if key in SOURCE_OPTIONS and key not in kind.fields]
    return [Note(Rank.LEFT_OUT, "", f"{key} was ignored: it means nothing for {kind.name}") for key in lost]


def choose(structures: Sequence[Structure], request: ConversionRequest) -> Choice:
    """The structures that `request` names, by number or by name, or all that can be used.

    Raises InvalidInput for an unknown number or name, with the known ones; if nothing is chosen; and with `Strict` or
    without `Separate` for a chosen one that cannot be used.
    """
    if request.all and request.structures:
        raise InvalidInput("All and Structures exclude each other: give one of the two")
    notes = _colors_of_none(structures, request)
    if request.all:
        return replace(_all(structures, request.exclude), notes=tuple(notes))
    if not request.structures:
        raise InvalidInput("no structure was chosen: Structures names at least one, or All is true")
    chosen: dict[int, Structure] = {}
    for key in request.structures:
        found = [one for one in structures if key in (one.number, one.name)]
        if not found:
            raise InvalidInput(f"there is no structure {_quoted(key)}; {known(structures)}")
        if len(found) > 1:
            numbers = ", ".join(str(one.number) for one in found)
            text = f"{len(found)} structures are named {_quoted(key)} (numbers {numbers}): all were taken"
            notes.append(Note(Rank.GUESSED, str(key), text))
        chosen |= {one.number: one for one in found}
    unusable = [one for one in chosen.values() if not one.usable]
    if unusable and (not request.separate or request.strict or len(unusable) == len(chosen)):
        raise InvalidInput("; ".join(f"{title(one)} cannot be used: {one.reason}" for one in unusable))
    return Choice(_usable(chosen.values()), tuple(_skipped(one) for one in unusable), tuple(notes))


def _colors_of_none(structures: Sequence[Structure], request: ConversionRequest) -> list[Note]:
    """A rule names colours of structures that not every source has, so this refuses nothing."""
    known = {key for one in structures for key in (str(one.number), one.name)}
    lost = [key for key in request.colors if key not in known]
    return [Note(Rank.LEFT_OUT, key, f"Colors has {_quoted(key)}, but there is no such structure") for key in lost]


def _all(structures: Sequence[Structure], exclude: Sequence[str]) -> Choice:
    patterns = [pattern.casefold() for pattern in exclude]
    wanted = [one for one in structures if not any(fnmatchcase(one.name.casefold(), p) for p in patterns)]
    chosen = _usable(wanted)
    if not chosen:
        reasons = "; ".join(f"{title(one)}: {one.reason}" for one in wanted[:MOST_NAMED])
        raise InvalidInput(f"no structure can be used: {reasons or 'there is none'}")
    return Choice(chosen, tuple(_skipped(one) for one in wanted if not one.usable))


def title(structure: Structure) -> str:
    """For messages: `structure 3 "Heart"`."""
    return f"structure {structure.number} {_quoted(structure.name)}"


def known(structures: Sequence[Structure]) -> str:
    """The known structures in words."""
    listed = ", ".join(f"{one.number} {_quoted(one.name)}" for one in structures[:MOST_NAMED])
    more = f" and {len(structures) - MOST_NAMED} more" if len(structures) > MOST_NAMED else ""
    return f"it has {listed}{more}" if listed else "it has none"


def _usable(structures: Iterable[Structure]) -> tuple[Structure, ...]:
    return tuple(one for one in structures if one.usable)


def _skipped(structure: Structure) -> Skipped:
    return Skipped(structure.number, structure.name, structure.reason)


def _quoted(key: float | str) -> str:
    return '"' + " ".join(key.split()) + '"' if isinstance(key, str) else str(key)
