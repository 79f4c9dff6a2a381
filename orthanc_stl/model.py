"""Structures that can be chosen, and the models that are made of them: what every package speaks of.

Structure   one thing that a source names: number, name, color, what it is, and whether it can be used
Note        what was changed, guessed or left out on the way, one sentence
Part        one structure as a mesh
Model       parts in one frame of reference: what is stored, written to files and shown
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orthanc_stl.mesh.types import Mesh, Note, Rank, Report

__all__ = ["Code", "Color", "Mesh", "Model", "Note", "Part", "Rank", "Report", "Structure", "palette"]

Color = tuple[int, int, int]
"""Red, green, blue of 0..255, sRGB."""


@dataclass(frozen=True)
class Code:
    """A coded concept (PS3.3 section 8): for example ("10200004", "SCT", "Liver")."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True)
class Structure:
    """What a source says of one structure, before any geometry is read.

    `number` is the source's own (ROI Number, Segment Number, label, index of a level) and unique in it. `kind` is as in
    the RT ROI Observations (ORGAN, PTV, EXTERNAL, ...) or empty; `category` and `anatomy` are its coded property
    category and type, if it has any. `reason` says why it cannot be used, empty if it can. `facts` are further ones
    for a listing, by the name that they have in its JSON ("Contours", "Voxels", "VolumeMl", "Extent", ...).
    """

    number: int
    name: str
    color: Color | None = None
    kind: str = ""
    category: Code | None = None
    anatomy: Code | None = None
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        return not self.reason

    def as_json(self) -> dict[str, Any]:
        return {
            "Number": self.number,
            "Name": self.name,
            "Color": list(self.color) if self.color else None,
            "Type": self.kind,
            "Usable": self.usable,
            "Reason": self.reason,
            **self.facts,
        }


@dataclass(frozen=True)
class Part:
    """One structure, or the union of several, meshed.

    `mesh` is in LPS mm; `report` has its measurements. `opacity` is 0..1. `structures` and `names`: the numbers and
    names of what it was made of; `given_name`: what a person calls it instead. `modified`: it is made to be another
    body than the structure, and `mirrored`: of the other side.
    """

    number: int
    name: str
    mesh: Mesh
    report: Report
    color: Color | None = None
    opacity: float = 1.0
    kind: str = ""
    category: Code | None = None
    anatomy: Code | None = None
    notes: tuple[Note, ...] = ()
    structures: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    modified: bool = False
    mirrored: bool = False
    given_name: str = ""

    @property
    def volume_ml(self) -> float:
        return self.report.volume / 1000

    @property
    def closed(self) -> bool:
        return self.report.closed

    @property
    def warnings(self) -> tuple[str, ...]:
        """The sentences of the notes."""
        return tuple(note.text for note in self.notes)


@dataclass(frozen=True)
class Model:
    """Parts in one frame of reference, in the order of their source. `parameters`: what the conversion was told."""

    parts: tuple[Part, ...]
    title: str = ""
    frame_of_reference_uid: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, key: str | int) -> Part:
        """The part of that name or number. Raises KeyError with the known names."""
        for part in self.parts:
            if key in (part.name, part.number):
                return part
        known = ", ".join(part.name for part in self.parts) or "none"
        raise KeyError(f"the model has no part {key!r}; it has {known}")

    def __iter__(self) -> Iterator[Part]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)


def palette(number: int) -> Color:
    """A color for a structure that has none: distinct for neighbouring numbers, the same each time."""
    return _PALETTE[number % len(_PALETTE)]


_PALETTE: Sequence[Color] = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
    (148, 103, 189), (140, 86, 75), (127, 127, 127), (188, 189, 34), (23, 190, 207),
)  # fmt: skip
