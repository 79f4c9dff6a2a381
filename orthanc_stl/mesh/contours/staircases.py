"""Outlines drawn along pixels: their steps are taken off, what they enclose stays.

Most tools that make contours of masks draw along the edges of pixels, or from centre to centre. Such an outline shows
itself: its edges follow four (or eight) directions, are whole numbers of steps long, and turn to and fro. Of these,
and of no others, waves shorter than some pixels are taken out. No point moves farther than about half a pixel, for
what the mask was made of lies no farther off; and the area is put back.
"""

from __future__ import annotations

import numpy as np

from orthanc_stl.mesh.contours.polygon import ahead, behind, signed_area

FEWEST_EDGES = 16
"""With fewer there are no steps to speak of."""

ALIGNED = 0.98
"""How well edges follow the directions of a grid (1: exactly; a round outline: 0)."""

WHOLE = 0.02
"""A fraction of a step: how far the lengths of edges may be from whole numbers of steps."""

TO_AND_FRO = 0.25
"""Of all corners, as many at least turn the other way than the one before; on outlines that are meant so, few do."""

SHORTEST_WAVE = 14.0
"""In steps: of waves this long, half is left. Where an outline nearly follows a row of pixels, its steps are 10 to 15
pixels long."""

FARTHEST = 0.6
FARTHEST_OF_ALL = 0.75
"""In steps: no point moves farther than the first along either direction, and none than the second after the last
smoothing."""

ROUNDS = 4


def without_steps(outline: np.ndarray) -> np.ndarray:
    """`outline` (m, 2) if it is not drawn along pixels; else a smooth one of the same area, a point a step."""
    grid = _grid_of(outline)
    if grid is None:
        return outline
    turn, step = grid
    steps = _every_step((outline - outline[0]) @ turn / step)
    middles = (steps + ahead(steps)) / 2
    if len(middles) < FEWEST_EDGES:
        return outline
    smooth = middles
    for _ in range(ROUNDS):
        smooth = _low_pass(np.clip(smooth, middles - FARTHEST, middles + FARTHEST))
    smooth = np.clip(smooth, middles - FARTHEST_OF_ALL, middles + FARTHEST_OF_ALL)
    smooth = _with_area(smooth * step, signed_area(outline))
    return smooth @ turn.T + outline[0]


def _grid_of(outline: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The directions (as columns) and steps (2,) of the pixels that the outline is drawn along; None if it is not."""
    edges = ahead(outline) - outline
    if len(edges) < FEWEST_EDGES:
        return None
    length = np.hypot(edges[:, 0], edges[:, 1])
    cross = edges[:, 0] * ahead(edges[:, 1]) - edges[:, 1] * ahead(edges[:, 0])
    turns = np.sign(cross[np.abs(cross) > 1e-6 * length.max() ** 2])
    if len(turns) < FEWEST_EDGES or np.mean(turns != behind(turns)) < TO_AND_FRO:
        return None
    angle = np.angle(edges[:, 0] + 1j * edges[:, 1])
    wave = next((k for k in (4, 8) if abs(np.average(np.exp(1j * k * angle), weights=length)) > ALIGNED), None)
    if wave is None:
        return None
    main = np.angle(np.average(np.exp(1j * wave * angle), weights=length)) / wave
    turn = np.array([[np.cos(main), -np.sin(main)], [np.sin(main), np.cos(main)]])
    along = np.abs(edges @ turn)
    steps = np.array([_step(along[:, axis], float(length.max())) for axis in (0, 1)])
    return (turn, steps) if (steps > 0).all() else None


def _step(lengths: np.ndarray, longest: float) -> float:
    """The step that all lengths are whole numbers of, 0 if there is none."""
    lengths = lengths[lengths > 1e-3 * longest]
    if not len(lengths):
        return 0.0
    step = float(np.median(lengths[lengths < 1.5 * lengths.min()]))
    return (
        step if np.abs(lengths / step - np.rint(lengths / step)).max() < WHOLE * max(1, lengths.max() / step) else 0.0
    )


def _every_step(corners: np.ndarray) -> np.ndarray:
    """The outline (in steps) with a point at each step."""
    steps = ahead(corners) - corners
    count = np.maximum(np.rint(np.abs(steps).max(axis=1)).astype(int), 1)
    start = np.repeat(np.arange(len(corners)), count)
    part = (np.arange(len(start)) - np.repeat(np.cumsum(count) - count, count)) / count[start]
    return np.asarray(corners[start] + part[:, None] * steps[start])


def _low_pass(points: np.ndarray) -> np.ndarray:
    """The closed curve with waves shorter than SHORTEST_WAVE points taken off, gently."""
    curve = points[:, 0] + 1j * points[:, 1]
    frequency = np.abs(np.fft.fftfreq(len(curve)))
    spectrum = np.fft.fft(curve) * np.exp(-np.log(2) * (frequency * SHORTEST_WAVE) ** 4)
    smooth = np.fft.ifft(spectrum)
    return np.stack([smooth.real, smooth.imag], axis=1)


def _with_area(outline: np.ndarray, area: float) -> np.ndarray:
    """The outline moved along its normals, evenly, until it has this signed area."""
    for _ in range(3):
        along = ahead(outline) - behind(outline)
        length = np.hypot(along[:, 0], along[:, 1])
        outward = np.stack([along[:, 1], -along[:, 0]], axis=1) / np.where(length > 0, length, 1)[:, None]
        outline = outline + outward * (area - signed_area(outline)) / (length.sum() / 2)
    return outline
