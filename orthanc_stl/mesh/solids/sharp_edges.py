"""Sharp edges: where a mesh has them, and put back into a surface that was taken from a grid.

A surface from a grid cuts sharp edges and corners off, by up to half a voxel. Here the vertices around such places are
moved onto the true surface, and each triangle that has corners on two sides of an edge is divided where the tangent
planes of the two meet: "Edge-Sharpener" (Attene, Falcidieno, Rossignac and Spagnuolo, Symposium on Geometry Processing
2003), with tangent planes of the field itself in place of those of neighbouring triangles.
"""

from __future__ import annotations

import numpy as np

from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.solids.corners import Value, with_corners
from orthanc_stl.mesh.solids.divisions import Divisions, divided, edge_keys
from orthanc_stl.mesh.topology import twins_of
from orthanc_stl.mesh.triangles import area_normals, corners_of, unit_normals
from orthanc_stl.mesh.types import Mesh

SHARP = np.cos(np.radians(20))
"""Cosine of the angle between normals on both sides of a sharp edge, at most."""

BENT = np.cos(np.radians(8))
"""Of the triangles around a vertex: the length of their mean normal, at most, where a sharp edge may be near."""

CUT_OFF = 0.03
"""In voxels: by so much the middle of a triangle is off the true surface where a sharp edge was cut off, at least."""

PROBE = 0.02
"""In voxels: steps by which slopes are measured."""

HARDLY = 0.05
"""In voxels: points that are moved by less keep the slopes that were measured before."""

FARTHEST, FARTHEST_CORNER = 1.5, 4.0
"""In voxels: how far points are moved at most, onto the surface or an edge; and to the tips of corners and cones."""

KINK = 0.2
"""By how much slopes on both sides of a point differ, at least, where it is on a sharp edge or midway between the sides
of one."""

NEARER = 0.4
"""A fraction of the value in the middle of what is divided: at a sharp edge the tangent planes meet on the surface, on
a round one as far outside of it as the middle is inside."""

INDEPENDENT = 0.1
"""The least volume of the box that the unit normals span, of planes that are taken to meet."""

ON_IT = 0.01
"""In voxels: values of less are 0."""

APART = 0.15
"""A fraction of an edge's length: where it would be divided nearer to one of its ends, that end is moved there."""

ALIKE = 0.7
"""Cosine of the angle between a piece of a divided triangle and the normal of one of its sides, at least."""

ROUNDS, MOST_ROUNDS = 6, 20
"""How often what would turn or cross triangles is taken back; after ROUNDS also what is around it, so that few places
are left as they were and not all."""


