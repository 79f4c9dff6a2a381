"""The original plugin's own steps, as docs/accuracy.md describes them: the baseline of all comparisons.

Slices of the whole structure set as bitmaps of Resolution x Resolution, resized to Resolution cubed, a border of zeros,
marching cubes, 15 steps of Laplacian smoothing (relaxation 0.1), normals, binary STL. Reading the file and drawing the
bitmaps are not counted, in the original's favour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkSMPTools
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkMarchingCubes, vtkPolyDataNormals, vtkSmoothPolyDataFilter
from vtkmodules.vtkImagingCore import vtkImageConstantPad, vtkImageResize

from orthanc_stl.mesh.contours.raster import crossings, edges_of, inside

ITERATIONS, RELAXATION = 15, 0.1
INSIDE = 255


@dataclass(frozen=True)
class Slices:
    """Bitmaps `(slices, Resolution, Resolution) uint8` over the box of all contours, and where they lie (mm)."""

    pixels: np.ndarray
    origin: np.ndarray
    spacing: np.ndarray


def slices_of(outlines: list[np.ndarray], everything: np.ndarray, spacing: float, resolution: int) -> Slices:
    """The bitmaps of axial `outlines` (n, 3); `everything` (k, 3): points of all contours of the structure set."""
    low, high = everything.min(axis=0), everything.max(axis=0)
    pixel = (high - low)[:2] / resolution
    count = round((high[2] - low[2]) / spacing) + 1
    planes: list[list[np.ndarray]] = [[] for _ in range(count)]
    for outline in outlines:
        planes[round((outline[0, 2] - low[2]) / spacing)].append((outline[:, :2] - low[:2]) / pixel - 0.5)
    shape = (count, resolution, resolution)
    pixels = inside(crossings(edges_of(planes), resolution), shape).astype(np.uint8) * INSIDE
    return Slices(pixels, low + np.array([*(pixel / 2), 0]), np.array([*pixel, spacing]))


def original_mesh(slices: Slices, resolution: int, smooth: bool) -> vtkPolyData:
    """The surface as the original makes it, on one thread as it is."""
    backend = vtkSMPTools.GetBackend()
    vtkSMPTools.SetBackend("Sequential")
    try:
        image = vtkImageData()
        image.SetDimensions(*slices.pixels.shape[::-1])
        image.SetOrigin(*slices.origin)
        image.SetSpacing(*slices.spacing)
        image.GetPointData().SetScalars(numpy_to_vtk(slices.pixels.reshape(-1)))
        return _surface(image, resolution, smooth)
    finally:
        vtkSMPTools.SetBackend(backend)


def _surface(image: vtkImageData, resolution: int, smooth: bool) -> vtkPolyData:
    resize = vtkImageResize()
    resize.SetOutputDimensions(resolution, resolution, resolution)
    resize.SetInputData(image)
    pad = vtkImageConstantPad()
    pad.SetConstant(0)
    pad.SetOutputWholeExtent(-1, resolution, -1, resolution, -1, resolution)
    pad.SetInputConnection(resize.GetOutputPort())
    cubes = vtkMarchingCubes()
    cubes.SetValue(0, INSIDE / 2)
    cubes.SetInputConnection(pad.GetOutputPort())
    last: Any = cubes
    if smooth:
        last = vtkSmoothPolyDataFilter()
        last.SetNumberOfIterations(ITERATIONS)
        last.SetRelaxationFactor(RELAXATION)
        last.SetInputConnection(cubes.GetOutputPort())
    normals = vtkPolyDataNormals()
    normals.SetInputConnection(last.GetOutputPort())
    normals.Update()
    return normals.GetOutput()


def vertices_and_triangles(surface: vtkPolyData) -> tuple[np.ndarray, np.ndarray]:
    triangles = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    return vtk_to_numpy(surface.GetPoints().GetData()), triangles


def original_stl(slices: Slices, resolution: int, smooth: bool) -> bytes:
    """From the bitmaps to the bytes of the STL, which are written by a numpy record array (0.15 s a million)."""
    vertices, triangles = vertices_and_triangles(original_mesh(slices, resolution, smooth))
    corners = vertices[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    records = np.zeros(
        len(triangles), np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    )
    records["normal"], records["corners"] = normals, corners
    return bytes(80) + np.uint32(len(triangles)).tobytes() + records.tobytes()
