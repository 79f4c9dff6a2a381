"""Comparison of solids whose overlap and distances can be worked out, and a second opinion."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.distance import directed_hausdorff

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.compare import Comparison, compare
from orthanc_stl.mesh.distance import SurfaceDistance, distances
from orthanc_stl.mesh.report import area_and_volume
from orthanc_stl.mesh.sampling import sampled
from orthanc_stl.mesh.solids.booleans import united
from orthanc_stl.mesh.triangles import together
from orthanc_stl.mesh.types import Mesh
from testing.solids import ball, fork, model_of, torus
from tests.mesh.shapes import box, doughnut, moved, rod, shell, sphere

LARGE = sphere(20, (10, -15, 30))
SMALL = sphere(12, (28, -15, 30))


def inside_out(mesh: Mesh) -> Mesh:
    return Mesh(mesh.vertices, mesh.triangles[:, ::-1])


@pytest.mark.slow
def test_the_two_made_balls() -> None:
    found = compare(LARGE, SMALL)
    assert found.dice == pytest.approx(0.17965, abs=2e-4)
    assert found.hausdorff == pytest.approx(26, abs=0.02)
    assert found.volume_a == pytest.approx(33510.3, rel=1e-4)
    assert found.volume_difference == pytest.approx(33510.3 - 7238.2, rel=1e-4)
    back = compare(SMALL, LARGE)
    assert back.volume_difference == -found.volume_difference
    assert back.dice == pytest.approx(found.dice)
    assert (back.hausdorff, back.hausdorff95) == pytest.approx((found.hausdorff, found.hausdorff95))


@pytest.mark.slow
@pytest.mark.parametrize("mesh", [LARGE, moved(doughnut()), moved(shell()), moved(box(1, 2, 30))])
def test_a_thing_with_itself(mesh: Mesh) -> None:
    found = compare(mesh, mesh, samples=20_000)
    assert found.dice == pytest.approx(1, abs=1e-5)
    assert found.volume_difference == 0
    assert max(found.mean_surface_distance, found.hausdorff, found.hausdorff95) < 1e-4


@pytest.mark.slow
def test_bodies_of_one_mesh_that_overlap_count_once() -> None:
    """Two cubes of 10 mm, half in each other: 1,500 mm³."""
    one, other = box(10, 10, 10), box(10, 10, 10, (5, 0, 0))
    both = together([one, other])
    assert compare(both, both).dice == pytest.approx(1)
    assert compare(both, one).dice == pytest.approx(2 * 1000 / 2500, abs=1e-5)
    assert compare(both, one).volume_a == pytest.approx(1500)


@pytest.mark.slow
def test_balls_one_around_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Concentric, 20 and 12 mm: every distance is 8 mm, and the small one is the overlap.

    Nearly no vertex can be farther than the 30,000 points: the exact distances of all of them are not asked for.
    """
    asked: list[int] = []
    signed = SurfaceDistance.signed

    def counted(self: SurfaceDistance, points: np.ndarray) -> np.ndarray:
        asked.append(len(points))
        return signed(self, points)

    monkeypatch.setattr(SurfaceDistance, "signed", counted)
    large, small = sphere(20, segments=320), sphere(12, segments=320)
    found = compare(large, small)
    assert sum(asked) < 2 * 30_000 + 0.2 * (len(large.vertices) + len(small.vertices))
    assert found.dice == pytest.approx(2 * 12**3 / (20**3 + 12**3), rel=1e-3)
    for distance in (found.mean_surface_distance, found.hausdorff, found.hausdorff95):
        assert distance == pytest.approx(8, abs=0.01)


def test_a_shifted_ball() -> None:
    """Radius r, shifted by s: at the angle t the distance is |sqrt(r² + s² - 2 r s cos t) - r|, cos t being uniform."""
    r, s = 20.0, 3.0
    found = compare(moved(sphere(r)), moved(sphere(r, (0, 0, s))))
    cosine = np.linspace(-1, 1, 200_001)
    true = np.abs(np.sqrt(r * r + s * s - 2 * r * s * cosine) - r)
    lens = np.pi * (4 * r + s) * (2 * r - s) ** 2 / 12
    assert found.dice == pytest.approx(lens / (4 / 3 * np.pi * r**3), rel=1e-3)
    assert found.mean_surface_distance == pytest.approx(true.mean(), rel=2e-3)
    assert found.hausdorff95 == pytest.approx(np.quantile(true, 0.95), rel=2e-3)
    assert found.hausdorff == pytest.approx(s, rel=2e-3)


def test_solids_that_do_not_meet() -> None:
    found = compare(box(2, 2, 2), box(2, 2, 2, (10, 0, 0)))
    assert found.dice == 0
    assert found.hausdorff == pytest.approx(10)


