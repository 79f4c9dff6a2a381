"""Outlines drawn at random, and stacks of them, in mm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

Generator = np.random.Generator

Built = tuple[list[np.ndarray], float, int]
"""Outlines, the volume that they enclose, and its Euler number."""


def area(outline: np.ndarray) -> float:
    x, y = outline[:, 0], outline[:, 1]
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def blob(rng: Generator, radius: float, points: int | None = None) -> np.ndarray:
    """(n, 2): a round, uneven outline."""
    angles = np.linspace(0, 2 * np.pi, points or int(rng.integers(40, 160)), endpoint=False)
    waves = sum(
        rng.uniform(0, 0.25) / k * np.cos(k * angles + rng.uniform(0, 6.3)) for k in range(2, int(rng.integers(3, 6)))
    )
    wide = rng.uniform(1, 1.6)
    r = radius * (1 + waves)
    return np.stack([wide * r * np.cos(angles), r * np.sin(angles)], axis=1)


def placed(outline: np.ndarray, z: float, at: ArrayLike = (0, 0)) -> np.ndarray:
    return np.column_stack([outline + np.asarray(at), np.full(len(outline), z)])


def stack(outline: np.ndarray, planes: Sequence[float] | np.ndarray, at: ArrayLike = (0, 0)) -> list[np.ndarray]:
    return [placed(outline, z, at) for z in planes]


def thickness(planes: Sequence[float] | np.ndarray) -> float:
    """How tall a body is that goes half a step beyond its first and last plane."""
    steps = np.diff(planes)
    return float(planes[-1] - planes[0] + (steps[0] + steps[-1]) / 2)


def grid(rng: Generator, least: int = 4, most: int = 14, start: float = 0.0) -> tuple[np.ndarray, float]:
    spacing = float(rng.choice([0.8, 1, 1.25, 2, 2.5, 3, 5]))
    return start + spacing * np.arange(int(rng.integers(least, most))), spacing
