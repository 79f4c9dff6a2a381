"""A text engraved into a body, or raised on it, that follows its surface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import manifold3d
import numpy as np
from scipy.spatial import cKDTree
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkPath
from vtkmodules.vtkRenderingCore import vtkTextProperty
from vtkmodules.vtkRenderingFreeType import vtkFreeTypeTools

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.pieces import outward_triangles, pieces_of
from orthanc_stl.mesh.solids.booleans import finest_of, manifold_of, mesh_of, middle_of, require_closed, without_fins
from orthanc_stl.mesh.solids.field import surface_at
from orthanc_stl.mesh.triangles import chosen_part, mean_normal
from orthanc_stl.mesh.types import Mesh

POINTS_OF_A_CURVE = 6
"""Straight pieces that a curve of a letter becomes."""

FONT_SIZE = 144
"""The outlines are taken at this size and scaled."""

RAYS = (25, 9)
"""Along and across the text: where the surface is looked for."""

VOXELS_OF_A_DEPTH = 4
"""The surface at a distance from the old one is worked out with so many."""

MOST_VOXELS = 2_000_000
"""For that: larger ones are taken for a shallow text on a large body, where the surface is flat enough for them."""

CLEARANCE = 0.5
"""mm around the text that are looked at besides."""

DEEPER = 1.5
"""Depths that a text is cut down from the lowest place of the surface, before the floor of the letters is kept."""

LEAST_WALL = 0.2
"""mm that are left under an engraved text."""

EDGE = 45.0
"""Degrees by which the surface turns between neighbouring rays, at most: by more it has an edge there."""

ALIKE = 0.5
"""Cosine of the angle between the mean normal under the text and that of its middle: else the mean has a far side in
it."""


def labelled(mesh: Mesh, text: str, at: Sequence[float], height: float, depth: float, *, raised: bool = False) -> Mesh:
    """`mesh` with `text` engraved `depth` mm deep, or `raised` as much, around the point of the surface nearest to
    `at` (LPS mm). Capital letters are `height` mm high, and upright to whoever looks at that place.

    The letters are those of VTK's own font: the bottom of each lies at the same distance from the surface everywhere,
    since it comes from the field of distances. Raises InvalidInput for a letter that the font does not have, for a
    place that is too small, too curved or too thin for the text or has an edge, and for a mesh that is not closed.

    >>> import trimesh
    >>> ball = trimesh.creation.icosphere(4, 20)
    >>> marked = labelled(Mesh(ball.vertices.astype("f4"), ball.faces.astype("i4")), "L", (0, -20, 0), 8, 1)
    """
    require_closed(mesh)
    letters = outlines(text, height)
    origin = middle_of([mesh])
    body = manifold_of(mesh, origin)
    left, bottom, right, top = letters.bounds()
    letters = letters.translate((-(left + right) / 2, -(bottom + top) / 2))
    size = (right - left, top - bottom)
    outside = chosen_part(mesh, outward_triangles(mesh))
    skin = Mesh((outside.vertices - origin).astype(np.float32), outside.triangles)
    solid = manifold_of(skin, np.zeros(3))
    place = _place(body, solid, skin, np.asarray(at, np.float64) - origin, size, depth, raised)
    tall, aside = place.highest - place.lowest, 3 * depth + CLEARANCE
    box = (size[0] + 2 * aside, size[1] + 2 * aside, tall + 2 * aside)
    around = manifold3d.Manifold.cube(box, True).translate((0, 0, (place.highest + place.lowest) / 2))
    piece = solid ^ around.transform(place.frame)
    spacing = max(depth / VOXELS_OF_A_DEPTH, float(np.cbrt(np.prod(box) / MOST_VOXELS)))
    other = manifold_of(surface_at(mesh_of(piece, origin), depth if raised else -depth, spacing=spacing), origin)
    below = _below(depth, raised)
    prism = letters.extrude(tall + below + depth + CLEARANCE).translate((0, 0, place.lowest - below))
    prism = prism.transform(place.frame)
    found = body + (prism ^ other) if raised else body - (prism - other)
    marked = mesh_of(without_fins(found, finest_of(mesh)), origin)
    if _count(marked) != _count(mesh):
        raise InvalidInput("no place for the text: it would join or divide parts of the body")
    return marked


def _below(depth: float, raised: bool) -> float:
    """How far below the lowest place of the surface the letters begin, before they are cut off at their depth."""
    return depth / 2 if raised else depth * DEEPER


def _count(mesh: Mesh) -> tuple[int, int]:
    """Of the bodies and of their cavities."""
    pieces = pieces_of(mesh)
    return len(pieces), sum(piece.cavities for piece in pieces)


def place_on(mesh: Mesh, side: str) -> tuple[float, float, float]:
    """The point in LPS mm that is seen first from a `side` of the patient ("front", "head", ...), looking at the middle
    of the body; if the way to the middle does not meet the body, the nearest point of it."""
    way = np.array(SIDES[side], np.float64)
    origin = middle_of([mesh])
    far = np.linalg.norm(np.ptp(mesh.vertices, axis=0)) * way
    hits = manifold_of(mesh, origin).ray_cast(tuple(far.tolist()), tuple((-far).tolist()))
    start = origin + far * (1 - 2 * hits[0].distance if hits else 1)
    x, y, z = SurfaceDistance(mesh).nearest(start)[0].tolist()
    return x, y, z


SIDES = {
    "front": (0, -1, 0),
    "back": (0, 1, 0),
    "left": (1, 0, 0),
    "right": (-1, 0, 0),
    "head": (0, 0, 1),
    "feet": (0, 0, -1),
}
"""The way there from the middle, LPS."""


def outlines(text: str, height: float) -> manifold3d.CrossSection:
    """The letters in mm, the line that they stand on at y = 0, capitals `height` mm high.

    Raises InvalidInput for a text without letters and for a letter that the font does not have.
    """
    for letter in dict.fromkeys(text):
        if not letter.isspace() and not len(_path(letter)[0]):
            raise InvalidInput(f"the font has no character {letter!r}, expected Latin ones")
    points, codes = _path(" ".join(text.split()))
    if not len(points):
        raise InvalidInput("got a text without letters, expected one to write")
    capital = _path("H")[0][:, 1]
    points = (points - [0, capital.min()]) * (height / np.ptp(capital))
    return manifold3d.CrossSection(_contours(points, codes), manifold3d.FillRule.NonZero)


def _path(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Points `(n, 2)` and their codes `(n,)`: 0 begins a contour, 1 ends a line, two of 2 a quadratic curve and
    three of 3 a cubic one."""
    path, style = vtkPath(), vtkTextProperty()
    style.SetFontSize(FONT_SIZE)
    vtkFreeTypeTools.GetInstance().StringToPath(style, text, 72, path)
    if not path.GetNumberOfPoints():
        return np.zeros((0, 2)), np.zeros(0, int)
    points = vtk_to_numpy(path.GetPoints().GetData())[:, :2].astype(np.float64)
    return points, vtk_to_numpy(path.GetCodes()).astype(int)


