"""Contours in space -> flat outlines in the frame of their common normal, with what is no outline left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orthanc_stl.mesh.contours.contour import XOR, Contour, RoiContours
from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.frame import Frame, area_vector, fitting, frame_of, scatter_of
from orthanc_stl.mesh.contours.polygon import behind
from orthanc_stl.mesh.contours.steps import local_steps
from orthanc_stl.mesh.types import Rank

SAME_POINT = 1e-6
"""A fraction of a contour's extent: points closer than this are one. The last of seven digits."""

THINNEST = 1e-6
"""A fraction of a contour's length: what is thinner is a line."""

ROUGH = 0.1
"""A fraction of the slice spacing: contours that stray farther from their plane are read with a warning. Coordinates
with 4 to 6 significant digits, as files carry them, stray by less in slices of 0.3 mm and more."""

ROUGHEST = 0.8
"""A fraction of the slice spacing: what strays farther (largest minus smallest) may as well belong to the next slice.
Whole mm in an oblique plane stray by 1.7 mm at most."""

BENT = 0.15
"""A fraction of a contour's extent: what strays farther is bent, not rounded."""

BENT_ALONE = 0.05
ROUGH_ALONE = 0.02
"""A fraction of a contour's extent, where there is no slice spacing to compare with: what strays farther is bent (but
for whole mm, which stray by the diagonal of 1 mm at most); what strays farther than the second is read with a
warning."""

SCATTERED = 0.25
"""A fraction of the above: the root mean square of the strays. Rounding stays below; half of a contour on another plane
does not."""

ROUNDED_HEIGHT = 2.0
"""In mm: how far the height of a part may be off if its planes are rounded to whole mm. An end lies half a step beyond
the last plane: 1.5 times the error of that plane (0.5 mm at most) and half that of the one before, 1 mm at each end."""

WHOLE_MM = "has coordinates of whole mm"
"""How the sentence on rounded planes begins."""

UNEVEN = 0.05
"""A fraction of the slice spacing: steps that differ by more are uneven."""


@dataclass(frozen=True)
class Outline:
    """A contour in its plane: `points` is (m, 2), mm along u and v; `position` is mm along the normal."""

    points: np.ndarray
    position: float
    number: int
    xor: bool
    step: float = np.inf
    """How far apart slices are there (mm), infinite if nothing tells it."""


@dataclass(frozen=True)
class RoiOutlines:
    number: int
    name: str
    outlines: tuple[Outline, ...]


@dataclass(frozen=True)
class Stack:
    """ROIs whose planes are parallel."""

    frame: Frame
    rois: tuple[RoiOutlines, ...]


def stacks_of(rois: Sequence[RoiContours], findings: Findings) -> list[Stack]:
    """The ROIs in their planes, one stack for each orientation (nearly always one)."""
    frames: list[Frame] = []
    stacks: list[list[RoiOutlines]] = []
    for roi in rois:
        contours = _clean(roi, findings)
        if not contours:
            findings.roi(Rank.LEFT_OUT, roi.name, "has no contour that encloses an area")
            continue
        place = fitting(frames, scatter_of(contours))
        frame = frame_of(contours) if place is None else frames[place]
        outlines = _flat_outlines(roi, frame, contours, findings)
        if not outlines:
            findings.roi(Rank.LEFT_OUT, roi.name, "has no contour that is flat")
            continue
        if place is None:
            place = len(frames)
            frames.append(frame)
            stacks.append([])
        stacks[place].append(RoiOutlines(roi.number, roi.name, outlines))
    return [Stack(frame, tuple(members)) for frame, members in zip(frames, stacks, strict=True)]


def _clean(roi: RoiContours, findings: Findings) -> list[Contour]:
    """The contours that may enclose something, without repeated and closing points."""
    kept = []
    for contour in roi.contours:
        points = np.asarray(contour.points, dtype=np.float64).reshape(-1, 3)
        fault = None
        if not np.isfinite(points).all():
            fault = "coordinates that are not finite numbers"
        else:
            same = SAME_POINT * float(np.ptp(points, axis=0).max()) if len(points) else 0.0
            points = points[np.abs(points - behind(points)).max(axis=1, initial=0) > same]
            if len(points) < 3:
                fault = "fewer than three distinct points"
        if fault:
            one, several = f"is skipped: it has {fault}", f"are skipped: they have {fault}"
            findings.contour(Rank.LEFT_OUT, roi.name, contour.number, one, several)
        elif _on_a_line(points):
            one = "is skipped: its points lie on a line, so that it encloses nothing"
            several = "are skipped: their points lie on a line, so that they enclose nothing"
            findings.contour(Rank.LEFT_OUT, roi.name, contour.number, one, several)
        else:
            kept.append(Contour(points, contour.number, contour.kind))
    return kept


