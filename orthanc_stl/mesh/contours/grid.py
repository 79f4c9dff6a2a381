"""The grid of voxels around the chosen ROIs, by the Resolution rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orthanc_stl.errors import OutOfRange
from orthanc_stl.mesh.contours.distance import padded
from orthanc_stl.mesh.contours.layers import layers_of, merged
from orthanc_stl.mesh.contours.parts import Chain
from orthanc_stl.mesh.contours.polygon import ahead
from orthanc_stl.mesh.errors import TooManyTriangles, TooManyVoxels

MAX_VOXELS = 200_000_000  # two bytes each
MAX_TRIANGLES = 10_000_000  # 50 bytes each in the file

MARGIN = 2
"""Pixels around the outlines, so that every body is closed."""

LONGEST_STEP = 2.0
"""Sides of a voxel in the plane: its longest side along the normal. Slices lie farther apart than points on a contour,
so a longer step loses nothing and saves memory and triangles."""

END_LAYER_OFFSET = 0.1
"""Sides of a voxel: how far inside and outside of a flat end the last two layers lie."""

FINEST_SIDE = 2.0**-15
"""Of the largest coordinate: voxels do not get smaller than that, however small a ROI is, so that vertices differ in
their float32 coordinates (24 bits). At 500 mm from the origin that is 0.015 mm."""


HELD = 1.6
"""In voxels: the radius of a vessel, or the thickness of a wall, that they hold: whole, and of the right volume once
that is put right. Measured: with 1.2 a skin has holes, with 1.0 a vessel loses a fifth."""

NARROW_SHARE = 0.02
"""A fraction of the area of a ROI: as much may be narrower than that; the tips of organs are."""

MOST_FINER_VOXELS = 40_000_000
MOST_FINER_TRIANGLES = 3_000_000
"""What a grid may take that is finer than asked for, for the sake of what is narrow."""

FINER = 1.2
"""The factor by which a finer grid is made coarser again until it is within these."""


@dataclass(frozen=True)
class Limits:
    voxels: int
    triangles: int


@dataclass(frozen=True)
class Slab:
    """One chain on the grid, and its window there (first row, first column, rows, columns)."""

    chain: Chain
    window: tuple[int, int, int, int]


@dataclass(frozen=True)
class Grid:
    """Pixel (row, column) of layer i lies at `origin + side * (column, row)` (mm along u and v), `layers[i]` along the
    normal. Layers are not evenly spaced: planes lie on layers, wherever they are."""

    origin: np.ndarray
    side: float
    rows: int
    columns: int
    layers: np.ndarray
    slabs: tuple[Slab, ...]

    @property
    def voxel(self) -> tuple[float, float, float]:
        """Sides of the usual voxel along u, v and the normal (mm)."""
        return self.side, self.side, float(np.median(np.diff(self.layers)))

    @property
    def voxels(self) -> int:
        return len(self.layers) * self.rows * self.columns

    def placed(self, points: np.ndarray) -> np.ndarray:
        """Points in voxel indices (x, y, layer) -> mm in the stack's frame, float64."""
        local = np.empty(points.shape)
        local[:, :2] = self.origin + self.side * points[:, :2].astype(np.float64)
        local[:, 2] = np.interp(points[:, 2], np.arange(len(self.layers)), self.layers)
        return local

    def corners(self) -> np.ndarray:
        """The eight corners of the grid, `(8, 3)` mm in the stack's frame."""
        ends = np.array([(0, 0, 0), (self.columns - 1, self.rows - 1, len(self.layers) - 1)])
        return self.placed(np.array([[ends[i][0], ends[j][1], ends[k][2]] for i, j, k in np.ndindex(2, 2, 2)]))


def grid_of(
    chains: Sequence[Chain],
    context_points: np.ndarray,
    resolution: int,
    limits: Limits,
    extra_points: np.ndarray | None = None,
) -> Grid:
    """The grid for the chains of a stack.

    `context_points` is (k, 3) float64: points of the structure set's other ROIs in the stack's frame. `extra_points`:
    points of the same kind that the grid has to hold, of bodies that are not drawn here. Raises TooManyVoxels and
    TooManyTriangles before anything of that size is made.
    """
    boxes = [_box(chain) for chain in chains]
    corners = np.concatenate([*boxes, extra_points[:, :2]] if extra_points is not None else boxes)
    low, high = corners.min(axis=0), corners.max(axis=0)
    side, finest = _side(low, high, context_points, resolution)
    needed = max(held_by(chains), finest)
    while needed < side:
        grid = _grid(chains, boxes, low, high, needed, extra_points)
        voxels, triangles = grid.voxels, expected_triangles(grid)
        if voxels <= min(MOST_FINER_VOXELS, limits.voxels) and triangles <= min(MOST_FINER_TRIANGLES, limits.triangles):
            return grid
        needed *= FINER
    grid = _grid(chains, boxes, low, high, side, extra_points)
    if grid.voxels > limits.voxels:
        raise TooManyVoxels(grid.voxels, limits.voxels)
    triangles = expected_triangles(grid)
    if triangles > limits.triangles:
        raise TooManyTriangles(triangles, limits.triangles)
    return grid


