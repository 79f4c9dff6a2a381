"""Surfaces of contours and masks do not pass through themselves: smoothed or not, and once the volume is put right."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.measure import find_contours

from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.crossings import without_new_crossings
from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.surface import vertex_normals
from orthanc_stl.mesh.triangles import together
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.mesh.volumes.build import surface_from_volume
from orthanc_stl.mesh.volumes.volume import Volume
from testing import solids
from tests.mesh.random_sets import random_case
from tests.mesh.shapes import box, sphere

SPACING = 3.0
FINE = {"lung": 96, "arch": 96}
"""Resolutions at which blending along centroids, and moves for the volume, made these cross; 64 for others."""


def lung() -> list[np.ndarray]:
    """A lung on a dome of the diaphragm: from below, crescents that grow from plane to plane around the dome."""
    x, y = np.meshgrid(np.arange(-70.0, 71), np.arange(-90.0, 91))
    found = []
    for z in np.arange(-60.0, 1.0, SPACING):
        outside = (np.sqrt((x / 60) ** 2 + (y / 80) ** 2 + (z / 128) ** 2) - 1) * 60
        dome = -70 + 34 * np.clip(1 - ((x + 20) / 66) ** 2 - ((y + 15) / 92) ** 2, 0, None) - z
        for outline in find_contours(np.maximum(outside, dome), 0):
            found.append(np.column_stack((outline[:-1, ::-1] - (70, 90), np.full(len(outline) - 1, z))))
    return found


def arch() -> list[np.ndarray]:
    """A vertebral arch: a ring that narrows and widens from plane to plane, open in front on some of them."""
    x, y = np.meshgrid(np.arange(-30, 30.5, 0.5), np.arange(-30, 30.5, 0.5))
    found = []
    for z in np.arange(0.0, 60.0, SPACING):
        height = abs(z % 26 - 13)
        body = np.hypot(x / 1.15, y + 15) - (12 - 2 * np.cos(height / 13 * np.pi))
        process = np.hypot(x / 4, (y - 14) / 12) * 8 - 8 + 0.8 * (13 - height)
        ring = np.abs(np.hypot(x, y - 6) - 11) - 3.0 + 0.4 * (13 - height)
        for outline in find_contours(np.minimum(np.minimum(body, process), ring), 0):
            found.append(np.column_stack((outline[:-1, ::-1] / 2 - 30, np.full(len(outline) - 1, z))))
    return found


BODIES = {
    "lung": lung(),
    "arch": arch(),
    "ball": solids.ball(20).outlines,
    "small ball": solids.ball(5, spacing=1.5).outlines,
    "cone": solids.cone().outlines,
    "torus": solids.torus().outlines,
    "hollow shell": solids.hollow_shell().outlines,
    "two balls": solids.two_balls().outlines,
    "fork": solids.fork().outlines,
    "thin plate": solids.thin_plate(slices=6).outlines,
    "oblique vessel": [solids.ring(2, z, (1.6 * z / 3, 0.4 * z)) for z in np.arange(0, 45, 3.0)],
}


@pytest.mark.parametrize("smooth", [True, False], ids=["smooth", "plain"])
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in FINE else ()) for name in BODIES]
)
def test_surfaces_do_not_cross_themselves(name: str, smooth: bool) -> None:
    surface = surface_from_contours([solids.roi_of(BODIES[name])], resolution=FINE.get(name, 64), smooth=smooth)
    assert surface.report.closed
    assert not len(crossing_triangles(surface.mesh))


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
def test_random_sets_do_not_cross_themselves(seed: int) -> None:
    case = random_case(np.random.default_rng(seed))
    surface = surface_from_contours([case.roi()], surroundings=case.surroundings(), resolution=64, smooth=seed % 2 == 0)
    assert not len(crossing_triangles(surface.mesh))


def test_crescents_that_grow_fill_what_is_between_them() -> None:
    """What both of two planes hold, the surface holds between them: nothing is drawn where an outline never was."""
    outlines = lung()
    surface = surface_from_contours([solids.roi_of(outlines)], resolution=192, smooth=False)
    assert surface.report.volume == pytest.approx(surface.report.contours_volume, rel=0.005)
    assert surface.report.euler_number == 2


def moved(mesh: Mesh, far: float) -> Mesh:
    return Mesh((mesh.vertices + np.float32(far) * vertex_normals(mesh)).astype(np.float32), mesh.triangles)


def test_surfaces_that_face_each_other_are_held_where_they_would_cross() -> None:
    balls = together([sphere(10, segments=60), sphere(10, (20.2, 0.3, 0.1), segments=60)])
    assert not len(crossing_triangles(balls))
    larger = moved(balls, 0.3)
    assert len(crossing_triangles(larger))
    found = without_new_crossings(balls, larger)
    assert not len(crossing_triangles(found))
    stays = (found.vertices == balls.vertices).all(axis=1)
    assert 0 < stays.mean() < 0.05
    assert np.abs(balls.vertices[stays][:, 0] - 10.1).max() < 2.5  # only where they nearly touch
    np.testing.assert_array_equal(found.vertices[~stays], larger.vertices[~stays])


def test_nothing_is_held_where_nothing_crosses() -> None:
    ball = sphere(10, segments=40)
    larger = moved(ball, 0.5)
    assert without_new_crossings(ball, larger) is larger


def test_what_crossed_before_is_moved_elsewhere() -> None:
    both = together([sphere(10, segments=40), sphere(10, (7.1, 3.2, 1.3), segments=40), box(2, 2, 2, (40, 0, 0))])
    larger = moved(both, 0.1)
    found = without_new_crossings(both, larger)
    assert (found.vertices != both.vertices).any(axis=1).mean() > 0.5
    np.testing.assert_array_equal(found.vertices[-8:], larger.vertices[-8:])


def test_small_bodies_far_apart_are_looked_at_as_well() -> None:
    """The blocks between them are too many to be held; two bodies that come to overlap are kept apart."""
    far = sphere(2, (2000, 2000, 2000), 24)
    before = together([sphere(2, (0, 0, 0), 24), sphere(2, (4.2, 0, 0), 24), far])
    count = len(far.vertices)
    towards = np.zeros_like(before.vertices)
    towards[count : 2 * count, 0] = -0.5
    after = Mesh(before.vertices + towards, before.triangles)
    assert len(crossing_triangles(after))
    found = without_new_crossings(before, after)
    assert not len(crossing_triangles(found))
    assert (found.vertices != before.vertices).any()


def ball_in_slices(radius: float, thickness: float) -> np.ndarray:
    """`(40, 40, n)` of pixels of 1 mm."""
    x, y, z = np.indices((40, 40, int(48 / thickness)))
    ball = (x - 19.5) ** 2 + (y - 19.5) ** 2 + ((z - (z.max() // 2)) * thickness) ** 2 < radius**2
    return ball.astype(np.uint8)


def noise_in_slices(seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(32, 32, 12))
    return (gaussian_filter(values, (3, 3, 1)) > 0.02).astype(np.uint8)


@pytest.mark.parametrize("smooth", [True, False])
@pytest.mark.parametrize("mask", ["ball of 8", "ball of 18", "noise"])
def test_surfaces_of_masks_in_thick_slices_do_not_pass_through_themselves(mask: str, smooth: bool) -> None:
    """Nor when they were given the volume of their voxels: up to 1,075 of 7,916 triangles crossed."""
    for thickness in (3.0, 4.0):
        found = noise_in_slices(3) if mask == "noise" else ball_in_slices(float(mask.split()[-1]), thickness)
        volume = Volume(found, np.diag([1, 1, thickness, 1]))
        surface = surface_from_volume(volume, labels=(1,), smooth=smooth)
        assert not len(crossing_triangles(surface.mesh))
        assert surface.report.volume == pytest.approx(found.sum() * thickness, rel=2e-3)


@pytest.mark.parametrize("seed", [3, 4])
def test_thresholds_of_noise_do_not_pass_through_themselves(seed: int) -> None:
    """An MR's had 783 triangles that crossed, once it had the volume of its voxels."""
    values = gaussian_filter(np.random.default_rng(seed).normal(size=(32, 32, 24)), 1.2)
    grey = Volume((values * 10_000).astype(np.int16), np.diag([1, 1, 3.0, 1]))
    surface = surface_from_volume(grey, threshold=300, fit_volume=True)
    assert not len(crossing_triangles(surface.mesh))
    inside = int((grey.stored >= 300).sum()) * 3.0
    assert surface.report.volume == pytest.approx(inside, rel=2e-3)
