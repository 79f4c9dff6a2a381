"""Volumes become surfaces: where they lie, what they enclose, how smooth they are. Every file is made here."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orthanc_stl.errors import TooLarge
from orthanc_stl.formats.stl import stl_bytes
from orthanc_stl.mesh.types import Surface
from testing.nifti_phantoms import (
    ball_errors,
    ball_mask,
    cone,
    model_from_nifti,
    model_of,
    nested,
    nifti_file,
    volume_of_voxels,
)

OBLIQUE = np.array([[1.2, -0.5, 0.1, -30], [0.6, 1.1, -0.3, 12.5], [0.2, 0.3, 2.5, -7], [0, 0, 0, 1]])


def middle(model: Surface) -> np.ndarray:
    """The centre of mass of what the surface encloses, (3,) in LPS mm."""
    corners = model.mesh.vertices[model.mesh.triangles].astype(float)
    parts = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    return (corners.sum(axis=1) / 4 * parts[:, None]).sum(axis=0) / parts.sum()


def middle_of_voxels(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    index = np.argwhere(mask).mean(axis=0)
    return (affine[:3, :3] @ index + affine[:3, 3]) * (-1, -1, 1)


OFFSETS = [(0, 0, 0), (0.5, 0.5, 0.5), (0.13, 0.27, 0.41)]


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_ball_in_a_mask(offset: tuple[float, ...]) -> None:
    centre = np.array([20, 21, 19]) + offset
    model = model_of(ball_mask((40, 42, 38), 15, centre=centre))
    mean, most = ball_errors(model, centre, 15)
    assert mean < 0.12  # the issue asks for 0.25
    assert most < 0.7
    voxels = np.count_nonzero(ball_mask((40, 42, 38), 15, centre=centre))
    assert model.report.volume == pytest.approx(voxels, rel=0.002)
    if offset[0] != 0.5:  # there the voxels themselves have 1.4 % more than the ball
        assert model.report.volume == pytest.approx(4 / 3 * np.pi * 15**3, rel=0.01)
    assert (model.report.closed, model.report.euler_number) == (True, 2)


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_ball_in_thick_slices(offset: tuple[float, ...]) -> None:
    spacing = (1, 1, 4)
    centre = np.array([20, 21, 22]) + np.multiply(offset, spacing)
    mask = ball_mask((40, 42, 12), 15, spacing, centre)
    model = model_of(mask, np.diag([*spacing, 1]))
    mean, _ = ball_errors(model, centre, 15)
    assert mean < 0.4  # the issue asks for 0.6
    assert model.report.volume == pytest.approx(4 * np.count_nonzero(mask), rel=0.005)
    assert max(model.report.voxel or ()) <= 2
    assert (model.report.closed, model.report.euler_number) == (True, 2)


def test_slices_along_any_axis() -> None:
    """Shape-based interpolation goes along whichever axis the slices are thick."""
    mask = ball_mask((40, 42, 12), 15, (1, 1, 4), (20, 21, 22))
    reports = [
        model_of(mask.transpose(order), np.diag([*np.array([1, 1, 4])[list(order)], 1])).report
        for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0))
    ]
    assert len({report.triangles for report in reports}) == 1
    assert np.ptp([report.volume for report in reports]) < 1


@pytest.mark.parametrize(("smooth", "angle"), [(True, 8), (False, 30)])
def test_no_staircase(smooth: bool, angle: float) -> None:
    """The angle between a triangle and the ball it lies on: a staircase has 20 degrees and more."""
    model = model_of(ball_mask((60, 60, 60), 25), smooth=smooth)
    corners = model.mesh.vertices[model.mesh.triangles] - (-29.5, -29.5, 29.5)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outwards = corners.mean(axis=1)
    cosines = (normals * outwards).sum(axis=1)
    cosines /= np.linalg.norm(normals, axis=1) * np.linalg.norm(outwards, axis=1)
    assert np.degrees(np.arccos(np.clip(cosines, -1, 1))).mean() < angle


def turned(*angles: float) -> np.ndarray:
    affine = np.eye(4)
    for axis, angle in enumerate(angles):
        i, j = [a for a in range(3) if a != axis]
        turn = np.eye(4)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        affine = turn @ affine
    return affine


AFFINES = {
    "identity": np.eye(4),
    "left-handed": np.diag([-1.0, 1, 1, 1]),
    "all flipped": np.diag([-1.0, -1, -1, 1]),
    "permuted": np.array([[0, 1, 0, 5], [0, 0, 1, -7], [1, 0, 0, 9], [0, 0, 0, 1.0]]),
    "permuted, left-handed": np.array([[0, 1, 0, 5], [1, 0, 0, -7], [0, 0, 1, 9], [0, 0, 0, 1.0]]),
    "turned": turned(0.3, -0.7, 1.1) @ np.diag([1.5, 0.8, 2, 1]) + np.array([[40], [-60], [900], [0]]) * (0, 0, 0, 1),
    "sheared": OBLIQUE,
    "sheared, left-handed": OBLIQUE @ np.diag([1, 1, -1, 1]),
}  # fmt: skip


@pytest.mark.parametrize("name", AFFINES)
def test_any_affine_is_in_its_place_with_outward_normals(name: str) -> None:
    """An egg without symmetry, so that nothing could be mirrored unseen."""
    affine = AFFINES[name]
    mask = ball_mask((40, 30, 20), 7, centre=(10, 15, 9)) | ball_mask((40, 30, 20), 5, centre=(20, 15, 9))
    model, to_lps, shape = model_from_nifti(nifti_file(mask, affine))
    np.testing.assert_allclose(to_lps, np.diag([-1, -1, 1, 1]) @ affine, atol=1e-4)
    assert shape == (40, 30, 20)
    assert model.report.volume == pytest.approx(volume_of_voxels(mask, affine), rel=0.01)  # negative if inside out
    assert (model.report.closed, model.report.euler_number) == (True, 2)
    np.testing.assert_allclose(middle(model), middle_of_voxels(mask, affine), atol=0.15)
    indices = (model.mesh.vertices - to_lps[:3, 3]) @ np.linalg.inv(to_lps[:3, :3]).T
    np.testing.assert_allclose(indices.min(axis=0), np.argwhere(mask).min(axis=0) - 0.5, atol=0.8)
    np.testing.assert_allclose(indices.max(axis=0), np.argwhere(mask).max(axis=0) + 0.5, atol=0.8)


@pytest.mark.parametrize("data", [np.ones((20, 30, 10), "u1"), np.full((20, 30, 10), 3.5, "f4")], ids=["mask", "grey"])
def test_a_full_volume_is_a_closed_box(data: np.ndarray) -> None:
    """It reaches half a voxel beyond the middles of the outer voxels, as they do."""
    model = model_of(data, np.diag([1, 1, 2.5, 1]), threshold=None if data.dtype == "u1" else 3.5)
    assert (model.report.closed, model.report.euler_number) == (True, 2)
    assert model.report.volume == pytest.approx(20 * 30 * 25, rel=0.01)
    np.testing.assert_allclose(model.report.box, [(-19.5, -29.5, -1.25), (0.5, 0.5, 23.75)], atol=0.5)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 9), (1, 9, 1), (9, 9, 1), (2, 2, 2)])
def test_small_volumes(shape: tuple[int, ...]) -> None:
    model = model_of(np.ones(shape, "u1"))
    assert model.report.closed
    assert model.report.volume == pytest.approx(np.prod(shape), rel=0.02)


def helix() -> np.ndarray:
    mask = np.zeros((40, 40, 40), "u1")
    t = np.linspace(0, 6 * np.pi, 800)
    mask[(5 + t * 1.5).astype(int), (20 + 12 * np.cos(t)).astype(int), (20 + 12 * np.sin(t)).astype(int)] = 1
    return mask


def sheet() -> np.ndarray:
    mask = np.zeros((40, 40, 40), "u1")
    mask[3:37, 20, 3:37] = 1
    return mask


@pytest.mark.parametrize("mask", [helix(), sheet(), ball_mask((9, 9, 9), 0.5), ball_mask((9, 9, 9), 2)])
@pytest.mark.parametrize("smooth", [True, False])
def test_thin_structures_keep_their_volume(mask: np.ndarray, smooth: bool) -> None:
    model = model_of(mask, smooth=smooth)
    assert model.report.closed
    assert model.report.volume == pytest.approx(np.count_nonzero(mask), rel=0.01)


def torus() -> np.ndarray:
    x, y, z = np.ogrid[:60, :60, :30]
    return ((np.hypot(x - 30, y - 30) - 18) ** 2 + (z - 15) ** 2 <= 49).astype("u1")


SHAPES = {
    "torus": (torus(), 0),
    "hollow shell": (ball_mask((40, 40, 40), 15) - ball_mask((40, 40, 40), 8), 4),
    "two balls": (
        ball_mask((60, 40, 40), 12, centre=(15, 20, 20)) | ball_mask((60, 40, 40), 9, centre=(45, 20, 20)),
        4,
    ),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("resolution", [16, 64, 256])
def test_shapes_keep_volume_and_holes_at_any_resolution(name: str, resolution: int) -> None:
    mask, euler = SHAPES[name]
    model = model_of(mask, resolution=resolution)
    assert (model.report.closed, model.report.euler_number) == (True, euler)
    assert model.report.volume == pytest.approx(np.count_nonzero(mask), rel=0.01)


@pytest.mark.parametrize("resolution", [2, 8, 32, 100, 1024])
def test_taking_voxels_together_keeps_the_volume(resolution: int) -> None:
    mask = ball_mask((120, 110, 130), 45, centre=(55.2, 52.7, 60.1))
    model = model_of(mask, resolution=resolution)
    assert model.report.volume == pytest.approx(np.count_nonzero(mask), rel=0.01)
    assert ball_errors(model, np.array([55.2, 52.7, 60.1]), 45)[0] < 0.5
    assert max(model.report.voxel or ()) <= max(1, 130 / resolution)


def test_a_small_organ_in_a_large_volume_gets_voxels_to_match() -> None:
    mask = np.zeros((400, 100, 100), "u1")
    mask[200:220, 40:60, 40:60] = ball_mask((20, 20, 20), 9)
    assert model_of(mask, resolution=50).report.voxel == (1, 1, 1)


def test_a_grey_volume_at_a_low_resolution() -> None:
    model = model_of(cone(80, 30).astype("f4"), resolution=20)
    assert ball_errors(model, np.full(3, 40), 30)[0] < 0.3
    assert model.report.voxel == (4, 4, 4)


def test_a_bright_dot_is_not_averaged_away() -> None:
    grey = np.zeros((64, 64, 64), "f4")
    grey[30, 31, 32] = 1.5
    assert model_of(grey, resolution=2, smooth=False).report.closed


def test_the_same_input_gives_the_same_bytes() -> None:
    file = nifti_file(nested(), OBLIQUE)
    first, second = (stl_bytes(model_from_nifti(file)[0].mesh, "x") for _ in range(2))
    assert first == second


def test_limits() -> None:
    file = nifti_file(np.random.default_rng(1).random((40, 40, 40)).astype("f4"))
    with pytest.raises(TooLarge, match=r"voxels, more than the 64,000 that"):
        model_from_nifti(file, max_voxels=40**3)
    with pytest.raises(TooLarge, match=r"triangles, more than the 10,000 that"):
        model_from_nifti(file, max_triangles=10_000)
    with pytest.raises(TooLarge, match='"MaxNiftiMB"'):
        model_from_nifti(file, max_bytes=100_000)
    report = model_from_nifti(file)[0].report
    with pytest.raises(TooLarge, match=r"triangles, more than the"):
        model_from_nifti(file, max_triangles=report.triangles - 100)


@pytest.mark.slow
def test_a_gigabyte_takes_little_more_than_itself() -> None:
    """In a process of its own: 1 GB of float32 in which 40 MB are not zero."""
    code = """
