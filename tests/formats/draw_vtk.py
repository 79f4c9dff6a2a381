"""What VTK, by which 3D Slicer and ParaView draw, makes of files; `python -m tests.formats.draw_vtk` makes the pictures
of docs/exports.md. It draws without a display where libEGL and a driver are installed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import vtkmodules.vtkRenderingOpenGL2  # noqa: F401 - what draws
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOGeometry import vtkSTLReader
from vtkmodules.vtkIOImport import vtkGLTFImporter, vtkOBJImporter
from vtkmodules.vtkIOPLY import vtkPLYReader
from vtkmodules.vtkRenderingCore import (
    vtkActor,
    vtkPolyDataMapper,
    vtkRenderer,
    vtkRenderWindow,
    vtkWindowToImageFilter,
)

from orthanc_stl.formats.picture import png
from tests.formats.draw import BACKGROUND, IMAGES, SIZE, demo, files_of

KINDS = ("glb", "obj", "ply", "stl")
"""It has no reader of 3MF."""


def drawn(kind: str, folder: Path) -> np.ndarray:
    """The file of a folder as it is shown, from the front: `(height, width, 3) uint8`."""
    window = vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetAlphaBitPlanes(1)
    window.SetSize(SIZE["width"], SIZE["height"])
    if kind in ("glb", "obj"):
        importer: Any = vtkGLTFImporter() if kind == "glb" else vtkOBJImporter()
        importer.SetFileName(str(folder / ("scene.glb" if kind == "glb" else "model.obj")))
        if kind == "obj":
            importer.SetFileNameMTL(str(folder / "model.mtl"))
        importer.SetRenderWindow(window)
        importer.Update()
        view = window.GetRenderers().GetFirstRenderer()
    else:
        reader: Any = vtkPLYReader() if kind == "ply" else vtkSTLReader()
        reader.SetFileName(str(folder / f"scene.{kind}"))
        mapper, actor, view = vtkPolyDataMapper(), vtkActor(), vtkRenderer()
        mapper.SetInputConnection(reader.GetOutputPort())
        actor.SetMapper(mapper)
        view.AddActor(actor)
        window.AddRenderer(view)
    view.SetBackground([value / 255 for value in BACKGROUND])
    upward = kind == "glb"
    camera = view.GetActiveCamera()
    camera.ParallelProjectionOn()
    camera.SetFocalPoint(0, 0, 0)
    camera.SetPosition(*((0.41, 0.26, 0.87) if upward else (0.41, -0.87, 0.26)))
    camera.SetViewUp(0, 1 if upward else 0, 0 if upward else 1)
    view.ResetCamera()
    camera.Zoom(1.4)
    window.Render()
    grabbed = vtkWindowToImageFilter()
    grabbed.SetInput(window)
    grabbed.ReadFrontBufferOff()
    grabbed.Update()
    pixels = vtk_to_numpy(grabbed.GetOutput().GetPointData().GetScalars())
    return pixels.reshape(SIZE["height"], SIZE["width"], 3)[::-1]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in files_of(demo()).items():
            (folder / file).write_bytes(content)
        for kind in KINDS:
            (IMAGES / f"export-vtk-{kind}.png").write_bytes(png(drawn(kind, folder)))


if __name__ == "__main__":
    main()
