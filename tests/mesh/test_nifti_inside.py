"""Which voxels are inside: labels, masks, thresholds, and what is not finite."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.errors import InvalidInput, OutOfRange
from orthanc_stl.mesh.volumes import build
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


@pytest.mark.parametrize(
    ("labels", "euler"), [(None, 4), ([1], 4), ([2], 2), ([7], 2), ([2, 7], 4), ([1, 2], 2), ([1, 2, 7], 4)]
)
@pytest.mark.parametrize("kind", ["u1", "i2", "f4", ">f8"])
def test_labels_are_exact(labels: list[int] | None, euler: int, kind: str) -> None:
    found = model_of(nested().astype(kind.lstrip(">")), labels=labels)
    mask = nested() > 0 if labels is None else np.isin(nested(), labels)
    assert found.report.volume == pytest.approx(volume_of_voxels(mask), rel=0.005)
    assert (found.report.closed, found.report.euler_number) == (True, euler)


def test_labels_behind_a_slope() -> None:
    stored = nested().astype("i2") * 10 + 5
    scaled = nifti_file(stored, scl_slope=0.1, scl_inter=-0.5)
    model, _, _ = model_from_nifti(scaled, labels=[7])
    assert model.report.volume == pytest.approx(10 * 20 * 20, rel=0.005)
    assert model_from_nifti(scaled)[0].report.volume == pytest.approx(np.count_nonzero(nested()), rel=0.005)


def test_a_negative_label() -> None:
    assert model_of(-nested().astype("i2"), labels=[-7]).report.volume == pytest.approx(4000, rel=0.005)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([3], "no label 3; it has 1, 2, 7"),
        ([1, 300, -4], "no label -4, 300"),
        ([10**400], "no label 1000"),
        ([], "no label is given"),
    ],
)
@pytest.mark.parametrize("kind", ["u1", "f4"])
def test_unknown_labels_are_named(labels: list[int], words: str, kind: str) -> None:
    with pytest.raises(InvalidInput) as error:
        model_of(nested().astype(kind), labels=labels)
    assert words in str(error.value)


def test_labels_and_threshold_exclude_each_other() -> None:
    with pytest.raises(InvalidInput, match="give one of them"):
        model_of(nested(), labels=[1], threshold=1.5)


@pytest.mark.parametrize("kind", ["f4", "f8", "u1", "i2", "u4"])
def test_a_grey_volume_at_half_of_its_range(kind: str) -> None:
    model = model_of(cone().astype(kind), smooth=False)
    mean, most = ball_errors(model, np.full(3, 20), 15)
    assert mean < (0.02 if kind[0] == "f" else 0.12)
    assert most < 0.2
    assert "half of their range" in model.report.warnings[0]


@pytest.mark.parametrize(("threshold", "radius"), [(150, 7.5), (60, 21), (120.25, 11.9625)])
def test_a_threshold(threshold: float, radius: float) -> None:
    model = model_of(cone(50).astype("f4"), threshold=threshold)
    assert ball_errors(model, np.full(3, 25), radius)[0] < 0.05
    assert not model.report.warnings


def test_a_threshold_between_negative_values_behind_a_slope() -> None:
    file = nifti_file(cone().astype("i2"), scl_slope=2, scl_inter=-1024)
    assert ball_errors(model_from_nifti(file, threshold=-824)[0], np.full(3, 20), 15)[0] < 0.12


@pytest.mark.parametrize("threshold", [-1, 201, 1e300, -1e300])
def test_a_threshold_that_no_value_passes(threshold: float) -> None:
    with pytest.raises(OutOfRange, match="from 0 to 200"):
        model_of(cone().astype("f8"), threshold=threshold)


@pytest.mark.parametrize("what", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_outside(what: float) -> None:
    grey = cone().astype("f4")
    grey[20:] = what
    model = model_of(grey, threshold=100, smooth=False)
    assert model.report.volume == pytest.approx(2 / 3 * np.pi * 15**3, rel=0.1)
    assert model.report.box[0][0] == pytest.approx(-19.5, abs=0.3)
    mask = ball_mask((40, 40, 40), 15).astype("f4")
    mask[20:] = what
    model = model_of(mask)
    assert model.report.volume == pytest.approx(np.count_nonzero(mask[:20]), rel=0.005)
    assert model.report.warnings == ("32000 voxels are not finite numbers and count as outside",)


def noise(kind: str, high: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, high, (30, 30, 30)).astype(kind)


RULE = {
    "0 and 1": (ball_mask((9, 9, 9), 3), True),
    "0 and 255": (ball_mask((9, 9, 9), 3) * 255, True),
    "0 and 1 as floats": (ball_mask((9, 9, 9), 3).astype("f4"), True),
    "no 0 at all": (np.ones((5, 5, 5), "u1"), True),
    "32 labels, scattered": (noise("u1", 32), True),
    "sparse labels of a large range": (noise("i4", 20) * 500, True),
    "200 flat labels": (np.arange(1, 201, dtype="i2").repeat(4).reshape(20, 40, 1) * np.ones((1, 1, 30), "i2"), True),
    "250 grey values": (noise("u1", 250), False),
    "a smooth grey volume of 200 values": (cone(80, 30).astype("u1"), False),
    "fractions": (ball_mask((9, 9, 9), 3) * np.float32(0.5), False),
    "a few labels, one below zero": (noise("i2", 5) - 1, True),
    "a scan of a phantom, air below zero": (np.array([-1000, 0, 40], "i2")[noise("u1", 3)], False),
    "grey values below zero": (noise("i2", 250) - 125, False),
}


@pytest.mark.parametrize("name", RULE)
def test_which_volumes_are_masks(name: str) -> None:
    data, is_mask = RULE[name]
    data = data.transpose(2, 1, 0) if name == "200 flat labels" else data
    assert any("no mask" in text for text in model_of(data).report.warnings) != is_mask


def test_the_intent_label_makes_a_label_map() -> None:
    model, _, _ = model_from_nifti(nifti_file(noise("u1", 250), intent_code=1002))
    assert model.report.volume == pytest.approx(np.count_nonzero(noise("u1", 250)), rel=0.01)


def test_an_empty_mask_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no voxel that is not zero"):
        model_of(np.zeros((9, 9, 9), "u1"))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_volume_without_numbers_is_refused(value: float) -> None:
    with pytest.raises(InvalidInput, match="no finite value"):
        model_of(np.full((9, 9, 9), value, "f4"))


def test_a_constant_grey_volume_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"3\.5"):
        model_of(np.full((9, 9, 9), 3.5, "f4"))


@pytest.mark.parametrize(("kind", "steps"), [("i2", 65535), ("u2", 65535), ("u1", 255)])
def test_labels_that_were_floats_behind_a_header_of_integers(kind: str, steps: int) -> None:
    """nibabel stores the nearest multiple of a slope: label 5 comes back as 5.0006, or 5.05."""
    labels = np.arange(118).repeat(400).reshape(118, 20, 20).T
    slope = 117 / steps
    stored = np.rint(labels / slope) + np.iinfo(kind).min
    inter = -np.iinfo(kind).min * slope
    file = nifti_file(stored.astype(kind), scl_slope=slope, scl_inter=inter)
    assert np.abs(stored * slope + inter - labels).max() > 1e-4
    model, _, _ = model_from_nifti(file)
    assert model.report.volume == pytest.approx(117 * 400, rel=0.005)
    assert not model.report.warnings
    assert model_from_nifti(file, labels=[5])[0].report.volume == pytest.approx(400, rel=0.01)
    with pytest.raises(InvalidInput, match="no label 118; it has 1, 2, 3, 4, 5, 6"):
        model_from_nifti(file, labels=[118])


def test_a_grey_volume_behind_a_small_slope_is_grey() -> None:
    """A smooth scan has equal neighbours in 8 bits, and each value is near to a whole number where steps are fine."""
    file = nifti_file(cone(80, 30).astype("u1"), scl_slope=0.45)
    assert "no mask" in model_from_nifti(file)[0].report.warnings[0]


def test_labels_take_the_nearest_whole_value() -> None:
    blurred = nested().astype("f4") + np.float32(0.3)
    assert model_of(blurred, labels=[7]).report.volume == pytest.approx(4000, rel=0.005)


def test_labels_below_zero_are_told_of() -> None:
    ignored = ball_mask((40, 40, 40), 12).astype("i2")
    ignored[:4] = -1
    model = model_of(ignored)
    assert model.report.volume == pytest.approx(np.count_nonzero(ignored), rel=0.005)
    assert "below zero, down to -1" in model.report.warnings[0]
    alone = model_of(ignored, labels=[1])
    assert alone.report.volume == pytest.approx(np.count_nonzero(ignored == 1), rel=0.005)
    assert not alone.report.warnings


def test_a_surface_that_has_not_the_volume_of_its_voxels_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known that ends so; without the last step single voxels would."""
    monkeypatch.setattr(build, "with_volume", lambda mesh, *_: mesh)
    dots = np.zeros((20, 20, 20), np.uint8)
    dots[2::5, 2::5, 2::5] = 1
    report = model_of(dots).report
    assert abs(report.volume / volume_of_voxels(dots > 0) - 1) > 0.02
    assert any(text.startswith("the surface encloses ") and "its voxels" in text for text in report.warnings)
