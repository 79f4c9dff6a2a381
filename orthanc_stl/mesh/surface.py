"""Volumes -> closed triangle surfaces, by VTK."""

from __future__ import annotations

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints, vtkSMPTools
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkImageData, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D, vtkWindowedSincPolyDataFilter

from orthanc_stl.mesh.model import Mesh

ITERATIONS = 10
PASS_BAND = 0.1
"""Of the windowed sinc filter (Taubin, Zhang, Golub, ECCV 1996), which takes ripples off without shrinking: waves shorter
than some ten edges go."""

vtkSMPTools.SetBackend("STDThread")  # the same bytes as one thread: each output is worked out by one thread alone


def surface_from_field(field: np.ndarray, affine: np.ndarray, *, smooth: bool, level: float = 0.0) -> Mesh:
    """The surface where `field` passes `level`, closed, with outward normals.

    `field` is (nz, ny, nx), any real type, larger inside; `affine` is (4, 4): index (x, y, z) to LPS mm, of either
    handedness. What is inside at the border of the field is closed there, half a voxel beyond the border.
    """
    points, triangles = isosurface(closed_field(field, level), level)
    placed = (points.astype(np.float64) - 1) @ affine[:3, :3].T + affine[:3, 3]
    return finished(placed, triangles, smooth=smooth, mirrored=bool(np.linalg.det(affine[:3, :3]) < 0))


def closed_field(field: np.ndarray, level: float) -> np.ndarray:
    """`field` with a voxel more on each side, as far outside as the field's border is inside."""
    padded = np.pad(field, 1, mode="edge")
    for axis in range(3):
        for end in (0, -1):
            face = np.moveaxis(padded, axis, 0)[end]
            face[...] = np.where(face >= level, 2 * level - face - (face == level), face)
    return padded


def isosurface(field: np.ndarray, level: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Vertices `(n, 3) float32` in voxel indices (x, y, z) and triangles `(m, 3) int32`, as flying edges gives them."""
    image = vtkImageData()
    image.SetDimensions(field.shape[2], field.shape[1], field.shape[0])
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(field).reshape(-1)))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, level)
    edges.ComputeNormalsOff()
    edges.ComputeScalarsOff()
    edges.Update()
    surface = edges.GetOutput()
    if not surface.GetNumberOfPolys():
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)
    triangles = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    return vtk_to_numpy(surface.GetPoints().GetData()), triangles.astype(np.int32, copy=False)


def finished(points: np.ndarray, triangles: np.ndarray, *, smooth: bool, mirrored: bool = False) -> Mesh:
    """The mesh of `points` (n, 3) in LPS mm, smoothed if asked for; `mirrored` turns the triangles round."""
    if smooth and len(triangles):
        points = smoothed(points, triangles)
    if mirrored:
        triangles = triangles[:, ::-1]
    return Mesh(points.astype(np.float32), np.ascontiguousarray(triangles, dtype=np.int32))


def smoothed(
    points: np.ndarray, triangles: np.ndarray, *, iterations: int = ITERATIONS, pass_band: float = PASS_BAND
) -> np.ndarray:
    """`points` (n, 3) after the windowed sinc filter."""
    middle = points.mean(axis=0)
    surface = vtkPolyData()
    vertices = vtkPoints()
    vertices.SetData(numpy_to_vtk((points - middle).astype(np.float32), deep=True))
    surface.SetPoints(vertices)
    cells = vtkCellArray()
    offsets = np.arange(0, 3 * len(triangles) + 1, 3, dtype=np.int32)
    cells.SetData(numpy_to_vtk(offsets, deep=True), numpy_to_vtk(triangles.reshape(-1), deep=True))
    surface.SetPolys(cells)
    sinc = vtkWindowedSincPolyDataFilter()
    sinc.SetInputData(surface)
    sinc.SetNumberOfIterations(iterations)
    sinc.SetPassBand(pass_band)
    sinc.BoundarySmoothingOff()
    sinc.FeatureEdgeSmoothingOff()
    sinc.NonManifoldSmoothingOn()
    sinc.NormalizeCoordinatesOn()
    sinc.Update()
    return vtk_to_numpy(sinc.GetOutput().GetPoints().GetData()).astype(np.float64) + middle
