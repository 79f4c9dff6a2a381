"""What was changed, guessed or left out, in sentences. The standard library only: Orthanc's process imports it too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Rank(IntEnum):
    """How much a note matters, worst first."""

    CHANGED_SHAPE = 1
    GUESSED = 2
    LEFT_OUT = 3


@dataclass(frozen=True)
class Note:
    """One sentence on what was changed, guessed or left out. `structure` is the name, empty if it is of all."""

    rank: Rank
    structure: str
    text: str

    def as_json(self) -> dict[str, Any]:
        return {"Rank": int(self.rank), "Roi": self.structure, "Text": self.text}


@dataclass(frozen=True)
class MinorNote(Note):
    """What is too little to matter for a measure or a plan. It is told, but `Strict` does not refuse it."""


def ranked(notes: Iterable[Note]) -> tuple[Note, ...]:
    """The notes, worst first, in their order otherwise, each once."""
    return tuple(sorted(dict.fromkeys(notes), key=lambda note: note.rank))