def test_hausdorff_95_is_the_larger_of_two_directions() -> None:
    """A box, and the same with a thin rod of 12 % of its area standing on it."""
    plain, rod_on_it = box(20, 20, 20), united([box(20, 20, 20), box(2, 2, 40, (0, 0, 30))])
    far = compare(plain, rod_on_it)
    area = 2400 + 8 * 40
    assert far.hausdorff == pytest.approx(40, abs=0.02)
    assert far.hausdorff95 == pytest.approx(40 - (0.05 * area - 4) / 8, abs=0.3), "of samples"


@pytest.mark.slow
def test_figures_hardly_depend_on_the_samples() -> None:
    coarse, fine = (compare(LARGE, SMALL, samples=samples) for samples in (10_000, 30_000))
    for name in Comparison.__dataclass_fields__:
        assert getattr(coarse, name) == pytest.approx(getattr(fine, name), rel=3e-3)


@pytest.mark.parametrize("mesh", [box(3, 40, 1), moved(sphere(10)), doughnut()])
def test_samples_are_spread_by_area(mesh: Mesh) -> None:
    points = sampled(mesh, 5000)
    assert points.shape == (5000, 3)
    assert SurfaceDistance(mesh).unsigned(points).max() < 1e-4
    corners = mesh.vertices[mesh.triangles].astype(float)
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    middle = np.average(corners.mean(axis=1), axis=0, weights=areas)
    assert points.mean(axis=0) == pytest.approx(middle, abs=0.05)
    assert points.std(axis=0) == pytest.approx(sampled(mesh, 50_000).std(axis=0), rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("solids", [(ball(15), fork()), (torus(), ball(20))], ids=["ball and fork", "torus and ball"])
def test_hausdorff_of_scipy_agrees(solids: tuple) -> None:  # type: ignore[type-arg]
    a, b = (model_of(solid, resolution=48).mesh for solid in solids)
    found = compare(a, b, samples=20_000)
    p, q = sampled(a, 20_000), sampled(b, 20_000)
    theirs = max(directed_hausdorff(p, q)[0], directed_hausdorff(q, p)[0])
    assert found.hausdorff == pytest.approx(theirs, abs=0.4)
    apart = [cKDTree(q).query(p)[0].mean(), cKDTree(p).query(q)[0].mean()]
    areas = [area_and_volume(mesh)[0] for mesh in (a, b)]
    assert found.mean_surface_distance == pytest.approx(np.average(apart, weights=areas), abs=0.2)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Please import:DeprecationWarning")
def test_surface_distance_of_deepmind_agrees() -> None:
    """On voxels of 1 mm, whose surface lies up to half a voxel off: its mean is exact only for ever smaller ones."""
    from surface_distance import (
        compute_average_surface_distance,
        compute_dice_coefficient,
        compute_robust_hausdorff,
        compute_surface_distances,
    )

    centres, radii = ((10, -15, 30), (28, -15, 30)), (20, 12)
    grid = np.stack(np.meshgrid(*[np.arange(-45.5, 60)] * 3, indexing="ij"), axis=-1)
    a, b = (np.linalg.norm(grid - centre, axis=-1) < radius for centre, radius in zip(centres, radii, strict=True))
    theirs = compute_surface_distances(a, b, (1, 1, 1))
    ours = compare(LARGE, SMALL)
    assert ours.dice == pytest.approx(compute_dice_coefficient(a, b), abs=0.003)
    assert ours.hausdorff95 == pytest.approx(compute_robust_hausdorff(theirs, 95), abs=0.5)
    assert ours.hausdorff == pytest.approx(compute_robust_hausdorff(theirs, 100), abs=0.7)
    there, back = compute_average_surface_distance(theirs)
    areas = [area_and_volume(mesh)[0] for mesh in (LARGE, SMALL)]
    assert ours.mean_surface_distance == pytest.approx(np.average([there, back], weights=areas), abs=0.55)


def test_distances_to_color_by() -> None:
    found = distances(SMALL, LARGE)
    assert found.shape == (len(SMALL.vertices),)
    true = np.linalg.norm(SMALL.vertices - np.array([10, -15, 30]), axis=1) - 20
    assert found == pytest.approx(true, abs=0.02)
    assert (found.min(), found.max()) == pytest.approx((-14, 10), abs=0.02)


@pytest.mark.parametrize(
    ("mesh", "message"),
    [
        (Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)), "without triangles"),
        (Mesh(rod(5, 10).vertices, rod(5, 10).triangles[:-1]), "not closed"),
        (together([sphere(10), inside_out(box(5, 5, 5, (30, 0, 0)))]), "12 of 7212 triangles are inside out"),
    ],
)
def test_what_cannot_be_compared(mesh: Mesh, message: str) -> None:
    for pair in ((mesh, LARGE), (LARGE, mesh)):
        with pytest.raises(InvalidInput, match=message):
            compare(*pair)
    if not len(mesh.triangles):
        with pytest.raises(ValueError, match=message):
            SurfaceDistance(mesh)
