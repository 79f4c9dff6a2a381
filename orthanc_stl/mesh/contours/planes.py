"""Contours in space -> outlines on parallel planes, whatever their orientation and the direction they are drawn in.

The normal is a best fit over all points of a ROI, so that a contour that starts with collinear points, one drawn
clockwise and one drawn counter-clockwise all count the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orthanc_stl.mesh.contours.contour import Contour, RoiContours

FLATNESS_TOLERANCE = 0.2
"""mm: how far a contour's points may stray along the normal (largest minus smallest).

A DICOM decimal string has at most 16 characters; files carry 4 to 6 significant digits, so a coordinate of some
hundred mm is known to 0.01..0.1 mm, and in an oblique plane three coordinates add up. Every file of our test data is
flat to 1e-3 mm; the finest clinical slices are 0.3 mm apart."""

PLANE_TOLERANCE = 0.05
"""mm: contours closer than this along the normal lie on one plane. Half the finest slice spacing we know of (0.1 mm,
small-animal CT), and five times the rounding of coordinates with two decimals."""

SAME_POINT = 1e-4
"""mm: points closer than this are one (the last decimal of coordinates below 1 m that fit in 7 digits)."""


@dataclass(frozen=True)
class Frame:
    """A right-handed frame whose third axis is the common normal of the planes; its origin is the patient's.

    `axes` is (3, 3): the unit vectors u, v and normal as rows, in LPS.
    """

    axes: np.ndarray

    def from_patient(self, points: np.ndarray) -> np.ndarray:
        return np.einsum("nj,ij->ni", points, self.axes)

    def to_patient(self, points: np.ndarray) -> np.ndarray:
        """By einsum, not by a product of matrices: BLAS gives other last bits with another number of threads."""
        return np.einsum("ni,ij->nj", points, self.axes)


@dataclass(frozen=True)
class Plane:
    """The outlines of one ROI on a plane: each (m, 2) float64, mm along u and v; `position` is mm along the normal."""

    position: float
    outlines: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class RoiPlanes:
    """The planes of one ROI, ascending along the normal."""

    name: str
    planes: tuple[Plane, ...]


@dataclass(frozen=True)
class Stack:
    """ROIs whose planes are parallel."""

    frame: Frame
    rois: tuple[RoiPlanes, ...]


def stacks_of(rois: Sequence[RoiContours]) -> tuple[list[Stack], list[str]]:
    """The ROIs on their planes, one stack for each orientation (nearly always one), and what was left out and why."""
    warnings: list[str] = []
    groups: list[tuple[Frame, list[RoiPlanes]]] = []
    for roi in rois:
        contours = _clean(roi, warnings)
        if not contours:
            warnings.append(f'ROI "{roi.name}" has no contour that encloses an area')
            continue
        group = next((group for group in groups if _flat_in(group[0], contours).all()), None)
        if group is None:
            group = (frame_of(contours), [])
            groups.append(group)
        frame, members = group
        contours = _parallel(roi, frame, contours, warnings)
        members.append(RoiPlanes(roi.name, _planes(roi, frame, contours, warnings)))
    return [Stack(frame, tuple(members)) for frame, members in groups], warnings


def frame_of(contours: Sequence[Contour]) -> Frame:
    """The frame of most of the area: the patient's own axes if the contours are flat in them, else a best fit."""
    areas = np.array([area_vector(contour.points) for contour in contours])
    sizes = np.linalg.norm(areas, axis=1)
    votes = np.einsum("ni,nj->ij", areas / np.maximum(sizes, 1e-12)[:, None], areas)
    normal = np.linalg.eigh(votes)[1][:, 2]  # the direction of most of the area, with either sign
    main = int(np.argmax(np.abs(normal)))
    along_axis = Frame(np.roll(np.eye(3), 2 - main, axis=0))
    agreeing = [c for c, a, s in zip(contours, areas, sizes, strict=True) if abs(a @ normal) > 0.9 * s]
    if _flat_in(along_axis, agreeing).all():
        return along_axis
    scatter = np.zeros((3, 3))
    for contour in agreeing:
        centred = contour.points - contour.points.mean(axis=0)
        scatter += centred.T @ centred
    normal = np.linalg.eigh(scatter)[1][:, 0]
    normal = normal * np.sign(normal[main])
    u = np.eye(3)[int(np.argmin(np.abs(normal)))]
    u = u - (u @ normal) * normal
    u = u / np.linalg.norm(u)
    return Frame(np.array([u, np.cross(normal, u), normal]))


