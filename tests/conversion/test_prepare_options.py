"""Each option for the printer, from the request on, does to a solid what its fields say, and tells it."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

import orthanc_stl as stl
from orthanc_stl.conversion.build import parameters
from orthanc_stl.conversion.preparation import changes_shape
from orthanc_stl.conversion.prepare import prepared
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.solids.label import outlines
from orthanc_stl.mesh.triangles import together
from orthanc_stl.mesh.types import Mesh, Rank, Surface
from orthanc_stl.rest.http.options import conversion_request
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.registry import open_files
from tests.mesh.shapes import box, shell, sphere
from tests.mesh.test_smooth import height_of_waves, wavy
from tests.sources.test_mutants import AROUND, FILES

BOX = box(20, 30, 40)
LENGTH = {"Diameter": 4, "Length": 6, "Clearance": 0.5, "Count": 1}
IN_HALVES = {"Point": [0, 0, 0], "Normal": [0, 0, 1]}


def done(mesh: Mesh, **options: Any) -> list[Surface]:
    request = ConversionRequest.from_json(conversion_request(options).as_json())
    return prepared(Surface(mesh, report_of(mesh)), request)


def told(surface: Surface) -> list[str]:
    return [note.text for note in surface.report.notes]


def holds(surface: Surface, *points: tuple[float, float, float]) -> list[bool]:
    """Whether there is material at these points."""
    return [bool(one) for one in SurfaceDistance(surface.mesh).signed(np.array(points)) < 0]


def test_each_margin_goes_its_own_way() -> None:
    """+x is the patient's left, +y back, +z head."""
    six = {"XMinus": 1, "XPlus": 2, "YMinus": 3, "YPlus": 4, "ZMinus": 5, "ZPlus": 6}
    (found,) = done(BOX, Margin=six)
    low, high = np.array(found.report.box)
    assert low == pytest.approx([-10 - 1, -15 - 3, -20 - 5], abs=0.02)
    assert high == pytest.approx([10 + 2, 15 + 4, 20 + 6], abs=0.02)
    (smaller,) = done(BOX, Margin={side: -value for side, value in six.items()})
    low, high = np.array(smaller.report.box)
    assert low == pytest.approx([-10 + 1, -15 + 3, -20 + 5], abs=0.02)
    assert high == pytest.approx([10 - 2, 15 - 4, 20 - 6], abs=0.02)
    assert smaller.report.volume == pytest.approx(17 * 23 * 29, rel=1e-3)


def test_a_shell_lies_within_the_surface_or_around_it() -> None:
    for outwards, volume, where in (
        (False, 20 * 30 * 40 - 16 * 26 * 36, "within"),
        (True, 4 * (20 * 30 + 30 * 40 + 40 * 20) + math.pi * 4 * 90 + 4 / 3 * math.pi * 8, "around"),
    ):
        (found,) = done(BOX, Shell={"Wall": 2, "Outwards": outwards})
        assert found.report.volume == pytest.approx(volume, rel=0.003)
        assert (found.report.closed, found.report.euler_number) == (True, 4)
        assert told(found)[0].startswith(f"hollow: a wall of 2 mm {where} it, ")


def test_holes_are_where_they_are_asked_for() -> None:
    """In the middle of faces; as wide as asked for; and without a place at the lowest point."""
    front, left = (0, -14, 0), (9, 0, 0)
    at = [[0, -15, 0], [10, 0, 0]]
    (found,) = done(BOX, Shell={"Wall": 2, "Drain": {"Diameter": 4, "At": at}})
    assert holds(found, front, left, (0, 14, 0), (-9, 0, 0)) == [False, False, True, True]
    assert holds(found, (1.95, -14, 0), (2.05, -14, 0)) == [False, True]
    assert found.report.euler_number == 0
    assert told(found)[1] == "2 holes of 4 mm to drain"
    (lowest,) = done(sphere(20), Shell={"Wall": 2, "Drain": {"Diameter": 4}})
    assert holds(lowest, (0, 0, -19), (0, 0, 19)) == [False, True]
    with pytest.raises(InvalidInput, match="reach no hollow"):
        done(box(50, 20, 3), Shell={"Wall": 1.4, "Drain": {"Diameter": 1, "At": [[25, 10, 0]]}})


