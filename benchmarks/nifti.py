"""NIfTI to STL against the original's steps, in one run: `python -m benchmarks.nifti`. Takes about a minute.

The original's steps for a volume (measured with VTK's classes, as it uses them): resize to Resolution cubed, pad, marching
cubes at half of the range, Laplacian smoothing, normals, STL.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkMarchingCubes, vtkPolyDataNormals, vtkSmoothPolyDataFilter
from vtkmodules.vtkImagingCore import vtkImageConstantPad, vtkImageResize

from orthanc_stl.mesh.model import Mesh
from orthanc_stl.mesh.nifti import model_from_nifti
from orthanc_stl.mesh.nifti_file import read_nifti
from orthanc_stl.mesh.stl import stl_bytes
from tests.nifti_phantoms import ball_mask, nifti_file

HEADER = "benchmark UNITS=mm SPACE=LPS"


def ours(file: bytes, resolution: int) -> bytes:
    return stl_bytes(model_from_nifti(file, resolution=resolution)[0].mesh, HEADER)


def original(file: bytes, resolution: int) -> bytes:
    raw = read_nifti(file, max_bytes=1 << 40).raw.T
    image = vtkImageData()
    image.SetDimensions(*raw.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(raw.reshape(-1)))
    resize = vtkImageResize()
    resize.SetInputData(image)
    resize.SetOutputDimensions(resolution, resolution, resolution)
    pad = vtkImageConstantPad()
    pad.SetInputConnection(resize.GetOutputPort())
    pad.SetConstant(0)
    pad.SetOutputWholeExtent(-1, resolution, -1, resolution, -1, resolution)
    cubes = vtkMarchingCubes()
    cubes.SetInputConnection(pad.GetOutputPort())
    cubes.SetValue(0, (float(raw.min()) + float(raw.max())) / 2)
    cubes.ComputeNormalsOn()
    smooth = vtkSmoothPolyDataFilter()
    smooth.SetInputConnection(cubes.GetOutputPort())
    smooth.SetNumberOfIterations(15)
    smooth.SetRelaxationFactor(0.1)
    smooth.FeatureEdgeSmoothingOff()
    smooth.BoundarySmoothingOn()
    normals = vtkPolyDataNormals()
    normals.SetInputConnection(smooth.GetOutputPort())
    normals.ComputePointNormalsOn()
    normals.ComputeCellNormalsOn()
    normals.Update()
    surface = normals.GetOutput()
    points = vtk_to_numpy(surface.GetPoints().GetData()).astype(np.float32)
    triangles = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int32)
    return stl_bytes(Mesh(points, triangles), HEADER)


def seconds(function: Callable[[], object], times: int = 3) -> float:
    """The best of a few runs: what else the machine does only adds."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best


def tenth(side: int) -> bytes:
    """A mask of `side` cubed that a ball fills to a tenth."""
    return nifti_file(ball_mask((side, side, side), radius=side * (0.3 / (4 * np.pi)) ** (1 / 3)))


def accuracy(radius: float, spacing: tuple[float, float, float], resolution: int = 256) -> str:
    size = tuple(int(2 * radius / s) + 8 for s in spacing)
    centre = np.array([n * s / 2 + 0.3 for n, s in zip(size, spacing, strict=True)])
    mask = ball_mask(size, radius, spacing, centre)
    model, _, _ = model_from_nifti(nifti_file(mask, np.diag([*spacing, 1])), resolution=resolution)
    far = np.abs(np.linalg.norm(model.mesh.vertices * (-1, -1, 1) - centre, axis=1) - radius)
    volume = model.report.volume / (4 / 3 * np.pi * radius**3) - 1
    return f"mean {far.mean():.3f} mm, max {far.max():.2f} mm, volume {volume:+.2%}, {model.report.triangles} triangles"


def peak_mb(which: str, side: int, resolution: int) -> float:
    """Of a process of its own, above what it has before the conversion."""
    code = f"from benchmarks.nifti import *; print(grown_mb({which}, tenth({side}), {resolution}))"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def grown_mb(convert: Callable[[bytes, int], bytes], file: bytes, resolution: int) -> float:
    convert(nifti_file(ball_mask((16, 16, 16), 5)), 16)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    convert(file, resolution)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main() -> None:
    for radius, spacing in ((15, (1, 1, 1)), (15, (1, 1, 4)), (30, (0.5, 0.5, 3)), (5, (1, 1, 1)), (100, (1, 1, 1))):
        print(f"mask of a ball, r = {radius} mm, voxels {spacing} mm:".ljust(58), accuracy(radius, spacing))
    print("mask of a ball, r = 100 mm, voxels 1 mm, Resolution 64:".ljust(58), accuracy(100, (1, 1, 1), 64))
    for side, resolution in ((256, 256), (512, 512), (512, 256), (256, 512)):
        file = tenth(side)
        theirs, mine = seconds(lambda: original(file, resolution)), seconds(lambda: ours(file, resolution))  # noqa: B023
        name = f"{side} cubed, a tenth filled, Resolution {resolution}:"
        print(name.ljust(58), f"the original {theirs:.3f} s, ours {mine:.3f} s, ratio 1/{theirs / mine:.1f}")
    theirs, mine = peak_mb("original", 512, 512), peak_mb("ours", 512, 512)
    print(
        "peak memory beyond the file, 512 cubed at 512:".ljust(58), f"the original {theirs:.0f} MB, ours {mine:.0f} MB"
    )


if __name__ == "__main__":
    main()