def points_on_sharp_edges(mesh: Mesh, spacing: float) -> np.ndarray:
    """Points `(n, 3) float64` at most `spacing` mm apart on the sharp edges and at the tips of a closed mesh."""
    starts, ends = mesh.triangles.reshape(-1), np.roll(mesh.triangles, -1, axis=1).reshape(-1)
    twins = twins_of(mesh.triangles, len(mesh.vertices))
    edges = np.flatnonzero(np.arange(len(twins)) < twins)
    normals = _normals(mesh.vertices.astype(np.float64), mesh.triangles)
    turned = (normals[edges // 3] * normals[twins[edges] // 3]).sum(axis=1)
    sharp = edges[turned < SHARP]
    a, b = mesh.vertices[starts[sharp]].astype(np.float64), mesh.vertices[ends[sharp]].astype(np.float64)
    steps = np.ceil(np.linalg.norm(b - a, axis=1) / spacing).astype(int)
    of = np.repeat(np.arange(len(steps)), steps)
    part = (np.arange(len(of)) - np.repeat(np.cumsum(steps) - steps, steps)) / steps[of]
    tips = mesh.vertices[_bent(mesh)].astype(np.float64)
    return np.concatenate((a[of] + (b - a)[of] * part[:, None], tips))


def with_sharp_edges(mesh: Mesh, value: Value, voxel: float, probe: float = PROBE, most: int | None = None) -> Mesh:
    """`mesh`, taken from a grid of `voxel` mm around what is less than 0 in `value`, with the edges that it cut off.

    `probe`: in voxels, how far slopes of `value` are measured, many times the errors of `value`. `most`: of more
    triangles that cut something off than that, the worst ones are looked at.

    Corners that are cut off still are put back at the end (corners.py).

    It stays a closed surface of the same Euler number; nothing is changed where triangles would turn or cross: there
    an edge stays cut off by up to half a voxel.
    """
    active = _near_cuts(mesh, value, voxel, most)
    if not active.any():
        return mesh
    points, normals = mesh.vertices.astype(np.float64), np.zeros((len(mesh.vertices), 3))
    touched = active[mesh.triangles].all(axis=1)
    number = np.cumsum(active) - 1
    placed, normals[active] = _projected(points[active], number[mesh.triangles[touched]], value, voxel, probe)
    points[active] = placed
    divisions, points = _divisions(_unturned(mesh, points, active), normals, mesh.triangles[touched], value, voxel)
    points = _unturned(mesh, points, active)
    around = active[mesh.triangles].any(axis=1)
    to_check = None
    for place in range(MOST_ROUNDS):
        found, parents = divided(points, mesh.triangles, touched, divisions)
        pieces = np.bincount(parents, minlength=len(around)) > 1
        changed = pieces | (points != mesh.vertices).any(axis=1)[mesh.triangles].any(axis=1)
        bad = _turned(found, parents, normals[mesh.triangles], pieces)
        to_check = changed if to_check is None else to_check  # later only what the last round took back
        pairs = parents[crossing_triangles(found, changed=to_check[parents])]
        bad[pairs[changed[pairs].any(axis=1)]] = True
        if not bad.any():
            return with_corners(found, around[parents], value, voxel)
        if place >= ROUNDS:
            near = np.zeros(len(points), bool)
            near[mesh.triangles[bad]] = True
            bad = near[mesh.triangles].any(axis=1)
        divisions = divisions.without(bad[touched])
        stuck = np.unique(mesh.triangles[bad])
        points[stuck] = mesh.vertices[stuck]
        to_check = np.isin(mesh.triangles, stuck).any(axis=1)
    return mesh


def _bent(mesh: Mesh) -> np.ndarray:
    """At which vertices `(n,) bool` the surface is no plane."""
    normals = area_normals(corners_of(mesh.vertices, mesh.triangles))
    corners, count = mesh.triangles.reshape(-1), len(mesh.vertices)
    sums = [np.bincount(corners, np.repeat(along, 3), count) for along in normals]
    whole = np.bincount(corners, np.repeat(np.linalg.norm(normals, axis=0), 3), count)
    return np.asarray(np.linalg.norm(sums, axis=0) < BENT * whole)


def _near_cuts(mesh: Mesh, value: Value, voxel: float, most: int | None) -> np.ndarray:
    """Which vertices `(n,) bool` are in a triangle that cuts something off: one with a corner where the surface is no
    plane, and its middle off the true one. Those of the `most` triangles that do so most."""
    bent = np.flatnonzero(_bent(mesh)[mesh.triangles].any(axis=1))
    off = np.abs(value(mesh.vertices[mesh.triangles[bent]].mean(axis=1, dtype=np.float64)))
    worst = np.argsort(-off, kind="stable")[:most]
    near = np.zeros(len(mesh.vertices), bool)
    near[mesh.triangles[bent[worst[off[worst] > CUT_OFF * voxel]]]] = True
    return near


def _slopes(points: np.ndarray, value: Value, step: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values `(n,)`, their slopes `(n, 3)`, and whether these change at a point `(n,) bool`, as on a sharp edge."""
    here, *around = np.split(value(np.concatenate([points, *(points + step * way for way in _WAYS)])), 7)
    onwards, back = np.column_stack(around[:3]) - here[:, None], here[:, None] - np.column_stack(around[3:])
    slope = (onwards + back) / (2 * step)
    # Along the normal a slope may change at any place of the surface; across it, at a sharp edge.
    changing = np.flatnonzero(np.abs(onwards - back).max(axis=1) > KINK * step)
    along = np.concatenate(_across(slope[changing])) * step
    there = value(np.tile(points[changing], (4, 1)) + np.concatenate((along, -along))).reshape(2, 2, -1).sum(axis=0)
    bent = np.abs(there - 2 * here[changing]).max(axis=0) > KINK * step
    on_edge = np.zeros(len(points), bool)
    on_edge[changing[bent]] = True
    return here, slope, on_edge


def _across(ways: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors `(n, 3)` across each of `ways` `(n, 3)`."""
    least = np.eye(3)[np.abs(ways).argmin(axis=1)]
    one = np.cross(ways, least)
    one /= np.maximum(np.linalg.norm(one, axis=1), 1e-9)[:, None]
    two = np.cross(ways, one)
    return one, two / np.maximum(np.linalg.norm(two, axis=1), 1e-9)[:, None]


_WAYS = np.concatenate((np.eye(3), -np.eye(3)))


def _of_one_side(
    points: np.ndarray, triangles: np.ndarray, here: np.ndarray, slope: np.ndarray, changing: np.ndarray
) -> np.ndarray:
    """The slopes `(n, 3)`; of points where they are `changing` `(n,) bool`, that of the neighbour whose plane fits
    best: of one side of the edge."""
    ends = np.concatenate([triangles[:, [one, other]] for one in range(3) for other in range(3) if one != other])
    one, other = ends[changing[ends[:, 0]] & ~changing[ends[:, 1]]].T
    fit = np.abs(here[other] + (slope[other] * (points[one] - points[other])).sum(axis=1) - here[one])
    order = np.argsort(-fit, kind="stable")  # of several for one point the best, which comes last
    found = slope.copy()
    found[one[order]] = slope[other[order]]
    return found


def _projected(
    points: np.ndarray, triangles: np.ndarray, value: Value, voxel: float, probe: float
) -> tuple[np.ndarray, np.ndarray]:
    """`points`, corners of `triangles`, moved onto the surface, and its unit normals there."""
    here, slopes, on_edge = _slopes(points, value, probe * voxel)
    slope = _of_one_side(points, triangles, here, slopes, on_edge)
    way = -(here / np.maximum((slope**2).sum(axis=1), 0.25))[:, None] * slope
    length = np.linalg.norm(way, axis=1)
    way[length > FARTHEST * voxel] = 0
    points = points + way
    here = here + (way * slope).sum(axis=1)
    moved = np.flatnonzero(length > HARDLY * voxel)
    here[moved], slopes[moved], on_edge[moved] = _slopes(points[moved], value, probe * voxel)
    slope = _of_one_side(points, triangles, here, slopes, on_edge)
    return points, slope / np.maximum(np.linalg.norm(slope, axis=1), 1e-9)[:, None]


def _unturned(mesh: Mesh, points: np.ndarray, active: np.ndarray) -> np.ndarray:
    """`points`, but where a triangle would turn round those that it had before."""
    touched = mesh.triangles[active[mesh.triangles].any(axis=1)]
    old = mesh.vertices.astype(np.float64)
    for _ in range(ROUNDS):
        turned = (_normals(points, touched) * _normals(old, touched)).sum(axis=1) < 0.1
        if not turned.any():
            return points
        back = np.unique(touched[turned])
        points[back] = old[back]
    return old


def _divisions(
    points: np.ndarray, normals: np.ndarray, triangles: np.ndarray, value: Value, voxel: float
) -> tuple[Divisions, np.ndarray]:
    """Where the edges of `triangles` `(m, 3)` are divided, from corner to next corner, and the triangles themselves;
    and the `points`, of which those that lie next to a sharp edge are moved onto it."""
    keys, first, back, uses = np.unique(
        edge_keys(triangles), return_index=True, return_inverse=True, return_counts=True
    )
    starts, ends = triangles.reshape(-1)[first], np.roll(triangles, -1, axis=1).reshape(-1)[first]
    found = np.full((len(keys), 3), np.nan)
    across = np.flatnonzero(((normals[starts] * normals[ends]).sum(axis=1) < SHARP) & (uses == 2))
    both = np.stack((starts[across], ends[across]), axis=1)
    found[across] = _meeting(points, normals, both, value, voxel)
    round_ = across[np.isnan(found[across, 0])]
    found[round_] = _on_surface(points, normals, np.stack((starts[round_], ends[round_]), axis=1), value, voxel)
    length, moved = np.linalg.norm(points[starts] - points[ends], axis=1), points.copy()
    for end in (starts, ends):
        way = np.linalg.norm(found - points[end], axis=1) / length
        near = np.flatnonzero(way < APART)
        near = near[np.argsort(-way[near], kind="stable")]  # of several for one vertex the nearest, which comes last
        moved[end[near]] = found[near]
    for one, other in ((starts, ends), (ends, starts)):
        found[np.abs((normals[other] * (moved[one] - points[other])).sum(axis=1)) < ON_IT * voxel] = np.nan
    edges = found[back.reshape(-1, 3)]
    middles = np.full((len(triangles), 3), np.nan)
    sides = normals[triangles]
    corner = np.flatnonzero(np.abs((np.cross(sides[:, 0], sides[:, 1]) * sides[:, 2]).sum(axis=1)) > INDEPENDENT)
    middles[corner] = _meeting(points, normals, triangles[corner], value, voxel)
    way = np.linalg.norm(middles[:, None] - moved[triangles], axis=2)
    near = np.flatnonzero(way.min(axis=1) < APART * length[back.reshape(-1, 3)].mean(axis=1))
    moved[triangles[near, way[near].argmin(axis=1)]] = middles[near]
    middles[near] = np.nan
    return Divisions(triangles, edges, middles), moved


def _meeting(points: np.ndarray, normals: np.ndarray, of: np.ndarray, value: Value, voxel: float) -> np.ndarray:
    """Where `(m, 3)` the tangent planes at the vertices `of` `(m, 2 or 3)` meet; nan where they do not, or not on the
    surface. Two meet in a line: there where the way from one vertex to the other along the surface passes it."""
    if not len(of):
        return np.zeros((0, 3))
    planes = normals[of]
    middle = points[of].mean(axis=1)
    if of.shape[1] == 2:
        a, b = points[of[:, 0]], points[of[:, 1]]
        far = np.abs((planes[:, ::-1] * (b - a)[:, None]).sum(axis=2))  # of each from the plane of the other
        middle = a + (b - a) * (far[:, 0] / np.maximum(far.sum(axis=1), 1e-12))[:, None]
    heights = (planes * (points[of] - middle[:, None])).sum(axis=2)
    gram = planes @ planes.transpose(0, 2, 1)
    sound = np.linalg.det(gram) > INDEPENDENT**2
    gram[~sound] = np.eye(of.shape[1])
    way = (planes * np.linalg.solve(gram, heights[:, :, None])).sum(axis=1)
    found = middle + way
    sound &= np.linalg.norm(way, axis=1) < (FARTHEST if of.shape[1] == 2 else FARTHEST_CORNER) * voxel
    sound &= np.abs(value(found)) <= np.maximum(NEARER * np.abs(value(middle)), ON_IT * voxel)
    found[~sound] = np.nan
    return found


def _on_surface(points: np.ndarray, normals: np.ndarray, of: np.ndarray, value: Value, voxel: float) -> np.ndarray:
    """The middles `(m, 3)` of the edges `of` `(m, 2)`, moved onto the round surface; nan where they are there already,
    or do not get there."""
    middle, out = points[of].mean(axis=1), normals[of].sum(axis=1)
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)
    far = value(middle)
    found = middle - out * far[:, None]
    sound = (np.abs(far) > 2 * ON_IT * voxel) & (np.abs(far) < FARTHEST * voxel / 2)
    sound &= np.abs(value(found)) < NEARER * np.abs(far)
    found[~sound] = np.nan
    return found


def _turned(found: Mesh, parents: np.ndarray, sides: np.ndarray, divided: np.ndarray) -> np.ndarray:
    """Which of the `divided` triangles `(m,) bool` would have a piece that faces as none of its `sides` `(m, 3, 3)`."""
    new = np.flatnonzero(divided[parents])
    faces = _normals(found.vertices.astype(np.float64), found.triangles[new])
    alike = (sides[parents[new]] * faces[:, None]).sum(axis=2).max(axis=1)
    marked = np.zeros(len(divided), bool)
    marked[parents[new[alike < ALIKE]]] = True
    return marked


def _normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit normals `(m, 3)`; zero for a triangle without area."""
    return unit_normals(corners_of(points, triangles))
