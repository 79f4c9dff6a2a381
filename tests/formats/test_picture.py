"""Pictures: where things are in them, in which colors, and what is in front."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats import picture as module
from orthanc_stl.formats.picture import picture, png
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Color, Model, Part
from testing.scenes import half, part, scene, sphere

RED = part(1, "red", sphere(10, (0, 0, 0)), color=(255, 0, 0))


def at(centre: tuple[float, float, float], color: Color = (0, 255, 0), radius: float = 10) -> Part:
    return part(2, "other", sphere(radius, centre), color=color)


def middle_of(image: np.ndarray, channel: int) -> tuple[float, float]:
    """Where (x, y) the pixels are in which that channel is the strongest."""
    y, x = np.nonzero((image.argmax(axis=2) == channel) & (image.max(axis=2) > 0))
    return float(x.mean()), float(y.mean())


@pytest.mark.parametrize(
    ("centre", "side"), [((30, 0, 0), "right"), ((0, 0, 30), "above"), ((-30, 0, 0), "left"), ((0, 0, -30), "below")]
)
def test_the_patient_is_seen_from_the_front(centre: tuple[float, float, float], side: str) -> None:
    """The patient's left (+x) is on the right, the head (+z) is up."""
    image = picture(Model((RED, at(centre))), 128, 128, (0, 0, 0))
    (x0, y0), (x1, y1) = middle_of(image, 0), middle_of(image, 1)
    seen = {"right": x1 - x0, "left": x0 - x1, "above": y0 - y1, "below": y1 - y0}
    assert seen[side] > 40
    assert max(seen, key=lambda key: seen[key]) == side


def test_what_is_in_front_hides_what_is_behind() -> None:
    """The front of the patient is -y; the eye is a little to the left of it and above."""
    front, behind = at((12, -26, 8), radius=30), at((-24, 52, -16), radius=5)
    image = picture(Model((RED, front, replace(behind, color=(0, 0, 255)))), 128, 128)
    shown = image[image[..., 3] > 0]
    assert (shown[:, 1] > 0).any()
    assert not (shown[:, 2] > shown[:, 1]).any()


def test_a_ball_is_a_disc_that_fills_the_picture() -> None:
    image = picture(Model((RED,)), 100, 200)
    assert image.shape == (200, 100, 4)
    alpha = image[..., 3] / 255
    assert alpha.sum() == pytest.approx(np.pi * 46**2, rel=0.01)  # 4 % are left free on each side
    y, x = np.nonzero(alpha > 0.5)
    assert [int(edge) for edge in (*np.quantile(x, (0, 1)), *np.quantile(y, (0, 1)))] == [4, 95, 54, 145]


def test_no_seam_is_open_between_triangles() -> None:
    inside = picture(Model((RED,)), 128, 128)[34:94, 34:94]
    assert (inside[..., 3] == 255).all()
    assert (inside[..., 0] >= 0.29 * 255).all()


def test_what_is_seen_through_lets_the_rest_be_seen() -> None:
    shell = replace(at((0, 0, 0), (0, 0, 255), radius=20), opacity=0.25)
    image = picture(Model((RED, shell)), 128, 128).astype(int)
    alone = picture(Model((replace(shell, number=1),)), 128, 128).astype(int)
    assert image[64, 64, 0] > 2 * image[64, 64, 2] > 0
    assert image[64, 64, 3] == 255
    assert alone[64, 64, 3] == 64
    order = picture(Model((shell, RED)), 128, 128)
    assert np.array_equal(order, image)


def test_the_background_is_what_shows_through() -> None:
    image = picture(Model((RED,)), 64, 64, (10, 20, 30))
    assert image.shape == (64, 64, 3)
    assert image[0, 0].tolist() == [10, 20, 30]
    assert image[32, 32, 1:].tolist() == [0, 0]


def test_an_open_surface_is_seen_from_both_sides() -> None:
    bowl = half(sphere(10, (0, 0, 0)))
    for mesh in (bowl, Mesh(bowl.vertices, bowl.triangles[:, ::-1])):
        image = picture(Model((part(1, "bowl", mesh),)), 64, 64)
        assert (image[..., 3] > 0).sum() > 1000


def test_the_work_on_a_part_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SAMPLES", -4 * 256 * 256 + 20_000)
    looked_at = []
    weights = module._weights

    def counted(corners: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        looked_at.append(len(x))
        return weights(corners, x, y)

    monkeypatch.setattr(module, "_weights", counted)
    image = picture(Model((RED,)), 128, 128)
    assert sum(looked_at) < 30_000
    assert (image[..., 3] / 255).sum() == pytest.approx(np.pi * 59**2, rel=0.05)


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (128, 128)])
def test_png(size: tuple[int, int]) -> None:
    image = picture(scene(), *size)
    read = np.asarray(Image.open(io.BytesIO(png(image))))
    assert np.array_equal(read, image)


def test_a_flat_and_a_pointlike_part_are_no_trouble() -> None:
    flat = Mesh(np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0]], np.float32), np.array([[0, 1, 2]], np.int32))
    point = Mesh(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.int32))
    for mesh in (flat, point):
        assert picture(Model((part(1, "x", mesh),)), 16, 16).shape == (16, 16, 4)


def test_nothing_to_draw_and_sizes_that_are_none() -> None:
    with pytest.raises(InvalidInput, match="nothing to write"):
        picture(Model(()), 16, 16)
    for size in ((0, 16), (16, 5000)):
        with pytest.raises(ValueError, match="1 to 4096 pixels"):
            picture(scene(), *size)
