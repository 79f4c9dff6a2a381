"""Others' work on the same contours: scikit-image, the original's own steps, and the trapezoid rule."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree
from skimage.draw import polygon2mask
from skimage.measure import marching_cubes, mesh_surface_area

from orthanc_stl.mesh.contours.raster import crossings, edges_of, inside
from testing.original import original_mesh, slices_of, vertices_and_triangles
from testing.solids import Solid, cone, fork, model_of, ring, torus


@pytest.mark.slow
@pytest.mark.parametrize("solid", [cone(slices=60, spacing=0.5), torus(spacing=0.5)], ids=["cone", "torus"])
def test_scikit_image_agrees_where_planes_are_as_close_as_pixels(solid: Solid) -> None:
    points = np.concatenate(solid.outlines)
    low, voxel = points.min(axis=0) - 1, 0.5
    shape = np.ceil((points.max(axis=0) - low) / voxel).astype(int) + 3
    volume = np.zeros((shape[2], shape[1], shape[0]), bool)
    for outline in solid.outlines:
        place = (outline - low) / voxel
        volume[round(place[0, 2])] ^= polygon2mask((shape[1], shape[0]), place[:, [1, 0]])
    vertices, faces, _, _ = marching_cubes(np.pad(volume, 1).astype(float), 0.5)
    theirs = (vertices[:, ::-1] - 1) * voxel + low
    model = model_of(solid, resolution=round((points.max(axis=0) - points.min(axis=0)).max() / voxel))
    assert model.report.volume == pytest.approx(volume.sum() * voxel**3, rel=0.02)
    assert cKDTree(theirs).query(model.mesh.vertices)[0].max() < 1.5 * np.sqrt(3) * voxel
    assert cKDTree(model.mesh.vertices).query(theirs)[0].max() < 1.5 * np.sqrt(3) * voxel
    assert mesh_surface_area(theirs, faces) > model.report.area > 0.85 * mesh_surface_area(theirs, faces)


@pytest.mark.parametrize("sides", [3, 4, 7, 60])
def test_pixels_inside_are_those_of_scikit_image(sides: int) -> None:
    outline = ring(20, 0, (27.31, 24.77), sides)[:, :2]
    ours = inside(crossings(edges_of([[outline]]), 50), (1, 50, 60))[0]
    assert np.array_equal(ours, polygon2mask((50, 60), outline[:, ::-1]))


def test_within_a_voxel_of_the_original_where_it_is_right() -> None:
    """Axial, counter-clockwise, one ROI, away from the ends: there the original's surface is in the right place."""
    outlines = [ring(20, z) * [1.5, 1, 1] + [0.01 * z * z, 0, 0] for z in np.arange(-30.0, 31, 3)]
    slices = slices_of(outlines, np.concatenate(outlines), 3, 96)
    theirs, _ = vertices_and_triangles(original_mesh(slices, 96, smooth=True))
    ours = model_of(Solid(outlines, 0, 2, np.abs), resolution=96).mesh.vertices
    middle = np.abs(ours[:, 2]) < 24
    voxel = float(np.linalg.norm([slices.spacing[0], slices.spacing[1], 60 / 96]))
    assert cKDTree(theirs).query(ours[middle])[0].max() < voxel


@pytest.mark.parametrize("solid", [cone(), torus(), fork()], ids=["cone", "torus", "fork"])
def test_trapezoid_rule(solid: Solid) -> None:
    """Sum of areas times spacing, half at the ends: what planning systems print."""
    heights = np.array([outline[0, 2] for outline in solid.outlines])
    areas = dict.fromkeys(np.unique(heights), 0.0)
    for outline, z in zip(solid.outlines, heights, strict=True):
        x, y = outline[:, 0], outline[:, 1]
        areas[z] += float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    volume = np.trapezoid(list(areas.values()), list(areas))
    assert model_of(solid, end_caps=False, resolution=128).report.volume == pytest.approx(volume, rel=0.025)
