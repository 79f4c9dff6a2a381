"""The pictures of docs/accuracy.md: `python -m benchmarks.pictures` (needs matplotlib)."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import vtkmodules.vtkRenderingOpenGL2  # noqa: F401  without it nothing is rendered
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkRenderingCore import (
    vtkActor,
    vtkPolyDataMapper,
    vtkRenderer,
    vtkRenderWindow,
    vtkWindowToImageFilter,
)

from benchmarks import inputs
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.contours.distance import UNITS, padded, signed_distances
from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.parts import Chain, Usual, chains_of
from orthanc_stl.mesh.contours.planes import stacks_of
from orthanc_stl.mesh.contours.regions import regions_of
from orthanc_stl.mesh.contours.staircases import without_steps
from testing.data import FOLDER
from testing.original import original_mesh, slices_of, vertices_and_triangles
from testing.solids import along_pixels, ring, roi_of

FOLDER_OF_PICTURES = Path(__file__).resolve().parents[1] / "docs/images"
PIXELS = 420


def rendered(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The mesh, flat shaded, seen from the front and a little above: `(PIXELS, PIXELS, 3) uint8`."""
    points = vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(vertices, np.float32), deep=True))
    cells = vtkCellArray()
    offsets = np.arange(0, 3 * len(triangles) + 1, 3)
    cells.SetData(numpy_to_vtk(offsets, deep=True), numpy_to_vtk(triangles.astype(np.int64).reshape(-1), deep=True))
    surface = vtkPolyData()
    surface.SetPoints(points)
    surface.SetPolys(cells)
    mapper = vtkPolyDataMapper()
    mapper.SetInputData(surface)
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().SetInterpolationToFlat()
    actor.GetProperty().SetColor(0.93, 0.78, 0.62)
    renderer = vtkRenderer()
    renderer.SetBackground(1, 1, 1)
    renderer.AddActor(actor)
    return _picture(renderer)


def _picture(renderer: vtkRenderer) -> np.ndarray:
    window = vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetSize(PIXELS, PIXELS)
    window.AddRenderer(renderer)
    camera = renderer.GetActiveCamera()
    camera.SetPosition(0, -1, 0.35)
    camera.SetViewUp(0, 0, 1)
    camera.Azimuth(30)
    renderer.ResetCamera()
    camera.Zoom(1.3)
    window.Render()
    grab = vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.ReadFrontBufferOff()
    grab.Update()
    image = grab.GetOutput()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(PIXELS, PIXELS, -1)[::-1]


def original_of(data: bytes, name: str, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    outlines, everything = inputs.outlines_of(data, name)
    return vertices_and_triangles(original_mesh(slices_of(outlines, everything, spacing, 256), 256, True))


def side_by_side(name: str, pictures: list[tuple[str, np.ndarray, np.ndarray]]) -> None:
    figure, axes = plt.subplots(1, len(pictures), figsize=(3.1 * len(pictures), 3.7))
    for axis, (title, vertices, triangles) in zip(axes, pictures, strict=True):
        axis.imshow(rendered(vertices, triangles))
        axis.set_title(title, fontsize=8)
        axis.axis("off")
    save(figure, name)


def save(figure: Figure, name: str) -> None:
    figure.tight_layout()
    figure.savefig(FOLDER_OF_PICTURES / f"accuracy-{name}.png", dpi=85, bbox_inches="tight")
    plt.close(figure)


def balls() -> None:
    file = inputs.ball_alone()
    meshes = [("the original", *original_of(file.data, "Ball", 3))]
    for smooth in (False, True):
        mesh = inputs.model_of(file.data, ["Ball"], 256, smooth).mesh
        meshes.append((f"ours, Smooth {str(smooth).lower()}", mesh.vertices, mesh.triangles))
    titled = []
    for title, vertices, triangles in meshes:
        errors = file.errors(vertices)
        facts = f"{len(triangles):,} triangles\nerror: mean {errors.mean():.2f} mm, largest {errors.max():.2f} mm"
        titled.append((f"{title}\n{facts}", vertices, triangles))
    side_by_side("ball", titled)


def organs() -> None:
    data = (FOLDER / "rtstruct/eclipse8-prostate/RS.dcm").read_bytes()
    pictures = []
    for name in ("Bladder", "Rectum"):
        pictures.append((f"{name}, the original", *original_of(data, name, 2.5)))
        mesh = inputs.model_of(data, [name], 256).mesh
        pictures.append((f"{name}, ours", mesh.vertices, mesh.triangles))
    side_by_side("organs", pictures)


def profile() -> None:
    """The outline of the ball near its top, cut through the middle."""
    file = inputs.ball_alone()
    figure, axis = plt.subplots(figsize=(7, 3.6))
    for z in np.arange(10.5, 30, 3):
        half = np.sqrt(900 - z * z)
        axis.plot([-half, half], [z, z], color="0.75", lw=1, label="contours" if z == 10.5 else None)
    angle = np.linspace(0, np.pi, 400)
    axis.plot(30 * np.cos(angle), 30 * np.sin(angle), "k:", lw=1, label="the true ball")
    ours = inputs.model_of(file.data, ["Ball"], 256).mesh.vertices
    for vertices, colour, label in ((original_of(file.data, "Ball", 3)[0], "C3", "the original"), (ours, "C0", "ours")):
        cut = vertices[np.abs(vertices[:, 1]) < 0.13]
        axis.plot(cut[:, 0], cut[:, 2], ".", color=colour, ms=1.5, label=label)
    axis.set(xlim=(0, 30), ylim=(12, 31), xlabel="mm", ylabel="mm")
    axis.set_aspect("equal")
    axis.legend(fontsize=8, markerscale=6)
    save(figure, "profile")


def distances() -> None:
    """Signed distances on two planes, and the body's outline at three heights between them."""
    rows = columns = padded(100)
    circle, pair = ring(26, 0, (50, 50))[:, :2], [ring(11, 0, (x, 50))[:, :2] for x in (34, 66)]
    fields, _ = signed_distances([[circle], pair], rows, columns)
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.2))
    titles = ("distances on one plane", "and on the next", "between them, at every quarter")
    for axis, field, title in zip(axes, [*fields, None], titles, strict=True):
        axis.set_title(title, fontsize=9)
        axis.axis("off")
        axis.set_aspect("equal")
        if field is not None:
            axis.imshow(field / UNITS, cmap="RdBu", vmin=-30, vmax=30)
            axis.contour(field, [0], colors="k")
    between = fields.astype(float)
    for part in np.linspace(0, 1, 5):
        axes[2].contour((1 - part) * between[0] + part * between[1], [0], colors=[mpl.colormaps["viridis"](part)])
    save(figure, "distances")


