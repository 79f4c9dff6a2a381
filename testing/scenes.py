"""A scene with known colors, volumes and places, and one with the triangles that the promised times are of."""

from __future__ import annotations

import numpy as np

from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model, Part

FRAME = "1.2.826.0.1.3680043.2.1125.1"


def sphere(radius: float, centre: tuple[float, float, float], rings: int = 24) -> Mesh:
    """A ball of `4 * rings * (rings - 1)` triangles, closed, seen from outside counter-clockwise."""
    around = 2 * rings
    polar = np.linspace(0, np.pi, rings + 1)[1:-1]
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    sine = np.sin(polar)[:, None]
    wall = np.stack([sine * np.cos(angle), sine * np.sin(angle), np.repeat(np.cos(polar)[:, None], around, 1)], -1)
    vertices = np.concatenate([[[0, 0, 1]], wall.reshape(-1, 3), [[0, 0, -1]]]) * radius + np.array(centre)
    index = 1 + np.arange((rings - 1) * around).reshape(rings - 1, around)
    onward = np.roll(index, -1, axis=1)
    top = np.stack([np.zeros(around, int), index[0], onward[0]], -1)
    low, high = index[1:].reshape(-1), index[:-1].reshape(-1)
    low_on, high_on = onward[1:].reshape(-1), onward[:-1].reshape(-1)
    walls = np.concatenate([np.stack([high, low, low_on], -1), np.stack([high, low_on, high_on], -1)])
    bottom = np.stack([np.full(around, len(vertices) - 1), onward[-1], index[-1]], -1)
    return Mesh(vertices.astype(np.float32), np.concatenate([top, walls, bottom]).astype(np.int32))


def part(number: int, name: str, mesh: Mesh, **more: object) -> Part:
    return Part(number, name, mesh, report_of(mesh), **more)  # type: ignore[arg-type]


def half(mesh: Mesh) -> Mesh:
    """An open surface, without the vertices of the rest."""
    kept = mesh.triangles[: len(mesh.triangles) // 2]
    used, renumbered = np.unique(kept, return_inverse=True)
    return Mesh(mesh.vertices[used], renumbered.reshape(-1, 3).astype(np.int32))


def scene() -> Model:
    """Three structures: an inner one first, a transparent one around it, and an open surface. None is of a patient."""
    return Model(
        (
            part(5, "PTV 60 Gy <boost> & Größe", sphere(12, (-40, 25, -130)), color=(221, 130, 101), kind="PTV"),
            part(2, "External", sphere(60, (-40, 20, -120)), color=(10, 200, 60), opacity=0.15, kind="EXTERNAL"),
            part(9, "skin \\ scan", half(sphere(20, (60, -15, 30)))),
        ),
        title="Model generated from DICOM RT-STRUCT",
        frame_of_reference_uid=FRAME,
    )


def many_triangles(parts: int = 10, rings: int = 87) -> Model:
    """299,280 triangles in ten closed parts."""
    meshes = [sphere(20 + place, (70.3 * place - 310, 11.7, 133.1), rings) for place in range(parts)]
    named = [part(number, f"Structure {number}", mesh) for number, mesh in enumerate(meshes, 1)]
    return Model(tuple(named), frame_of_reference_uid=FRAME)
