"""The grid of voxels around the chosen ROIs, by the Resolution rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orthanc_stl.errors import OutOfRange, TooLarge
from orthanc_stl.mesh.contours.distance import padded
from orthanc_stl.mesh.contours.planes import RoiPlanes, Stack
from orthanc_stl.mesh.contours.slices import Piece, layers_of, pieces_of, usual_spacing
from orthanc_stl.settings import Settings

MAX_VOXELS = Settings.max_voxels  # two bytes each
MAX_TRIANGLES = Settings.max_triangles  # 50 bytes each in the file

MARGIN = 2
"""Pixels around the outlines, so that every body is closed."""

LONGEST_STEP = 2.0
"""Sides of a voxel in the plane: its longest side along the normal. Slices lie farther apart than points on a contour,
so a longer step loses nothing and saves memory and triangles."""

BRIM = 0.1
"""Sides of a voxel: how far inside and outside of a flat end the last two layers lie."""

FINEST_SIDE = 2.0**-15
"""Of the largest coordinate: voxels do not get smaller than that, however small a ROI is, so that vertices differ in
their float32 coordinates (24 bits). At 500 mm from the origin that is 0.015 mm."""


NARROW = 2.0
"""Voxels: narrower outlines lose about half of their area or more (measured: discs of two voxels keep 44 %, squares
56 %, of one voxel 7 to 10 %)."""

NARROW_SHARE = 0.1
"""Of the area of a ROI: as much may lie in narrow outlines without a word; the tips of organs do."""


@dataclass(frozen=True)
class Limits:
    voxels: int
    triangles: int


@dataclass(frozen=True)
class Slab:
    """One ROI on the grid: its planes, its pieces, and the window (first row, first column, rows, columns)."""

    roi: RoiPlanes
    positions: np.ndarray
    pieces: tuple[Piece, ...]
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
    stack: Stack,
    around: np.ndarray,
    resolution: int,
    end_caps: bool,
    limits: Limits,
    also: np.ndarray | None = None,
) -> tuple[Grid, list[str]]:
    """The grid for `stack`, and what had to be guessed.

    `around` is (k, 3) float64: points of the structure set's other ROIs in the stack's frame. `also`: points of the
    same kind that the grid has to hold, of bodies that are not drawn here. Raises TooLarge before anything of that
    size is made.
    """
    if resolution < 2:
        raise OutOfRange(f"Resolution is at least 2, not {resolution}")
    boxes = [_box(roi) for roi in stack.rois]
    corners = np.concatenate([*boxes, also[:, :2]] if also is not None else boxes)
    low, high = corners.min(axis=0), corners.max(axis=0)
    side = _side(low, high, around, resolution)
    origin = low - MARGIN * side
    size = [padded(int(np.ceil(extent / side)) + 2 * MARGIN + 1) for extent in high - low]
    slabs: list[Slab] = []
    warnings: list[str] = []
    for roi, (start, end) in zip(stack.rois, boxes, strict=True):
        positions, pieces = _pieces(roi, around, end_caps, warnings)
        slabs.append(Slab(roi, positions, pieces, _window(start - origin, end - origin, side, size)))
        warnings += _narrow_outlines(roi, side)
    each = [layers_of(slab.positions, slab.pieces, LONGEST_STEP * side, BRIM * side) for slab in slabs]
    if also is not None:
        each.append(np.arange(also[:, 2].min() - 2 * side, also[:, 2].max() + 2 * side, side))
    grid = Grid(origin, side, size[1], size[0], _merged(each, side), tuple(slabs))
    _check(grid, resolution, limits)
    return grid, warnings


def _pieces(
    roi: RoiPlanes, around: np.ndarray, end_caps: bool, warnings: list[str]
) -> tuple[np.ndarray, tuple[Piece, ...]]:
    positions = np.array([plane.position for plane in roi.planes])
    usual, guess = usual_spacing(positions, around[:, 2])
    if guess:
        warnings.append(f'ROI "{roi.name}" {guess}')
    pieces = tuple(pieces_of(positions, usual, end_caps))
    if not end_caps and any(piece.first == piece.last for piece in pieces):
        warnings.append(f'a single slice of ROI "{roi.name}" is given the thickness of a slice without EndCaps too')
    return positions, pieces


def _narrow_outlines(roi: RoiPlanes, side: float) -> list[str]:
    """A warning if too much of the ROI is too narrow for such voxels."""
    outlines = [outline for plane in roi.planes for outline in plane.outlines]
    areas, lengths = np.array([_area_and_length(outline) for outline in outlines]).T
    narrow = 4 * areas < NARROW * side * lengths  # the side of a square is four areas by its length
    if areas[narrow].sum() <= NARROW_SHARE * areas.sum():
        return []
    return [
        f'{np.count_nonzero(narrow)} of {len(outlines)} contours of ROI "{roi.name}" are narrower than two voxels'
        f" ({NARROW * side:.3g} mm), so that part of them is lost: a higher Resolution shows more"
    ]


def _area_and_length(outline: np.ndarray) -> tuple[float, float]:
    steps = np.roll(outline, -1, axis=0) - outline
    area = abs(float((outline[:, 0] * steps[:, 1] - outline[:, 1] * steps[:, 0]).sum())) / 2
    return area, float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def _check(grid: Grid, resolution: int, limits: Limits) -> None:
    voxels = len(grid.layers) * grid.rows * grid.columns
    if voxels > limits.voxels:
        raise TooLarge(
            f"Resolution {resolution} makes {voxels:,} voxels here, more than the {limits.voxels:,} of the option"
            ' "MaxVoxels"'
        )
    triangles = expected_triangles(grid)
    if triangles > limits.triangles:
        raise TooLarge(
            f"Resolution {resolution} makes about {triangles:,} triangles here, more than the {limits.triangles:,} of"
            ' the option "MaxTriangles"'
        )


def expected_triangles(grid: Grid) -> int:
    """About how many triangles the largest ROI alone will have, from the outlines: before anything is drawn.

    Outlines cross |dx| + |dy| lines of the grid on each layer, and the surface a line along the normal wherever the
    area changes. Each crossing makes two triangles, of which half are left after merging vertices.
    """
    most = 0.0
    for slab in grid.slabs:
        planes = [_measured(plane.outlines, grid.side) for plane in slab.roi.planes]
        crossings, areas = np.array(planes).T
        middles = (slab.positions[1:] + slab.positions[:-1]) / 2
        layers = np.bincount(np.searchsorted(middles, grid.layers), minlength=len(planes))
        steps = np.abs(np.diff(areas, prepend=0, append=0)).sum()
        most = max(most, float((crossings * layers).sum() + steps))
    return int(most)


def _measured(outlines: Sequence[np.ndarray], side: float) -> tuple[float, float]:
    """Lines of the grid that outlines cross, and pixels they enclose (holes, drawn as outlines too, count as area)."""
    crossings = area = 0.0
    for outline in outlines:
        crossings += float(np.abs(np.roll(outline, -1, axis=0) - outline).sum()) / side
        area += _area_and_length(outline)[0] / side**2
    return crossings, area


def _box(roi: RoiPlanes) -> np.ndarray:
    points = np.concatenate([outline for plane in roi.planes for outline in plane.outlines])
    return np.array([points.min(axis=0), points.max(axis=0)])


def _side(low: np.ndarray, high: np.ndarray, around: np.ndarray, resolution: int) -> float:
    """The voxel's side in the plane (mm): the longest side of the box of all closed contours over Resolution, but at
    most the longest side of the chosen ROIs over half of it."""
    finest = FINEST_SIDE * max(np.abs(low).max(), np.abs(high).max())
    all_low = np.minimum(low, around[:, :2].min(axis=0, initial=np.inf))
    all_high = np.maximum(high, around[:, :2].max(axis=0, initial=-np.inf))
    side = min((all_high - all_low).max() / resolution, (high - low).max() / (resolution / 2))
    return max(float(side), float(finest), 1e-6)


def _window(low: np.ndarray, high: np.ndarray, side: float, size: Sequence[int]) -> tuple[int, int, int, int]:
    """The part of the grid around one ROI, from its box relative to the grid's origin."""
    first = np.floor(low / side).astype(int) - MARGIN
    count = [padded(int(np.ceil(h / side)) + MARGIN - int(f) + 1) for h, f in zip(high, first, strict=True)]
    start = [max(0, min(int(f), s - c)) for f, s, c in zip(first, size, count, strict=True)]
    count = [min(c, s) for c, s in zip(count, size, strict=True)]
    return start[1], start[0], count[1], count[0]


def _merged(each: Sequence[np.ndarray], side: float) -> np.ndarray:
    """The layers of all ROIs, without such as nearly coincide."""
    if len(each) == 1:
        return each[0]
    layers = np.unique(np.concatenate(each))
    least = min(BRIM * side, *(0.5 * float(np.diff(own).min()) for own in each))
    keep = [layers[0]]
    for layer in layers[1:]:
        if layer - keep[-1] > least:
            keep.append(layer)
    keep[-1] = layers[-1]  # the outermost is outside of every ROI
    return np.array(keep)