def _contours(points: np.ndarray, codes: np.ndarray) -> list[np.ndarray]:
    """Closed polygons `(n, 2)`, in which curves have become POINTS_OF_A_CURVE straight pieces."""
    t = np.linspace(0, 1, POINTS_OF_A_CURVE + 1)[1:, None]
    found = []
    for first, end in pairwise([*np.flatnonzero(codes == MOVE).tolist(), len(codes)]):
        contour, place = [points[first]], first + 1
        while place < end:
            count = DEGREE[int(codes[place])]
            bend = np.vstack((contour[-1], points[place : place + count]))
            contour += [bend[1]] if count == 1 else list(_bezier(bend, t))
            place += count
        found.append(np.array(contour))
    return found


MOVE = 0
DEGREE = {1: 1, 2: 2, 3: 3}
"""Of a curve by its code in a vtkPath."""


def _bezier(points: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Where the curve with the control points `(n, 2)` is at `t` `(m, 1)`: by de Casteljau's rule."""
    now = [np.broadcast_to(point, (len(t), 2)) for point in points]
    while len(now) > 1:
        now = [a + (b - a) * t for a, b in pairwise(now)]
    return now[0]


@dataclass(frozen=True)
class _Place:
    """Where a text lies: a frame `(3, 4)` (right, up, outwards, place), and between which heights in it the surface is
    (mm)."""

    frame: np.ndarray
    lowest: float
    highest: float


def _place(
    body: manifold3d.Manifold,
    solid: manifold3d.Manifold,
    skin: Mesh,
    at: np.ndarray,
    size: tuple[float, float],
    depth: float,
    raised: bool,
) -> _Place:
    """The place of a text of `size` (mm). `solid` is `body` without its cavities, and `skin` its surface; `at` is in
    their coordinates."""
    half = float(np.hypot(*size)) / 2
    place, normal = SurfaceDistance(skin).nearest(at)
    away = float(np.linalg.norm(at - place))
    if away > 2 * half:
        raise InvalidInput(f"got a text {away:.1f} mm from the surface, expected a place on it")
    around = cKDTree(skin.vertices).query_ball_point(place, max(size[1] / 2, depth))
    outwards = mean_normal(skin, np.array(around)) if around else normal
    outwards = outwards if outwards @ normal > ALIKE else normal
    up = HEAD if abs(outwards @ HEAD) < np.cos(np.radians(20)) else -FRONT * np.sign(outwards @ HEAD)
    right = np.cross(up, outwards)
    right /= np.linalg.norm(right)
    frame = np.column_stack((right, np.cross(outwards, right), outwards, place))
    start, end = half, -half - 3 * depth - LEAST_WALL
    grid = [np.linspace(-length / 2, length / 2, rays) for length, rays in zip(size, RAYS, strict=True)]
    ends = [[tuple((frame @ (x, y, z, 1)).tolist()) for z in (start, end)] for x in grid[0] for y in grid[1]]
    walls, whole = (
        [[start - hit.distance * (start - end) for hit in one.ray_cast(*way)[:2]] for way in ends]
        for one in (body, solid)
    )
    if not all(walls):
        raise InvalidInput(
            "no place for the text: it reaches over the edge of the body, so it has to be lower, shorter or elsewhere"
        )
    turn = _largest_turn(np.reshape([one[0] for one in walls], RAYS), grid)
    if turn > EDGE:
        raise InvalidInput(f"no place for the text: it lies over an edge of the body, of {turn:.0f} degrees")
    below = _below(depth, raised)
    lowest, highest = min(one[0] for one in walls), max(one[0] for one in walls)
    ways_out = [(one[0], one[1]) for one in walls if len(one) > 1]
    left = [(lowest - out) - below if raised else (into - out) - depth - LEAST_WALL for into, out in ways_out]
    left += [lowest - below - (one[1] + depth) for one in whole if len(one) > 1 and not raised]
    if min(left, default=0.0) < 0:
        raise InvalidInput("no place for the text: the body is too thin or too curved there")
    return _Place(frame, lowest, highest)


def _largest_turn(heights: np.ndarray, grid: Sequence[np.ndarray]) -> float:
    """Degrees, at most, between the slopes of `heights` `(n, m)` before and after a step of the `grid`."""
    turns = [0.0]
    for axis in (0, 1):
        slopes = np.degrees(np.arctan2(np.diff(heights, axis=axis), np.diff(grid[axis])[0]))
        before, after = np.moveaxis(slopes, axis, 0)[:-2], np.moveaxis(slopes, axis, 0)[2:]
        turns.append(float(np.abs(after - before).max(initial=0)))
    return max(turns)


HEAD, FRONT = np.array([0.0, 0, 1]), np.array([0.0, -1, 0])
"""Directions in LPS."""
