"""The options that make a model ready for a printer, on balls whose figures are known."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

import orthanc_stl as stl
from orthanc_stl.conversion.prepare import prepared
from orthanc_stl.conversion.printing import print_checks
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.dicom.study_context import read_study_context
from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.encapsulated import encapsulate_parts
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.types import Surface
from orthanc_stl.rest.http.options import conversion_request
from testing import phantoms
from tests.mesh.shapes import box

CENTRE = (10.0, -15.0, 30.0)
BALL, SMALL, LENS = 33.510, 7.238, 3.660
"""mL: balls of 20 and 12 mm, 18 mm apart, and what they share."""

FILE = phantoms.structure_set(
    [phantoms.ball("Ball 20", 20, CENTRE, 0.5), phantoms.ball("Ball 12", 12, (28, -15, 30), 0.5)]
)
HALVES = {"Point": list(CENTRE), "Normal": [0, 0, 2]}


def made(structures: list[int] | int, **options: Any) -> stl.Model:
    return stl.read(FILE).mesh(structures, **{"resolution": 96} | options)


def near(value: float, relative: float = 0.005) -> Any:
    return pytest.approx(value, rel=relative)


def test_balls_united_subtracted_and_intersected() -> None:
    (union,) = made([1, 2], union=True)
    (difference,) = made(2, subtract=["Ball 20"])
    (lens,) = made(2, intersect=[1])
    (joined,) = made(1, unite=[2])
    assert joined.volume_ml == near(BALL + SMALL - LENS)
    assert (union.volume_ml, difference.volume_ml, lens.volume_ml) == (
        near(BALL + SMALL - LENS), near(SMALL - LENS), near(LENS)
    )  # fmt: skip
    assert [(part.closed, part.report.euler_number) for part in (union, difference, lens)] == [(True, 2)] * 3
    assert difference.warnings == ("Ball 20 taken away",)
    assert (union.modified, difference.modified) == (False, True)


RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.mark.parametrize(
    ("own", "options", "color"),
    [
        ((RED, BLUE), {}, None),
        ((RED, RED), {}, RED),
        ((None, BLUE), {}, None),
        ((None, None), {}, None),
        ((RED, BLUE), {"color": (1, 2, 3), "colors": {"1": [9, 9, 9]}}, (1, 2, 3)),
        ((RED, BLUE), {"colors": {"1": [0, 0, 255]}}, BLUE),
        ((RED, RED), {"colors": {"1": [0, 0, 255]}}, None),
    ],
)
def test_a_union_has_no_color_of_one_of_several(own: Any, options: dict[str, Any], color: Any) -> None:
    file = dcmread(io.BytesIO(FILE))
    for item, rgb in zip(file.ROIContourSequence, own, strict=True):
        item.ROIDisplayColor = list(rgb) if rgb else None
    buffer = io.BytesIO()
    file.save_as(buffer)
    (union,) = stl.read(buffer.getvalue()).mesh([1, 2], union=True, resolution=16, **options)
    assert union.color == color


def test_a_structure_less_itself_is_left_out_with_the_reason() -> None:
    model = stl.read(FILE).mesh(subtract=[1], resolution=64)
    assert [part.name for part in model] == ["Ball 12"]
    assert model.skipped[0].reason == "nothing is left without Ball 20"


def test_a_shell_has_its_wall_and_a_hole() -> None:
    (closed,) = made(1, shell={"Wall": 2})
    assert closed.volume_ml == near(9.08, 0.01)
    assert (closed.closed, closed.report.euler_number) == (True, 4)
    (drained,) = made(1, shell={"Wall": 2, "Drain": {"Diameter": 5, "At": "lowest"}})
    assert (drained.closed, drained.report.euler_number) == (True, 2)
    assert closed.volume_ml - drained.volume_ml == pytest.approx(math.pi * 2.5**2 * 2 / 1000, rel=0.3)
    assert drained.warnings[-1] == "1 hole of 5 mm to drain"


IN_VOXELS = (
    "worked out in voxels of 0.29 mm: sharp edges may be rounded by up to half of one, tips by up to two, and what is "
    "smaller than one is left out"
)


def test_a_margin_grows_and_shrinks() -> None:
    for margin in (3.0, -3.0):
        (part,) = made(1, margin=margin)
        distances = np.linalg.norm(part.mesh.vertices - np.array(CENTRE), axis=1)
        assert np.abs(distances - 20 - margin).max() < 0.25
        assert part.volume_ml == near(4 / 3 * math.pi * (20 + margin) ** 3 / 1000, 0.01)
        assert part.warnings == (f"{'grown' if margin > 0 else 'shrunk'} by 3 mm, {IN_VOXELS}",)


def test_unequal_margins_say_how_exact_they_are() -> None:
    (part,) = made(1, margin={"XPlus": 3, "ZMinus": 10}, resolution=24)
    assert part.warnings == (
        "grown by 3 mm to the left, 10 mm to the feet; it was worked out in voxels of 0.5 mm: sharp "
        "edges may be rounded by up to one, and what is thinner than one may lose some of its volume",
    )


def test_exact_margins_say_so() -> None:
    mesh = box(20, 30, 40)
    for margin, text in (
        (-2, "shrunk by 2 mm, within 0.1 mm"),
        ({"XPlus": 5}, "grown by 5 mm to the left; it is exact to 0.1 mm"),
        ({"XMinus": -5, "YPlus": -1}, "shrunk by 5 mm from the right, 1 mm from the back; it is exact to 0.1 mm"),
        (
            {"ZPlus": 5, "ZMinus": -2},
            "grown by 5 mm to the head, then shrunk by 2 mm from the feet; it is exact to 0.1 mm",
        ),
    ):
        request = ConversionRequest.from_json({"Margin": margin})
        (found,) = prepared(Surface(mesh, report_of(mesh)), request)
        assert found.report.notes[-1].text.endswith(text)


def test_both_halves_of_a_cut_are_closed_and_add_up() -> None:
    (whole,) = made(1)
    parts = made(1, cut=[HALVES]).parts
    assert [part.name for part in parts] == ["Ball 20, part 1 of 2", "Ball 20, part 2 of 2"]
    assert all(part.closed and part.report.euler_number == 2 for part in parts)
    assert sum(part.volume_ml for part in parts) == near(whole.volume_ml, 0.002)
    pegged = made(1, cut=[HALVES | {"Pegs": {"Diameter": 4, "Length": 6}}]).parts
    assert pegged[1].volume_ml - parts[1].volume_ml == pytest.approx(2 * math.pi * 4 * 6 / 1000, rel=0.1)
    assert sum(part.volume_ml for part in pegged) < whole.volume_ml


def test_halves_are_of_one_color_in_two_shades() -> None:
    parts = made(1, resolution=32, cut=[HALVES], colors={"1": [200, 60, 60]}).parts
    assert [part.color for part in parts] == [(200, 60, 60), (228, 158, 158)]
    crossed = made(1, resolution=32, cut=[HALVES, HALVES | {"Normal": [1, 0, 0]}], colors={"1": [0, 0, 240]}).parts
    assert [part.color for part in crossed] == [(0, 0, 240), (42, 42, 242), (85, 85, 245), (128, 128, 248)]


def test_a_mirrored_model_says_so() -> None:
    (whole,) = made(1)
    model = made(1, mirror="x", mirror_at=0.0)
    (part,) = model
    assert np.mean(part.report.box, axis=0) == pytest.approx(np.mean(whole.report.box, axis=0) * (-1, 1, 1), abs=0.1)
    assert part.volume_ml == near(whole.volume_ml, 0.001)
    assert part.name == "Ball 20 (mirrored)"
    (file,) = encapsulate_parts(model, study=read_study_context(FILE), references=[], version="1")
    ds = dcmread(io.BytesIO(file))
    assert (ds.ModelModification, ds.ModelMirroring) == ("YES", "YES")
    assert ds.ContentDescription == "Ball 20 (mirrored)"
    assert 'Mirror: "x"' in ds.DerivationAlgorithmSequence[0].AlgorithmParameters


def test_a_model_of_a_modified_model_is_modified() -> None:
    """By a stored model that says so: all that is made of it is no body as it is, and Tags cannot deny it."""
    (mirrored,) = encapsulate_parts(
        made(1, resolution=48, mirror="x"), study=read_study_context(FILE), references=[], version="1"
    )
    stored = stl.read(mirrored)
    said = []
    for model in (stored.mesh(), stored.mesh(mirror="x", mirror_at=0.0)):
        (file,) = encapsulate_parts(model, study=read_study_context(FILE), references=[], version="1")
        ds = dcmread(io.BytesIO(file))
        said.append((ds.ModelModification, ds.get("ModelMirroring")))
    assert said == [("YES", "YES"), ("YES", None)]
    with pytest.raises(InvalidInput, match="may not set ModelModification to 'NO': it is YES of this model"):
        encapsulate_parts(
            stored.mesh(), study=read_study_context(FILE), references=[], version="1", tags={"ModelModification": "NO"}
        )


@pytest.mark.parametrize(
    ("side", "axis", "end"), [("front", 1, "min"), ("back", 1, "max"), ("left", 0, "max"), ("right", 0, "min")]
)
def test_a_text_is_raised_on_the_side_that_was_named(side: str, axis: int, end: str) -> None:
    label = {"Text": "L", "Height": 8, "Depth": 1, "Raised": True, "At": side}
    (plain,), (marked,) = made(1, resolution=64), made(1, resolution=64, label=label)
    before, after = (getattr(part.mesh.vertices[:, axis], end)() for part in (plain, marked))
    assert after - before == pytest.approx(1 if end == "max" else -1, abs=0.25)
    assert marked.warnings == ("the text 'L' is raised on it",)
    assert marked.modified


def test_a_scaled_model_says_so() -> None:
    """Refused unless the tags say that it is meant; every length of the object is that of the scaled body."""
    asked: dict[str, Any] = {"resolution": 64, "shell": {"Wall": 2}, "tolerance": 0}
    (whole,) = made(1, **asked)
    model = made(1, **asked, scale=0.5, tags={"ModelModification": "YES"})
    (part,) = model
    assert part.mesh.vertices == pytest.approx(whole.mesh.vertices / 2, abs=1e-5)
    assert (part.volume_ml, part.closed) == (near(whole.volume_ml / 8, 1e-5), True)
    assert part.name == "Ball 20 (0.5:1)"
    assert part.warnings[-1] == "0.5 times the patient's size, from the origin of the patient's coordinates"
    assert part.report.contours_volume is None
    assert whole.report.voxel is not None
    assert part.report.voxel == pytest.approx(np.array(whole.report.voxel) / 2)
    (check,) = print_checks(model, wall=1.1)["Parts"]
    assert check["SizeMm"] == pytest.approx([20, 20, 20], abs=0.3)
    assert check["SmallestWallMm"] == pytest.approx(1, abs=0.1)
    (file,) = encapsulate_parts(model, study=read_study_context(FILE), references=[], version="1")
    ds = dcmread(io.BytesIO(file))
    assert ds.ModelModification == "YES"
    assert ds.ContentDescription == "Ball 20 (0.5:1)"
    assert "Scale: 0.5" in ds.DerivationAlgorithmSequence[0].AlgorithmParameters
    with pytest.raises(InvalidInput, match="1:1"):
        made(1, scale=2.0)
    for tag in ("ModelModification", "0068,7001", "0068-7001", "00687001"):
        assert conversion_request({"Scale": 2, "Tags": {tag: "YES"}}).scale == 2


def test_an_ordinary_model_says_nothing_of_it() -> None:
    (file,) = encapsulate_parts(made(1), study=read_study_context(FILE), references=[], version="1")
    ds = dcmread(io.BytesIO(file))
    assert "ModelModification" not in ds
    assert "ModelMirroring" not in ds


def test_strict_takes_what_was_asked_for() -> None:
    assert made(1, subtract=[2], strict=True).parts[0].warnings == ("Ball 12 taken away",)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"Scale": 2}, "1:1"),
        ({"Scale": 2, "Tags": {"ModelModification": "NO"}}, "1:1"),
        ({"Scale": 2, "Tags": {"ModelModification": "YES", "0068,7001": "NO"}}, "1:1"),
        ({"Scale": 2, "Tags": {"0068,7002": "YES"}}, "1:1"),
        ({"Scale": True, "Tags": {"ModelModification": "YES"}}, "Number expected in field: Scale, got true"),
        ({"Margin": 3, "Tags": {"ModelModification": "NO"}}, "Tags.ModelModification is 'NO', expected YES"),
        ({"FillCavities": True, "Tags": {"0068,7001": ""}}, "Tags.ModelModification is '', expected YES"),
        ({"Mirror": "x", "Tags": {"00687002": "NO"}}, "Tags.ModelMirroring is 'NO', expected YES"),
        ({"Scale": 0, "Tags": {"ModelModification": "YES"}}, "Scale"),
        ({"Shell": {"Wall": 0}}, "Shell.Wall is 0, expected a number from 0.05 to 50"),
        ({"Shell": {"Walls": 2}}, "has the field 'Walls'"),
        ({"Shell": {"Wall": 2, "Drain": {"Diameter": 3, "At": "top"}}}, "Drain.At is 'top'"),
        ({"Margin": {"Left": 2}}, "has the field 'Left'"),
        ({"Margin": 1e9}, "Margin is 1000000000.0, expected a number from -50 to 50"),
        ({"Cut": [{"Point": [0, 0, 0], "Normal": [0, 0, 0]}]}, "expected a direction"),
        ({"Cut": [{"Point": [0, 0]}]}, "Cut"),
        ({"Cut": {"Point": [0, 0, 0]}}, "List of objects expected in field: Cut"),
        ({"Mirror": "left"}, "Mirror"),
        ({"Label": {"Text": " ", "Height": 8, "Depth": 1}}, "Label.Text is ' ', expected a text of 1 to 40 characters"),
        ({"Label": {"Text": "L\ud800", "Height": 8, "Depth": 1}}, "expected a text of 1 to 40"),
        ({"Label": {"Text": "L", "Depth": 1}}, "Label.Height is missing"),
        ({"Label": {"Text": "L", "Height": 8, "Depth": 1, "At": "top"}}, "Label.At is 'top', expected a point"),
        ({"Mirror": "x", "All": True, "Separate": True}, "MirrorAt is missing"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_read(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput) as error:
        conversion_request(options)
    assert reason in str(error.value)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"margin": -25}, "nothing is left with this margin"),
        ({"shell": {"Wall": 25}}, "no place is thick enough"),
        ({"cut": [{"Point": [0, 0, 500], "Normal": [0, 0, 1]}]}, "Cut misses the model"),
        ({"label": {"Text": "Я", "Height": 8, "Depth": 1}}, "the font has no character 'Я'"),
        ({"subtract": ["Heart"]}, 'there is no structure "Heart"'),
        ({"subtract": [1.5]}, r"there is no structure 1\.5; it has 1 "),
        ({"subtract": [1e308]}, r"there is no structure 1e\+308; it has 1 "),
    ],
)
def test_what_leaves_nothing_is_refused_with_the_reason(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        made(1, **{"resolution": 48} | options)


def test_print_check_of_a_hollow_ball() -> None:
    (part,) = print_checks(made(1, shell={"Wall": 0.6}), wall=0.8, bed=(30, 220, 250), hollow=2)["Parts"]
    assert part["Closed"]
    assert (part["Pieces"], part["Cavities"], part["FitsBed"]) == (1, 1, False)
    assert part["SmallestWallMm"] == pytest.approx(0.6, abs=0.1)
    assert part["SizeMm"] == pytest.approx([40, 40, 40], abs=0.6)
    assert len(part["Problems"]) == 3
    assert "it has a cavity without a way out, in which resin or powder stays" in part["Problems"]
