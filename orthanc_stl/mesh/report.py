"""Facts on a mesh: what a physicist asks before trusting it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orthanc_stl.mesh.model import Mesh, Report

CHUNK = 16384
"""Triangles worked on at once, so that their arrays stay within the processor's cache."""


def report_of(mesh: Mesh, voxel: tuple[float, float, float] | None = None, warnings: Sequence[str] = ()) -> Report:
    """The report on `mesh`; an empty mesh counts as not closed, with a box of zeros."""
    area, volume = area_and_volume(mesh)
    edges, closed = edges_of(mesh)
    corners = np.unique(mesh.triangles).size
    return Report(
        triangles=len(mesh.triangles),
        volume=volume,
        area=area,
        box=box_of(mesh),
        closed=closed,
        euler_number=int(corners - edges + len(mesh.triangles)),
        voxel=voxel,
        warnings=tuple(warnings),
    )


def box_of(mesh: Mesh) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    if not len(mesh.vertices):
        return (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    low, high = mesh.vertices.min(axis=0).tolist(), mesh.vertices.max(axis=0).tolist()
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def area_and_volume(mesh: Mesh) -> tuple[float, float]:
    """Area in mm² and enclosed volume in mm³ (divergence theorem; negative if the triangles face inwards)."""
    area = volume = 0.0
    if not len(mesh.vertices):
        return area, volume
    middle = mesh.vertices.mean(axis=0, dtype=np.float64)  # keeps the products small, so that no digits are lost
    for start in range(0, len(mesh.triangles), CHUNK):
        corners = mesh.vertices[mesh.triangles[start : start + CHUNK]].astype(np.float64) - middle
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        area += 0.5 * float(np.sqrt(np.einsum("ij,ij->i", normal, normal)).sum())
        volume += float(np.einsum("ij,ij->", normal, corners[:, 0])) / 6
    return area, volume


def edges_of(mesh: Mesh) -> tuple[int, bool]:
    """The number of edges, and whether each has exactly two triangles, which pass it in opposite directions."""
    triangles = mesh.triangles.astype(np.int64)
    start, end = triangles.reshape(-1), np.roll(triangles, -1, axis=1).reshape(-1)
    count = max(len(mesh.vertices), 1)
    forward = np.sort((start * count + end)[start < end])
    backward = np.sort((end * count + start)[start >= end])
    closed = (
        len(forward) == len(backward) > 0
        and bool((forward == backward).all())
        and bool((forward[1:] != forward[:-1]).all())
    )
    if closed:
        return len(forward), True
    return len(np.unique(np.concatenate((forward, backward)))), False
