"""One ROI of a structure set, and its contours: located in the file, parsed when asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from orthanc_stl.dicom.contour_data import numbers
from orthanc_stl.dicom.contour_faults import Fault, told
from orthanc_stl.dicom.contour_spelling import respelled
from orthanc_stl.dicom.text import one_line
from orthanc_stl.mesh.contours.contour import Contour
from orthanc_stl.mesh.contours.planes import strays_of
from orthanc_stl.model import Color, Note, Rank

CLOSED_PLANAR = "CLOSED_PLANAR"

# PS3.3 C.8.8.6.1: these enclose an area. Contours of the other types are points and lines.
CLOSED = frozenset((CLOSED_PLANAR, "CLOSEDPLANAR_XOR", "INTERPOLATED_PLANAR"))
_DEFINED = {kind.replace("_", ""): kind for kind in (*CLOSED, "POINT", "OPEN_PLANAR", "OPEN_NONPLANAR")}

# A kilometre from the origin there is no patient: what is beyond is damage, and would only overflow later.
MAX_COORDINATE_MM = 1e6


class ContourItem(NamedTuple):
    """A contour in the file: its place in the ROI from 1, geometric type, declared points, and where its data are."""

    number: int
    kind: str
    declared: int | None
    start: int
    stop: int


class Summary(NamedTuple):
    """What is known of a ROI once its contours were parsed: usable contours, their box, six extreme points of each
    `(usable, 6, 3)`."""

    usable: int
    box: tuple[tuple[float, ...], tuple[float, ...]] | None
    extremes: np.ndarray
    notes: tuple[Note, ...]
    faults: tuple[Fault, ...]


def quoted(name: str) -> str:
    return f'"{one_line(name)}"'


def title_of(number: int, name: str) -> str:
    return f"ROI {number} {quoted(name)}"


def defined_kind(kind: str) -> str:
    """The Contour Geometric Type (PS3.3 C.8.8.6.1) that `kind` is a spelling of, by its letters: "closed planar" is
    CLOSED_PLANAR, and so is "CLOSED" with anything behind it but XOR, or NON: that names no plane.

    What is none stays as it is.

    >>> defined_kind("Closed-Planar;"), defined_kind("CLOSED_NONPLANAR")
    ('CLOSED_PLANAR', 'CLOSED_NONPLANAR')
    """
    letters = "".join(letter for letter in kind.upper() if letter.isalpha())
    if letters.startswith("CLOSED") and not letters.startswith("CLOSEDNON"):
        return "CLOSEDPLANAR_XOR" if letters.endswith("XOR") else CLOSED_PLANAR
    return _DEFINED.get(letters, kind)


@dataclass(frozen=True)
class Roi:
    """One ROI. `color` is red, green, blue of 0..255; `interpreted_type` as in the RT ROI Observations, else empty;
    `guesses` are on how its contours were found; `why_none`: why it has none, empty if the file says so itself."""

    number: int
    name: str
    color: Color | None
    interpreted_type: str
    frame_of_reference_uid: str
    items: tuple[ContourItem, ...]
    data: memoryview
    guesses: tuple[Note, ...] = ()
    why_none: str = ""

    @property
    def title(self) -> str:
        return title_of(self.number, self.name)

    @property
    def kinds(self) -> dict[str, int]:
        """How many contours of which geometric type, as the file spells it."""
        return dict(Counter(item.kind or "none" for item in self.items))

    @property
    def usable(self) -> bool:
        return self.summary.usable > 0

    @property
    def reason(self) -> str:
        """Why the ROI is not usable; empty if it is."""
        if self.usable:
            return ""
        if not self.items:
            return self.why_none or "it has no contours"
        if not any(defined_kind(item.kind) in CLOSED or not item.kind for item in self.items):
            listed = ", ".join(f"{count} {kind}" for kind, count in self.kinds.items())
            return f"it has no closed contours, only {listed}"
        return "; ".join(told(fault) for fault in self.summary.faults if fault.left_out)

    @property
    def box(self) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
        """(min x, y, z), (max x, y, z) in mm of the usable contours; None if there are none."""
        return self.summary.box

    @cached_property
    def summary(self) -> Summary:
        contours, faults = self._read()
        notes = self._notes(faults)
        if not contours:
            return Summary(0, None, np.empty((0, 6, 3)), notes, faults)
        extremes = np.array([_extreme_points(contour.points) for contour in contours])
        box = tuple(extremes.min(axis=(0, 1)).tolist()), tuple(extremes.max(axis=(0, 1)).tolist())
        return Summary(len(contours), box, extremes, notes, faults)

    def read(self) -> tuple[list[Contour], tuple[Note, ...]]:
        """The usable contours, and one note for each kind of thing that was guessed or left out."""
        contours, faults = self._read()
        return contours, self._notes(faults)

    def _notes(self, faults: tuple[Fault, ...]) -> tuple[Note, ...]:
        return (*self.guesses, *(Note(fault.rank, self.name, f"{self.title}: {told(fault)}") for fault in faults))

    def _read(self) -> tuple[list[Contour], tuple[Fault, ...]]:
        faults = _Faults()
        closed = [item for item in self.items if _is_closed(item, faults)]
        texts = [bytes(self.data[item.start : item.stop]).strip(b"\0 ") for item in closed]
        contours: list[tuple[ContourItem, Contour]] = []
        for item, text, values in zip(closed, texts, numbers(texts), strict=True):
            points = _points(item, text, values, faults)
            if points is not None:
                contours.append((item, Contour(points, item.number, defined_kind(item.kind) or CLOSED_PLANAR)))
        return _flat(contours, faults), faults.all()

    def as_json(self) -> dict[str, Any]:
        return {
            "Number": self.number,
            "Name": self.name,
            "Color": list(self.color) if self.color else None,
            "Type": self.interpreted_type,
            "Contours": self.kinds,
            "Extent": [list(corner) for corner in self.box] if self.box else None,
            "Usable": self.usable,
            "Reason": self.reason,
            "Skipped": [note.text for note in self.summary.notes if note.rank != Rank.GUESSED],
            "SkippedContours": sum(len(fault.numbers) for fault in self.summary.faults if fault.left_out),
            "Guessed": [note.text for note in self.summary.notes if note.rank == Rank.GUESSED],
            "Notes": [note.as_json() for note in self.summary.notes],
        }


class _Faults:
    """What is wrong with the contours of a ROI: the numbers of those that have the same fault, by fault."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Rank, str, str, str], list[int]] = {}

    def left_out(self, item: ContourItem, one: str, several: str, rank: Rank = Rank.CHANGED_SHAPE) -> None:
        self._numbers.setdefault((rank, one, several, "left out"), []).append(item.number)

    def guessed(self, item: ContourItem, one: str, several: str, how: str) -> None:
        self._numbers.setdefault((Rank.GUESSED, one, several, how), []).append(item.number)

    def all(self) -> tuple[Fault, ...]:
        faults = [Fault(*fault, tuple(sorted(numbers))) for fault, numbers in self._numbers.items()]
        return tuple(sorted(faults, key=lambda fault: fault.numbers[0]))