def area_vector(points: np.ndarray) -> np.ndarray:
    """The vector area `(3,)` of a closed polygon `(n, 3)`: normal to it, as long as the area it encloses."""
    shifted = points - points[0]
    return 0.5 * np.cross(shifted, np.roll(shifted, -1, axis=0)).sum(axis=0)


def _clean(roi: RoiContours, warnings: list[str]) -> list[Contour]:
    """The contours that may enclose something, without repeated and closing points."""
    kept = []
    for contour in roi.contours:
        points = np.asarray(contour.points, dtype=np.float64).reshape(-1, 3)
        where = f'contour {contour.number} of ROI "{roi.name}"'
        if not np.isfinite(points).all():
            warnings.append(f"{where} is skipped: its coordinates are not all finite numbers")
            continue
        points = points[np.abs(points - np.roll(points, 1, axis=0)).max(axis=1, initial=0) > SAME_POINT]
        if len(points) < 3:
            warnings.append(f"{where} is skipped: it has fewer than three distinct points")
            continue
        if _on_a_line(points):
            warnings.append(f"{where} is skipped: its points lie on a line, so that it encloses nothing")
            continue
        kept.append(Contour(points, contour.number))
    return kept


def _on_a_line(points: np.ndarray) -> bool:
    length = np.abs(points - np.roll(points, 1, axis=0)).sum()
    if np.linalg.norm(area_vector(points)) > SAME_POINT * length:  # nearly always; a figure of eight may have none
        return False
    return bool(np.linalg.svd(points - points.mean(axis=0), compute_uv=False)[1] <= SAME_POINT)


def _flat_in(frame: Frame, contours: Sequence[Contour]) -> np.ndarray:
    normal = frame.axes[2]
    return np.array([np.ptp(contour.points @ normal) <= FLATNESS_TOLERANCE for contour in contours], dtype=bool)


def _parallel(roi: RoiContours, frame: Frame, contours: list[Contour], warnings: list[str]) -> list[Contour]:
    flat = _flat_in(frame, contours)
    for contour, is_flat in zip(contours, flat, strict=True):
        if not is_flat:
            strays = np.ptp(contour.points @ frame.axes[2])
            warnings.append(
                f'contour {contour.number} of ROI "{roi.name}" is skipped: it is not flat or not parallel to the others'
                f" (strays by {strays:.3g} mm, at most {FLATNESS_TOLERANCE} mm are expected)"
            )
    return [contour for contour, is_flat in zip(contours, flat, strict=True) if is_flat]


def _planes(roi: RoiContours, frame: Frame, contours: list[Contour], warnings: list[str]) -> tuple[Plane, ...]:
    """The contours gathered by their position along the normal."""
    local = [frame.from_patient(contour.points) for contour in contours]
    positions = np.array([points[:, 2].mean() for points in local])
    order = np.argsort(positions, kind="stable")
    breaks = np.flatnonzero(np.diff(positions[order]) > PLANE_TOLERANCE) + 1
    planes = []
    for close in np.split(order, breaks):
        members = _without_twins(roi, contours, local, sorted(close.tolist()), warnings)
        outlines = tuple(np.ascontiguousarray(local[i][:, :2]) for i in members)
        planes.append(Plane(float(np.mean(positions[members])), outlines))
    return tuple(planes)


def _without_twins(
    roi: RoiContours, contours: list[Contour], local: list[np.ndarray], members: list[int], warnings: list[str]
) -> list[int]:
    """A contour that is in the file twice would cancel itself by the even-odd rule: one of the two is kept."""
    seen: dict[tuple[float, ...], int] = {}
    kept = []
    for i in members:
        flat = local[i][:, :2]
        key = tuple(np.round(np.concatenate((flat.min(axis=0), flat.max(axis=0), flat.mean(axis=0))), 3))
        twin = seen.setdefault(key, i)
        if twin != i and len(flat) == len(local[twin]):
            twins = f"contour {contours[i].number}", f"contour {contours[twin].number}"
            warnings.append(f'{twins[0]} of ROI "{roi.name}" is skipped: it repeats {twins[1]}')
        else:
            kept.append(i)
    return kept