def _on_a_line(points: np.ndarray) -> bool:
    length = float(np.abs(points - behind(points)).sum())
    if np.linalg.norm(area_vector(points)) > THINNEST * length**2:  # nearly always; a figure of eight may have none
        return False
    return bool(np.linalg.svd(points - points.mean(axis=0), compute_uv=False)[1] <= THINNEST * length)


@dataclass(frozen=True)
class _Placed:
    """Contours in a frame. For each: its points `(m, 3)`, its position along the normal, how far apart slices are there
    (infinite: nothing tells), how far it strays from its plane, and how far it may (mm)."""

    points: list[np.ndarray]
    position: np.ndarray
    step: np.ndarray
    stray: np.ndarray
    allowed: np.ndarray

    @property
    def flat(self) -> np.ndarray:
        deviation = np.array([points[:, 2].std() for points in self.points])
        return (self.stray <= self.allowed) & ((deviation <= SCATTERED * self.allowed) | (self.allowed == 0))


def _placed(frame: Frame, contours: Sequence[Contour]) -> _Placed:
    local = [frame.from_patient(contour.points) for contour in contours]
    position = np.array([points[:, 2].mean() for points in local])
    low = np.array([points.min(axis=0) for points in local])
    high = np.array([points.max(axis=0) for points in local])
    step = local_steps(position, low[:, :2], high[:, :2])
    extent = (high - low).max(axis=1)
    allowed = np.minimum(ROUGHEST * step, np.maximum(BENT * extent, ROUGH * step))
    rounding = [np.sqrt(3) * bool((contour.points == np.rint(contour.points)).all()) for contour in contours]
    allowed = np.where(np.isfinite(step), allowed, np.maximum(BENT_ALONE * extent, rounding))
    return _Placed(local, position, step, (high - low)[:, 2], allowed)


def strays_of(contours: Sequence[Contour]) -> list[float]:
    """For each contour of a ROI: 0 if it is read as one in a plane, else how far it strays from one parallel to the
    others (mm)."""
    if all(np.ptp(contour.points[:, 2]) == 0 for contour in contours):  # in the patient's axes, as nearly always
        return [0.0] * len(contours)
    placed = _placed(frame_of(contours), contours)
    return np.where(placed.flat, 0.0, placed.stray).tolist()


def steps_between(frame: Frame, contours: Sequence[np.ndarray]) -> list[float]:
    """How far apart slices are (mm) at each of the contours `(n, 3)` that lies in a plane of this frame, if anything
    tells it."""
    if not len(contours):
        return []
    placed = _placed(frame, [Contour(points, number) for number, points in enumerate(contours)])
    return placed.step[placed.flat & np.isfinite(placed.step)].tolist()


def _flat_outlines(roi: RoiContours, frame: Frame, contours: list[Contour], findings: Findings) -> tuple[Outline, ...]:
    placed = _placed(frame, contours)
    position, step, stray, flat = placed.position, placed.step, placed.stray, placed.flat
    if _rounded(contours, position):
        text = (
            f"{WHOLE_MM} and uneven steps between its planes: they are taken as they are, and the"
            f" height of each part may be off by up to {ROUNDED_HEIGHT:g} mm"
        )
        findings.roi(Rank.GUESSED, roi.name, text)
    outlines = []
    for i, (contour, points) in enumerate(zip(contours, placed.points, strict=True)):
        if not flat[i]:
            words = "not flat or not parallel to the others (strays by {figure} mm)"
            one, several = f"is skipped: it is {words}", f"are skipped: they are {words}".replace("strays", "stray")
            findings.contour(Rank.LEFT_OUT, roi.name, contour.number, one, several, float(stray[i]))
            continue
        if stray[i] > (ROUGH * step[i] if np.isfinite(step[i]) else ROUGH_ALONE * float(np.ptp(points, axis=0).max())):
            words = "from the plane by up to {figure} mm"
            one, several = f"strays {words}: it is flattened", f"stray {words}: they are flattened"
            findings.contour(Rank.GUESSED, roi.name, contour.number, one, several, float(stray[i]))
        in_plane = np.ascontiguousarray(points[:, :2])
        outlines.append(Outline(in_plane, float(position[i]), contour.number, contour.kind == XOR, float(step[i])))
    return tuple(outlines)


def _rounded(contours: Sequence[Contour], position: np.ndarray) -> bool:
    """Whether planes may be elsewhere by half a millimetre, because all coordinates are rounded to whole ones."""
    steps = np.diff(np.unique(position))
    if not len(steps) or np.ptp(steps) <= UNEVEN * np.median(steps):
        return False
    return all(bool((contour.points == np.rint(contour.points)).all()) for contour in contours)
