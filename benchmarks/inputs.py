"""The inputs of the measurements, as bytes of RT-STRUCT files and as what is true of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orthanc_stl.dicom.structure_set import read_structure_set
from orthanc_stl.formats.stl import stl_bytes
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.progress import Progress, no_progress
from orthanc_stl.mesh.types import Surface
from testing.phantoms import ball, cylinder, large_structure_set, structure_set

HEADER = "orthanc-stl benchmark UNITS=mm SPACE=LPS"


@dataclass(frozen=True)
class Ball:
    """A file with a ball named "Ball", of this radius and centre (mm), on planes so far apart."""

    data: bytes
    radius: float
    centre: tuple[float, float, float]
    spacing: float

    def errors(self, vertices: np.ndarray) -> np.ndarray:
        """Distances (mm) of `vertices` (n, 3) to the true ball."""
        return np.abs(np.linalg.norm(vertices.astype(float) - self.centre, axis=1) - self.radius)


def rt60(spacing: float = 3.0, rois: int = 1) -> Ball:
    """60 slices 3 mm apart: a ball of radius 60 mm (40 contours) and a BODY of 180 x 144 mm (60 contours)."""
    planes = -88.5 + spacing * np.arange(round(180 / spacing))
    balls = [ball("Ball" if k == 0 else f"Ball {k}", 60, (0, 0, 0.5), spacing, -88.5) for k in range(rois)]
    return Ball(structure_set([*balls, cylinder("BODY", planes=planes)]), 60, (0, 0, 0.5), spacing)


def ball_alone() -> Ball:
    return Ball(structure_set([ball("Ball", 30, first=1.5)]), 30, (0, 0, 0), 3)


def ball_beside_body() -> Ball:
    """The same ball, with a BODY of 400 x 300 mm in the file."""
    body = cylinder("BODY", 150, -88.5 + 3 * np.arange(60), wide=4 / 3)
    return Ball(structure_set([ball("Ball", 30, first=1.5), body]), 30, (0, 0, 0), 3)


def file_of_50_mb() -> bytes:
    return large_structure_set()


def model_of(
    data: bytes, names: list[str], resolution: int, smooth: bool = True, progress: Progress = no_progress
) -> Surface:
    structures = read_structure_set(data)
    numbers = [roi.number for roi in structures.rois if roi.name in names]
    rois, _ = structures.contours(numbers)
    around = structures.surroundings(numbers)
    return surface_from_contours(rois, surroundings=around, resolution=resolution, smooth=smooth, progress=progress)


def stl_of(data: bytes, names: list[str], resolution: int, smooth: bool = True) -> bytes:
    """File bytes -> STL bytes."""
    return stl_bytes(model_of(data, names, resolution, smooth).mesh, HEADER)


def stl_in_steps(data: bytes, name: str, resolution: int, progress: Progress) -> bytes:
    """File bytes -> STL bytes, telling each step."""
    progress(0.0, "reading the file")
    mesh = model_of(data, [name], resolution, progress=progress).mesh
    progress(0.9, "writing the STL")
    return stl_bytes(mesh, HEADER)


def outlines_of(data: bytes, name: str) -> tuple[list[np.ndarray], np.ndarray]:
    """The contours of a ROI, and points of all contours of the file."""
    structures = read_structure_set(data)
    numbers = [roi.number for roi in structures.rois if roi.name == name]
    rois, _ = structures.contours(numbers)
    return [contour.points for contour in rois[0].contours], np.concatenate(structures.surroundings([])).reshape(-1, 3)
