"""One ROI of a structure set, and its contours: located in the file, parsed when asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from orthanc_stl.dicom.contour_data import numbers
from orthanc_stl.dicom.text import one_line
from orthanc_stl.mesh.contours.contour import Contour

# PS3.3 C.8.8.6.1: these enclose an area. Contours of the other types are points and lines.
CLOSED = frozenset(("CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "INTERPOLATED_PLANAR"))

# A kilometre from the origin there is no patient: what is beyond is damage, and would only overflow later.
MAX_COORDINATE_MM = 1e6

Color = tuple[int, int, int]


class ContourItem(NamedTuple):
    """A contour in the file: its place in the ROI from 1, geometric type, declared points, and where its data are."""

    number: int
    kind: str
    declared: int | None
    start: int
    stop: int


class Summary(NamedTuple):
    """What is known of a ROI once its contours were parsed: usable contours, their box, six extreme points of each."""

    usable: int
    box: tuple[tuple[float, ...], tuple[float, ...]] | None
    extremes: np.ndarray
    skipped: tuple[str, ...]


def quoted(name: str) -> str:
    return f'"{one_line(name)}"'


@dataclass(frozen=True)
class Roi:
    """One ROI. `color` is red, green, blue of 0..255; `interpreted_type` as in the RT ROI Observations, else empty;
    `namesakes` are the names of other ROIs that claim the same number."""

    number: int
    name: str
    color: Color | None
    interpreted_type: str
    frame_of_reference_uid: str
    items: tuple[ContourItem, ...]
    namesakes: tuple[str, ...]
    data: memoryview

    @property
    def title(self) -> str:
        return f"ROI {self.number} {quoted(self.name)}"

    @property
    def kinds(self) -> dict[str, int]:
        """How many contours of which geometric type."""
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
            return "it has no contours"
        kinds = self.kinds
        if not CLOSED & kinds.keys():
            listed = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
            return f"it has no closed contours, only {listed}"
        first = self.summary.skipped[len(self.namesakes)].removeprefix(f"{self.title}, ")
        others = f", and {len(self.items) - 1} more" if len(self.items) > 1 else ""
        return f"{first}{others}"

    @property
    def box(self) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
        """(min x, y, z), (max x, y, z) in mm of the usable contours; None if there are none."""
        return self.summary.box

    @cached_property
    def summary(self) -> Summary:
        contours, skipped = self.read()
        if not contours:
            return Summary(0, None, np.empty((0, 3)), tuple(skipped))
        extremes = np.concatenate([_extreme_points(contour.points) for contour in contours])
        box = tuple(extremes.min(axis=0).tolist()), tuple(extremes.max(axis=0).tolist())
        return Summary(len(contours), box, extremes, tuple(skipped))

    def read(self) -> tuple[list[Contour], list[str]]:
        """The usable contours, and a sentence for each that is not."""
        skipped: dict[int, str] = {}
        closed = []
        for item in self.items:
            if item.kind in CLOSED:
                closed.append(item)
            else:
                skipped[item.number] = f"is of type {item.kind or 'none'}, which encloses no area"
        texts = [bytes(self.data[item.start : item.stop]).strip(b"\0 ") for item in closed]
        contours = []
        for item, text, values in zip(closed, texts, numbers(texts), strict=True):
            points, fault = _points(item, values) if text else (None, "has no points")
            if points is None:
                skipped[item.number] = fault
            else:
                contours.append(Contour(points, item.number, item.kind))
        doubts = [
            f"{self.title} has its number in common with {quoted(name)}: all its contours were taken"
            for name in self.namesakes
        ]
        return contours, doubts + [f"{self.title}, contour {n} {skipped[n]}: skipped" for n in sorted(skipped)]

    def as_json(self) -> dict:
        return {
            "Number": self.number,
            "Name": self.name,
            "Color": list(self.color) if self.color else None,
            "Type": self.interpreted_type,
            "Contours": self.kinds,
            "Extent": [list(corner) for corner in self.box] if self.box else None,
            "Usable": self.usable,
            "Reason": self.reason,
            "Skipped": list(self.summary.skipped),
        }


def _points(item: ContourItem, values: np.ndarray | None) -> tuple[np.ndarray | None, str]:
    """(n, 3) float64 in mm, or None and what is wrong."""
    if values is None:
        return None, "holds data that are not numbers"
    if len(values) % 3:
        return None, f"has {len(values)} coordinates, which is no multiple of three"
    points = values.reshape(-1, 3)
    if item.declared is not None and item.declared != len(points):
        return None, f"says that it has {item.declared} points, but has {len(points)}"
    if np.abs(points).max() > MAX_COORDINATE_MM:
        return None, "has a coordinate more than a kilometre from the origin"
    if not _has_three_distinct(points):
        return None, f"has {len(points)} points, of which fewer than three are distinct"
    return points, ""


def _has_three_distinct(points: np.ndarray) -> bool:
    if len({tuple(point) for point in points[:3].tolist()}) == 3:
        return True
    others = points[(points != points[0]).any(axis=1)]
    return len(others) > 1 and bool((others != others[0]).any())


def _extreme_points(points: np.ndarray) -> np.ndarray:
    """The six points of (n, 3) that are first or last along x, y and z."""
    return points[np.concatenate([points.argmin(axis=0), points.argmax(axis=0)])]