def test_holes_that_drain_nothing_and_hollows_that_stay_closed_are_told() -> None:
    """A box with a hollow, and beside it one that is too thin for it, or another with a hollow."""
    thin, other = box(3, 3, 3, (30, 0, 0)), box(20, 30, 40, (40, 0, 0))
    for beside, at, sentence in (
        (thin, [[0, -15, 0], [30, -1.5, 0]], "holes to drain that reach no hollow: 1 of 2"),
        (other, [[0, -15, 0]], "hollows that no hole drains: 1 of 2"),
        (other, [[0, -15, 0], [40, -15, 0]], "2 holes of 4 mm to drain"),
        (other, "lowest", "2 holes of 4 mm to drain"),
    ):
        (found,) = done(together([BOX, beside]), Shell={"Wall": 2, "Drain": {"Diameter": 4, "At": at}})
        assert told(found)[-1] == sentence


def test_each_half_is_kept_that_was_asked_for() -> None:
    for keep, middles in (("both", [10, -10]), ("front", [10]), ("back", [-10])):
        found = done(BOX, Cut=[IN_HALVES | {"Keep": keep}])
        assert [np.mean(one.report.box, axis=0)[2] for one in found] == pytest.approx(middles)
        assert [one.report.volume for one in found] == pytest.approx([12_000] * len(found))
    assert told(found[0]) == ["cut by 1 plane: 1 part was kept, the rest is gone"]


def test_several_planes_make_several_parts() -> None:
    planes = [{"Point": [5, 0, 0], "Normal": [1, 0, 0]}, {"Point": [0, 5, 0], "Normal": [0, 1, 0]}]
    found = done(BOX, Cut=planes)
    assert sorted(one.report.volume for one in found) == pytest.approx([5 * 10 * 40, 5 * 20 * 40, 6000, 12_000])
    assert told(found[0]) == ["cut by 2 planes into 4 parts"]


def test_pegs_have_their_lengths_and_holes_their_clearance() -> None:
    front, back = done(BOX, Cut=[IN_HALVES | {"Pegs": LENGTH}])
    round_ = 32 * math.sin(2 * math.pi / 64)  # of a circle with 64 sides and the radius 1
    assert back.report.volume - 12_000 == pytest.approx(round_ * 2**2 * 6, rel=1e-3)
    assert 12_000 - front.report.volume == pytest.approx(round_ * 2.5**2 * 6.5, rel=1e-3)
    assert back.report.box[1][2] == pytest.approx(6)


def test_pegs_without_room_are_told() -> None:
    """Eight are asked for where four have room."""
    pegs = {"Pegs": LENGTH | {"Count": 8}}
    front, _ = done(BOX, Cut=[IN_HALVES | pegs])
    assert told(front) == ["cut by 1 plane into 2 parts", "4 pegs left out, for want of room"]
    assert [note.rank for note in front.report.notes] == [Rank.CHANGED_SHAPE, Rank.LEFT_OUT]


def test_a_text_is_as_high_and_deep_as_asked_for() -> None:
    """In the side that is named, or at a point."""
    for at, side in (("back", (0, 1)), ([0, -15, 5], (0, 0)), ("head", (1, 1)), ("feet", (1, 0))):
        (found,) = done(BOX, Label={"Text": "L", "Height": 6, "Depth": 2, "Raised": True, "At": at})
        assert found.report.volume - 24_000 == pytest.approx(2 * outlines("L", 6).area(), rel=0.02)
        half, end = ((15, 20)[side[0]], side[1])
        assert abs(found.report.box[end][1 + side[0]]) == pytest.approx(half + 2, abs=0.02)
    assert told(found) == ["the text 'L' is raised on it"]