def slabs_of(chain: Chain) -> list[tuple[float, float, int]]:
    """From where to where (mm along the normal) each layer's slice goes, and which one it is."""
    places = chain.positions
    marks = [chain.low, *((places[1:] + places[:-1]) / 2).tolist(), chain.high]
    return [(marks[k], marks[k + 1], k) for k in range(len(places))]


def parts() -> None:
    """Two parts of a ROI from the side: what the plan makes of their outlines, and what the surface is."""
    heights = [*np.arange(0, 12), *np.arange(12, 31, 3.0)]
    tube = [ring(9 + 2 * np.sin(z / 7), z, (-14, 0), 60) for z in heights]
    beside = [ring(7, z, (14, 0), 60) for z in [*np.arange(1.4, 12, 3), *np.arange(22.4, 32, 3)]]
    roi = roi_of(tube + beside)
    (stack,) = stacks_of([roi], Findings())
    (outlines,) = stack.rois
    chains = chains_of(outlines, regions_of(outlines, True, Findings()), Usual(None, True), Findings())
    mesh = surface_from_contours([roi], resolution=256).mesh
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.8), sharey=True)
    for chain in chains:
        colour = f"C{chain.part}"
        for low, high, k in slabs_of(chain):
            region = chain.layers[k].regions[0]
            left, right, z = region.low[0], region.high[0], chain.layers[k].position
            axes[0].add_patch(Rectangle((left, low), right - left, high - low, color=colour, alpha=0.25, lw=0))
            axes[0].plot([left, right], [z, z], color=colour, lw=1)
    cut = mesh.vertices[np.abs(mesh.vertices[:, 1]) < 0.25]
    axes[1].plot(cut[:, 0], cut[:, 2], "k.", ms=0.8)
    for axis, title in zip(axes, ("outlines, and the slices that are counted", "cut through the surface"), strict=True):
        axis.set(xlim=(-28, 24), ylim=(-3, 34), xlabel="mm", title=title)
        axis.title.set_size(9)
        axis.set_aspect("equal")
    axes[0].set_ylabel("mm along the normal")
    save(figure, "parts")


def stairs() -> None:
    """A circle along pixels, and what is made of it."""
    x = np.arange(-14, 15)
    outline = along_pixels(x**2 + (x[:, None] - 0.2) ** 2 < 11.3**2, (1.0, 1.0), (-14.5, -14.5))
    smooth = without_steps(outline)
    figure, axis = plt.subplots(figsize=(3.6, 3.6))
    for points, colour, label in ((outline, "0.6", "contour"), (smooth, "C0", "with Smooth")):
        axis.plot(*np.vstack([points, points[:1]]).T, color=colour, lw=1.2, label=label)
    axis.set_aspect("equal")
    axis.legend(fontsize=7, loc="center")
    axis.axis("off")
    save(figure, "stairs")


if __name__ == "__main__":
    mpl.use("Agg")
    FOLDER_OF_PICTURES.mkdir(parents=True, exist_ok=True)
    for draw in (balls, organs, profile, distances, parts, stairs):
        draw()
