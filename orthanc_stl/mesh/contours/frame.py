"""The common normal of contours, and coordinates along it.

The normal is a best fit over all points of a ROI, so that a contour that starts with collinear points, one drawn
clockwise and one drawn counter-clockwise all count the same. Nothing here is a length in mm: a ROI of 1 mm is treated
as one of 1 m is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orthanc_stl.mesh.contours.contour import Contour

SAME_FIT = 1.2
"""The patient's own axis is the normal if points stray from it by no more than this many times as far as from the
plane that fits best. Noise strays equally from both; a true tilt of a thousandth is told apart by far."""

SAME_SHARE = 1e-4
"""A fraction of the extent of contours (root mean square): strays below this are none. Rounding of coordinates to four
digits."""


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


def frame_of(contours: Sequence[Contour]) -> Frame:
    """The frame of most of the area: the patient's own axes if they fit as well as any, else a best fit."""
    areas = np.array([area_vector(contour.points) for contour in contours])
    sizes = np.linalg.norm(areas, axis=1)
    votes = np.einsum("ni,nj->ij", areas / np.where(sizes > 0, sizes, 1)[:, None], areas)
    normal = np.linalg.eigh(votes)[1][:, 2]  # the direction of most of the area, with either sign
    main = int(np.argmax(np.abs(normal)))
    along_axis = Frame(np.roll(np.eye(3), 2 - main, axis=0))
    agreeing = [c for c, a, s in zip(contours, areas, sizes, strict=True) if abs(a @ normal) > 0.9 * s]
    scatter = scatter_of(agreeing or contours)
    if fitting([along_axis], scatter) is not None:
        return along_axis
    normal = np.linalg.eigh(scatter)[1][:, 0]
    normal = normal * np.sign(normal[main])
    u = np.eye(3)[int(np.argmin(np.abs(normal)))]
    u = u - (u @ normal) * normal
    u = u / np.linalg.norm(u)
    return Frame(np.array([u, np.cross(normal, u), normal]))


def scatter_of(contours: Sequence[Contour]) -> np.ndarray:
    """The second moments `(3, 3)` of the points, each contour's about its own middle."""
    scatter = np.zeros((3, 3))
    for contour in contours:
        centred = contour.points - contour.points.mean(axis=0)
        scatter += centred.T @ centred
    return scatter


def fitting(frames: Sequence[Frame], scatter: np.ndarray) -> int | None:
    """The first of the frames in whose planes contours of this scatter lie as well as in any planes, or nearly."""
    normals = np.array([frame.axes[2] for frame in frames]).reshape(-1, 3)
    strays = np.einsum("ni,ij,nj->n", normals, scatter, normals)
    least, _, most = np.linalg.eigvalsh(scatter)
    found = np.flatnonzero(strays <= SAME_FIT**2 * max(least, 0) + SAME_SHARE**2 * most)
    return int(found[0]) if len(found) else None


def area_vector(points: np.ndarray) -> np.ndarray:
    """The vector area `(3,)` of a closed polygon `(n, 3)`: normal to it, as long as the area it encloses."""
    x, y, z = (points - points[0]).T
    ahead = [np.append(along[1:], along[0]) for along in (x, y, z)]
    return 0.5 * np.array([y @ ahead[2] - z @ ahead[1], z @ ahead[0] - x @ ahead[2], x @ ahead[1] - y @ ahead[0]])
