"""What would take too long or too much memory, refused before it is begun."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from orthanc_stl.mesh.contours.contour import RoiContours
from orthanc_stl.mesh.contours.frame import frame_of
from orthanc_stl.mesh.contours.grid import Limits, fewest_voxels
from orthanc_stl.mesh.contours.planes import Outline, RoiOutlines, Stack
from orthanc_stl.mesh.contours.regions import ONE_PLANE, planes_of
from orthanc_stl.mesh.contours.steps import FLATTEST
from orthanc_stl.mesh.errors import TooManyContours, TooManyContoursOfRoi, TooManyVoxels

MOST_IN_PLANE = 5_000
"""Contours of a ROI in one plane. Each takes 6 ms from here to the mesh."""

SAMPLE = 100
"""Of so many contours, or up to twice as many, the common normal is guessed where there are too many to look at all."""

MOST_OF_ROI = 30_000
"""Contours of one ROI. Each takes 1.3 ms to be joined to others, and as much again to be drawn: 75 s."""

APART = 0.5
"""A fraction of the slice spacing: planes farther apart are layers of their own in every grid."""


def require_few_by_first_points(rois: Iterable[RoiContours]) -> None:
    """Raises TooManyContours if the first point of each contour shows them, since finding the planes of 100,000 takes
    10 s. For rounded points in tilted planes `require_few_in_a_plane` does. Fewer than three points are no contour.
    """
    for roi in rois:
        outlines = [one for one in roi.contours if len(one.points) >= 3 and np.isfinite(one.points).all()]
        if len(outlines) <= MOST_IN_PLANE:
            continue
        some = outlines[:: len(outlines) // SAMPLE]
        width = ONE_PLANE * FLATTEST * float(np.median([np.ptp(one.points, axis=0).max() for one in some]))
        first = np.array([one.points[0] for one in outlines])
        for normal in (*np.eye(3), frame_of(some).axes[2]):
            position = np.einsum("ni,i->n", first, normal)
            lowest = np.sort(position)
            count = np.searchsorted(lowest, lowest + width, side="right") - np.arange(len(lowest))
            at = lowest[count.argmax()]
            here = np.flatnonzero((position >= at) & (position <= at + width))
            if len(here) > MOST_IN_PLANE:
                flat = sum(bool(np.ptp(outlines[k].points @ normal) <= width) for k in here.tolist())
                if flat > MOST_IN_PLANE:
                    raise TooManyContours(flat, MOST_IN_PLANE)


def require_few_of_a_roi(rois: Sequence[RoiContours]) -> None:
    """Raises TooManyContoursOfRoi for more of them than can be joined and drawn in a minute or so."""
    most = max((sum(len(one.points) >= 3 for one in roi.contours) for roi in rois), default=0)
    if most > MOST_OF_ROI:
        raise TooManyContoursOfRoi(most, MOST_OF_ROI)


def require_few_in_a_plane(roi: RoiOutlines) -> None:
    """Raises TooManyContours for more of them in one plane than can be compared."""
    most = max(map(len, planes_of(roi.outlines)), default=0)
    if most > MOST_IN_PLANE:
        raise TooManyContours(most, MOST_IN_PLANE)


def require_few_planes(stack: Stack, context_points: np.ndarray, resolution: int, limits: Limits) -> None:
    """Raises TooManyVoxels if the planes alone show them: each is a layer of the grid. To join 20,000 planes to a body
    takes 28 s.

    `context_points` is (k, 3) float64: points of the structure set's other ROIs, in LPS.
    """
    planes = max(_planes_apart(roi.outlines) for roi in stack.rois)
    corners = [
        ends
        for roi in stack.rois
        for line in roi.outlines
        for ends in (line.points.min(axis=0), line.points.max(axis=0))
    ]
    voxels = fewest_voxels(np.array(corners), stack.frame.from_patient(context_points), resolution, planes)
    if voxels > limits.voxels:
        raise TooManyVoxels(voxels, limits.voxels)


def _planes_apart(outlines: Sequence[Outline]) -> int:
    """How many planes are left if each lies APART of a slice from the one before."""
    count, last = 0, -np.inf
    for outline in sorted(outlines, key=lambda outline: outline.position):
        if outline.position - last > APART * outline.step:
            count, last = count + 1, outline.position
    return count
