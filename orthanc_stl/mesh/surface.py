"""Volumes -> closed triangle surfaces, by VTK."""

from __future__ import annotations

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints, vtkSMPTools
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkImageData, vtkPolyData
from vtkmodules.vtkFiltersCore import (
    vtkFlyingEdges3D,
    vtkTriangleMeshPointNormals,
    vtkWindowedSincPolyDataFilter,
)

from orthanc_stl.mesh.threads import in_order
from orthanc_stl.mesh.triangles import CHUNK, area_normals, corners_of
from orthanc_stl.mesh.types import Mesh

ITERATIONS = 10
PASS_BAND = 0.02
"""Of the windowed sinc filter (Taubin, Zhang, Golub, ECCV 1996), which takes ripples of a few edges off and keeps the
volume. docs/accuracy.md has what it does to contours that are shifted, noisy, or drawn along pixels."""

vtkSMPTools.SetBackend("STDThread")  # the same bytes as one thread: each output is worked out by one thread alone


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


def smooth_and_orient(points: np.ndarray, triangles: np.ndarray, *, smooth: bool, mirrored: bool = False) -> Mesh:
    """The mesh of `points` (n, 3) in LPS mm, smoothed if asked for; `mirrored` turns the triangles round."""
    if mirrored:
        triangles = triangles[:, ::-1]
    triangles = np.ascontiguousarray(triangles, dtype=np.int32)
    if smooth and len(triangles):
        mesh = Mesh(smoothed(points, triangles).astype(np.float32), triangles)
        if not has_flat_triangles(mesh):
            return mesh
    return Mesh(points.astype(np.float32), triangles)


def has_flat_triangles(mesh: Mesh) -> bool:
    """Whether some triangle has no area in the float32 coordinates of the STL."""

    def smallest(start: int) -> float:
        corners = corners_of(mesh.vertices, mesh.triangles[start : start + CHUNK])
        return float(np.abs(area_normals(corners)).max(axis=0).min(initial=np.inf))

    return min(in_order(smallest, range(0, len(mesh.triangles), CHUNK)), default=1.0) == 0


def smoothed(
    points: np.ndarray, triangles: np.ndarray, *, iterations: int = ITERATIONS, pass_band: float = PASS_BAND
) -> np.ndarray:
    """`points` (n, 3) after the windowed sinc filter."""
    middle = points.mean(axis=0)
    sinc = vtkWindowedSincPolyDataFilter()
    sinc.SetInputData(poly_data((points - middle).astype(np.float32), triangles))
    sinc.SetNumberOfIterations(iterations)
    sinc.SetPassBand(pass_band)
    sinc.BoundarySmoothingOff()
    sinc.FeatureEdgeSmoothingOff()
    sinc.NonManifoldSmoothingOn()
    sinc.NormalizeCoordinatesOn()
    sinc.Update()
    return vtk_to_numpy(sinc.GetOutput().GetPoints().GetData()).astype(np.float64) + middle


def vertex_normals(mesh: Mesh) -> np.ndarray:
    """Unit normals `(n, 3) float32` of the vertices: the means of their triangles', weighted by area."""
    normals = vtkTriangleMeshPointNormals()
    normals.SetInputData(poly_data(mesh.vertices, mesh.triangles))
    normals.Update()
    return vtk_to_numpy(normals.GetOutput().GetPointData().GetNormals()).copy()


def poly_data(points: np.ndarray, triangles: np.ndarray) -> vtkPolyData:
    """VTK's form of a mesh: `points` (n, 3) float32, `triangles` (m, 3) int32. Both are copied."""
    vertices = vtkPoints()
    vertices.SetData(numpy_to_vtk(points, deep=True))
    cells = vtkCellArray()
    offsets = np.arange(0, 3 * len(triangles) + 1, 3, dtype=np.int32)
    cells.SetData(numpy_to_vtk(offsets, deep=True), numpy_to_vtk(triangles.reshape(-1), deep=True))
    surface = vtkPolyData()
    surface.SetPoints(vertices)
    surface.SetPolys(cells)
    return surface