def test_front_and_back_head_and_feet_are_exchanged() -> None:
    corner = box(20, 30, 40, (1, 2, 3))
    for axis, letter in enumerate("xyz"):
        (found,) = done(corner, Mirror=letter, MirrorAt=0)
        way = np.where(np.arange(3) == axis, -1, 1)
        assert np.mean(found.report.box, axis=0) == pytest.approx(way * (1, 2, 3))
        assert told(found) == [f"mirrored along {letter}: this is not the patient's own side"]


def test_cavities_are_filled_and_ripples_smoothed() -> None:
    (found,) = done(shell(20, 12), FillCavities=True)
    assert (found.report.euler_number, told(found)) == (2, ["1 cavity of 7.22 mL filled"])
    (found,) = done(together([shell(20, 12), sphere(5)]), FillCavities=True)
    assert (found.report.euler_number, told(found)) == (2, ["1 cavity of 6.7 mL filled"])
    assert found.report.volume == pytest.approx(4 / 3 * math.pi * 8000, rel=3e-3)
    waves = 18  # of 7 mm
    ripples = wavy(waves)
    (smooth,) = done(ripples, SmoothMm=10)
    assert height_of_waves(smooth.mesh, waves) < 0.06 * height_of_waves(ripples, waves)
    assert smooth.report.volume == pytest.approx(report_of(ripples).volume, rel=2e-3)
    assert told(smooth) == ["smoothed: what is shorter than 10 mm is gone, the volume stays"]


CHANGES: dict[str, Any] = {
    "Unite": [2],
    "Subtract": [2],
    "Intersect": [2],
    "FillCavities": True,
    "SmoothMm": 4,
    "Margin": 3,
    "Shell": {"Wall": 2},
    "Mirror": "x",
    "Label": {"Text": "L", "Height": 8, "Depth": 1},
    "Cut": [IN_HALVES],
    "Scale": 0.5,
}
OTHERS: dict[str, Any] = {"KeepLargest": True, "MinVolumeMl": 1, "Tolerance": 0.2, "Triangles": 100, "MirrorAt": 3}


@pytest.mark.parametrize("name", CHANGES | OTHERS)
def test_what_was_done_is_a_parameter_of_the_object_and_a_modification(name: str) -> None:
    value = (CHANGES | OTHERS)[name]
    request = conversion_request({name: value, "Tags": {"ModelModification": "YES"} if name == "Scale" else {}})
    said = parameters(request, open_files([FILES["stl"][1]()], ReadOptions()))
    assert json.loads(said[name]) == value
    assert changes_shape(request) == (name in CHANGES)


FIELDS: dict[str, dict[str, Any]] = {"images": {"Threshold": 0}}


@pytest.mark.parametrize("name", FILES)
def test_structures_of_any_source_are_prepared(name: str) -> None:
    """Mirrored and cut in the middle: both halves are closed, and their volume is that of the whole. What is open is
    refused."""
    data = FILES[name][1]()
    source = stl.read(*(AROUND[name](data) if name in AROUND else [data]), **FIELDS.get(name, {}))
    number = next(one.number for one in source if one.usable)
    options: dict[str, Any] = {"resolution": 32, "tolerance": 0}
    (whole,) = source.mesh(number, **options)
    plane = {"Point": np.mean(whole.report.box, axis=0).tolist(), "Normal": [1, 2, 3]}
    if not whole.closed:
        with pytest.raises(InvalidInput, match="not closed"):
            source.mesh(number, mirror="x", cut=[plane], **options)
        return
    halves = source.mesh(number, mirror="x", cut=[plane], **options).parts
    assert [(half.closed, half.modified, half.mirrored) for half in halves] == [(True, True, True)] * 2
    assert sum(half.volume_ml for half in halves) == pytest.approx(whole.volume_ml, rel=1e-3)