import numpy as np, pathlib
from testing.nifti_phantoms import ball_mask, model_from_nifti, nifti_file
n = 640
file = np.zeros(352 + 4 * n**3, np.uint8)
file[:352] = np.frombuffer(nifti_file(np.ones((1, 1, 1), "f4"), dim=[3, n, n, n, 1, 1, 1, 1])[:352], np.uint8)
file[352:].view("<f4").reshape(n, n, n)[200:400, 200:400, 200:400] = ball_mask((200, 200, 200), 90)
model, _, _ = model_from_nifti(file.data)
assert abs(model.report.volume / (4 / 3 * np.pi * 90**3) - 1) < 0.001, model.report
status = pathlib.Path("/proc/self/status").read_text()  # ru_maxrss would count the process that started this one
print(int(status.partition("VmHWM:")[2].split()[0]) / 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1024 + 700  # MB: the file itself, the libraries (200), the conversion


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 7), st.integers(1, 7), st.booleans())
def test_any_mask_is_closed_and_keeps_its_volume(seed: int, nx: int, ny: int, nz: int, smooth: bool) -> None:
    rng = np.random.default_rng(seed)
    mask = (rng.random((nx, ny, nz)) < rng.random()).astype("u1")
    if not mask.any():
        return
    affine = np.diag([*rng.uniform(0.3, 4, 3) * rng.choice([-1, 1], 3), 1])
    model = model_of(mask, affine, smooth=smooth)
    assert np.isfinite(model.mesh.vertices).all()
    assert model.report.volume == pytest.approx(volume_of_voxels(mask, affine), rel=0.05)
    used = itertools.chain.from_iterable(model.mesh.triangles.tolist())
    assert set(used) == set(range(len(model.mesh.vertices)))
    edges = np.concatenate([model.mesh.triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
    forward, backward = np.unique(edges, axis=0), np.unique(edges[:, ::-1], axis=0)
    np.testing.assert_array_equal(forward, backward)