def _is_closed(item: ContourItem, faults: _Faults) -> bool:
    kind = defined_kind(item.kind)
    if kind in CLOSED:
        if kind != item.kind:
            written = quoted(item.kind[:40])
            faults.guessed(item, f"is of type {written}", f"are of type {written}", f"taken for {kind}")
        return True
    if not kind:
        faults.guessed(item, "says no type", "say no type", f"taken for {CLOSED_PLANAR}")
        return True
    listed = one_line(kind[:40])
    why = "which encloses no area" if kind in _DEFINED.values() else "which DICOM does not define"
    faults.left_out(item, f"is of type {listed}, {why}", f"are of type {listed}, {why}", Rank.LEFT_OUT)
    return False


def _points(item: ContourItem, text: bytes, values: np.ndarray | None, faults: _Faults) -> np.ndarray | None:
    """(n, 3) float64 in mm; None for what cannot be used."""
    if not text:
        faults.left_out(item, "has no points", "have no points", Rank.LEFT_OUT)
        return None
    if values is None:
        found = respelled(text, item.declared)
        if found is None:
            faults.left_out(item, "holds data that are not numbers", "hold data that are not numbers")
            return None
        values = found.values
        faults.guessed(item, f"has {found.what}", f"have {found.what}", found.how)
    if len(values) % 3:
        what = "a number of coordinates that is no multiple of three"
        faults.left_out(item, f"has {what}", f"have {what}")
        return None
    points = values.reshape(-1, 3)
    if np.abs(points).max() > MAX_COORDINATE_MM:
        what = "a coordinate more than a kilometre from the origin"
        faults.left_out(item, f"has {what}", f"have {what}")
        return None
    if not _has_three_distinct(points):
        what = "fewer than three distinct points"
        faults.left_out(item, f"has {what}", f"have {what}", Rank.LEFT_OUT)
        return None
    if item.declared is not None and item.declared != len(points):
        what = "another Number of Contour Points than there are"
        faults.guessed(item, f"says {what}", f"say {what}", "all points were taken")
    return points


def _flat(found: list[tuple[ContourItem, Contour]], faults: _Faults) -> list[Contour]:
    """Those that lie in planes, as the geometry reads them: the tolerance follows the distance between slices. What
    strays farther, as a valve's annulus does, has no inside."""
    strays = strays_of([contour for _, contour in found])
    farthest = f"{max(strays, default=0.0):.3g} mm"
    for (item, _), stray in zip(found, strays, strict=True):
        if stray:
            faults.left_out(
                item,
                f"is not flat or not parallel to the others, it strays by {farthest} from its plane",
                f"are not flat or not parallel to the others, they stray by up to {farthest} from their planes",
            )
    return [contour for (_, contour), stray in zip(found, strays, strict=True) if not stray]


def _has_three_distinct(points: np.ndarray) -> bool:
    if len({tuple(point) for point in points[:3].tolist()}) == 3:
        return True
    others = points[(points != points[0]).any(axis=1)]
    return len(others) > 1 and bool((others != others[0]).any())


def _extreme_points(points: np.ndarray) -> np.ndarray:
    """The six points of (n, 3) that are first or last along x, y and z."""
    return points[np.concatenate([points.argmin(axis=0), points.argmax(axis=0)])]