def fewest_voxels(points: np.ndarray, context_points: np.ndarray, resolution: int, layers: int) -> int:
    """How many voxels a grid of so many layers has at least.

    `points` is (n, 2) float64: what it holds, mm; `context_points` as for `grid_of`.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    side, _ = _side(low, high, context_points, resolution)
    return layers * int(np.prod([_pixels(extent, side) for extent in high - low]))


def _pixels(extent: float, side: float) -> int:
    return padded(int(np.ceil(extent / side)) + 2 * MARGIN + 1)


def _grid(
    chains: Sequence[Chain],
    boxes: Sequence[np.ndarray],
    low: np.ndarray,
    high: np.ndarray,
    side: float,
    extra_points: np.ndarray | None,
) -> Grid:
    origin = low - MARGIN * side
    size = [_pixels(extent, side) for extent in high - low]
    slabs = [
        Slab(chain, _window(start - origin, end - origin, side, size))
        for chain, (start, end) in zip(chains, boxes, strict=True)
    ]
    each = [layers_of(chain, LONGEST_STEP * side, END_LAYER_OFFSET * side) for chain in chains]
    if extra_points is not None:
        each.append(np.arange(extra_points[:, 2].min() - 2 * side, extra_points[:, 2].max() + 2 * side, side))
    return Grid(origin, side, size[1], size[0], merged(each, END_LAYER_OFFSET * side), tuple(slabs))


def held_by(chains: Sequence[Chain]) -> float:
    """The side of voxels (mm) that hold all but a small share of the narrow regions of each ROI."""
    sides = []
    for roi in dict.fromkeys(chain.roi.number for chain in chains):
        drawn = [(chain, layer) for chain in chains if chain.roi.number == roi for layer in chain.layers]
        own = [(region, _slant(chain)) for chain, layer in drawn for region in layer.regions]
        area = np.array([region.area for region, _ in own])
        length, slant = np.array([region.length for region, _ in own]), np.array([slant for _, slant in own])
        width = 2 * area / length * slant  # a radius, or the thickness of a wall
        order = np.argsort(width, kind="stable")
        place = int(np.searchsorted(np.cumsum(area[order]), NARROW_SHARE * area.sum()))
        sides.append(float(width[order][min(place, len(order) - 1)]) / HELD)
    return min(sides, default=np.inf)


def _slant(chain: Chain) -> float:
    """How thick a vessel that moves on is across its own direction, of its thickness within a plane."""
    if chain.shift is None:
        return 1.0
    step = float(chain.positions[-1] - chain.positions[0])
    return step / float(np.hypot(step, np.hypot(*chain.shift)))


def expected_triangles(grid: Grid) -> int:
    """About how many triangles the largest ROI alone will have, from the outlines: before anything is drawn.

    Outlines cross |dx| + |dy| lines of the grid on each layer, and the surface a line along the normal wherever one
    plane has area that the next has not. Each crossing makes two triangles, of which half are left after merging; but
    not where area comes and goes more often than once, for there the sheets are a plane thick and stay as they are.
    """
    of_roi: dict[int, float] = {}
    for slab in grid.slabs:
        chain = slab.chain
        crossings = np.array([_crossings(layer.outlines) for layer in chain.layers]) / grid.side
        areas = [layer.area for layer in chain.layers]
        changed, once = float(chain.changes.sum()), 2 * max(areas)
        if chain.low < chain.positions[0] or len(chain.layers) == 1:  # it has ends of its own
            changed += areas[0] + areas[-1]
        else:
            once -= areas[0] + areas[-1]
        changed += max(0.0, changed - once)
        positions = chain.positions
        within = grid.layers[(grid.layers > chain.low) & (grid.layers < chain.high)]
        middles = (positions[1:] + positions[:-1]) / 2
        layers = np.bincount(np.searchsorted(middles, within), minlength=len(positions))
        crossed = float((crossings * layers).sum()) + changed / grid.side**2
        of_roi[chain.roi.number] = of_roi.get(chain.roi.number, 0.0) + crossed
    return int(max(of_roi.values(), default=0))


def _crossings(outlines: Sequence[np.ndarray]) -> float:
    return sum(float(np.abs(ahead(outline) - outline).sum()) for outline in outlines)


def _box(chain: Chain) -> np.ndarray:
    regions = [region for layer in chain.layers for region in layer.regions]
    box = np.array([np.min([r.low for r in regions], axis=0), np.max([r.high for r in regions], axis=0)])
    if chain.shift is not None:  # beyond its end planes it moves on
        further = np.abs(chain.shift) / 2
        box += [-further, further]
    return box


def _side(low: np.ndarray, high: np.ndarray, context_points: np.ndarray, resolution: int) -> tuple[float, float]:
    """The voxel's side in the plane (mm): the longest side of the box of all closed contours over Resolution, but at
    most the longest side of the chosen ROIs over half of it. And the finest side that there may be.

    Raises OutOfRange for a Resolution below two.
    """
    if resolution < 2:
        raise OutOfRange(f"the resolution is at least 2, not {resolution}")
    finest = float(FINEST_SIDE * max(np.abs(low).max(), np.abs(high).max()))
    all_low = np.minimum(low, context_points[:, :2].min(axis=0, initial=np.inf))
    all_high = np.maximum(high, context_points[:, :2].max(axis=0, initial=-np.inf))
    side = min((all_high - all_low).max() / resolution, (high - low).max() / (resolution / 2))
    return max(float(side), finest), finest


def _window(low: np.ndarray, high: np.ndarray, side: float, size: Sequence[int]) -> tuple[int, int, int, int]:
    """The part of the grid around one chain, from its box relative to the grid's origin."""
    first = np.floor(low / side).astype(int) - MARGIN
    count = [padded(int(np.ceil(h / side)) + MARGIN - int(f) + 1) for h, f in zip(high, first, strict=True)]
    start = [max(0, min(int(f), s - c)) for f, s, c in zip(first, size, count, strict=True)]
    count = [min(c, s) for c, s in zip(count, size, strict=True)]
    return start[1], start[0], count[1], count[0]
