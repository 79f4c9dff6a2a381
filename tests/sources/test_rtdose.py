"""Doses: isodoses where they are by formula, in every placement of the grid; levels, references and their sentences."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from pydicom.dataset import Dataset

from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.meshing import mesh_shape, united
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import InvalidField, InvalidInput
from orthanc_stl.mesh.volumes.curved import halved
from orthanc_stl.sources.base import ReadOptions, Region
from orthanc_stl.sources.dose_levels import color_of
from orthanc_stl.sources.rtdose import OpenDose, RtDose
from testing.data import shared_file
from testing.source_phantoms import AXIAL, OBLIQUE, dose_dataset, file_of, plan_dataset

CENTRE = np.array((10.0, -15.0, 30.0))
PRONE = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
FEET_FIRST = (1.0, 0.0, 0.0, 0.0, -1.0, 0.0)


def opened(data: bytes | Dataset, *more: Dataset, **fields: object) -> OpenDose:
    files = [data if isinstance(data, bytes) else file_of(data), *map(file_of, more)]
    return RtDose().open(files, ReadOptions(fields=fields))


def radii(source: OpenDose, number: int) -> np.ndarray:
    """Of the vertices and of the middles of triangles, as the model has them that is stored."""
    part = build_model(source, ConversionRequest(structures=(number,))).model.parts[0]
    assert (part.report.closed, part.report.euler_number) == (True, 2)
    mesh = part.mesh
    points = np.concatenate((mesh.vertices, mesh.vertices[mesh.triangles].mean(axis=1)))
    return np.asarray(np.linalg.norm(points - CENTRE, axis=1))


def radius(level: float) -> float:
    return float(20 * np.sqrt(2 * np.log(60 / level)))


@pytest.mark.parametrize("name", ["absolute16", "descending16", "relative32"])
def test_isodoses_of_the_made_dose_are_balls(name: str) -> None:
    levels = [57, 50, 30, 10, 6]
    source = opened(shared_file(f"rtdose/made/rtdose_{name}.dcm").read_bytes(), Levels=levels)
    for number, level in enumerate(levels, 1):
        assert np.abs(radii(source, number) - radius(level)).max() < 0.06


def test_an_isodose_that_leaves_the_grid_is_closed_at_its_edge() -> None:
    source = opened(shared_file("rtdose/made/rtdose_relative32.dcm").read_bytes(), Levels=[1])
    shape, notes = source.shape(1)
    assert mesh_shape(shape).report.closed
    assert notes[0].text == "the isodose of 1 Gy leaves the dose grid: it was closed at the grid's edge"


def real_dose(*levels: float) -> OpenDose:
    return opened(gzip.decompress(shared_file("rtdose/dicompyler/rtdose.dcm.gz").read_bytes()), Levels=list(levels))


def test_volumes_of_a_real_dose() -> None:
    source = real_dose(1, 5, 10, 12, 14)
    voxels = [s.facts["VolumeMl"] for s in source.structures]
    assert voxels == pytest.approx([1785.28, 269.64, 132.32, 99.34, 61.89], abs=0.01)
    for number, expected in enumerate(voxels, 1):
        surface = mesh_shape(source.shape(number)[0])
        assert surface.report.volume / 1000 == pytest.approx(expected, rel=0.01)


def trilinear_ml(dose: np.ndarray, level: float, sides: np.ndarray) -> float:
    """What is at `level` Gy or above, with straight lines between the voxels, on a grid of at most 0.5 mm."""
    inside = np.argwhere(dose >= 0.9 * level)
    low, high = np.maximum(inside.min(axis=0) - 1, 0), inside.max(axis=0) + 2
    box = tuple(slice(start, stop) for start, stop in zip(low.tolist(), high.tolist(), strict=True))
    fine, steps = dose[box], np.ceil(sides / 0.5)
    for axis, count in enumerate(steps):
        at = np.arange(0, fine.shape[axis] - 1, 1 / count)
        first = at.astype(int)
        share = (at - first).astype(np.float32).reshape([-1 if side == axis else 1 for side in range(3)])
        fine = np.take(fine, first, axis) * (1 - share) + np.take(fine, first + 1, axis) * share
    return float(np.count_nonzero(fine >= level) * np.prod(sides / steps) / 1000)


@pytest.mark.parametrize(("level", "most"), [(5, 0.01), (10, 0.01), (12, 0.015), (14, 0.045)])
def test_a_real_dose_against_straight_lines_at_half_a_millimetre(level: float, most: float) -> None:
    """Near its peak (14.7 Gy) straight lines cut it short: at 14 Gy they have 3.9 % less than the voxels."""
    source = real_dose(level)
    volume = source.volume
    dose = (volume.stored.T * volume.slope).astype(np.float32)
    truth = trilinear_ml(dose, level, np.linalg.norm(volume.affine[:3, :3], axis=0)[::-1])
    assert mesh_shape(source.shape(1)[0]).report.volume / 1000 == pytest.approx(truth, rel=most)


def test_values_between_voxels_are_those_of_the_dose() -> None:
    """Every second voxel of a real dose along each axis, and what the ones between them are."""
    volume = real_dose(1).volume
    dose = (volume.stored.T * volume.slope).astype(np.float32)
    dose = dose[tuple(slice(size - 1 + size % 2) for size in dose.shape)]
    curved = halved(dose[::2, ::2, ::2])
    high = dose >= 14
    assert curved[::2, ::2, ::2] == pytest.approx(dose[::2, ::2, ::2])
    assert np.sqrt(np.mean((curved - dose)[high] ** 2)) < 0.08  # 0.19 Gy on straight lines
    assert np.count_nonzero(curved >= 14) == pytest.approx(np.count_nonzero(high), rel=0.04)  # -12 % on them
    assert np.max(curved) <= np.max(dose) * 1.01


def test_the_prescription_is_the_plans() -> None:
    data = gzip.decompress(shared_file("rtdose/dicompyler/rtdose.dcm.gz").read_bytes())
    plan = shared_file("rtdose/dicompyler/rtplan.dcm").read_bytes()
    source = RtDose().open([data, plan], ReadOptions(fields={"Levels": ["50%"], "Reference": "prescription"}))
    assert source.structures[0].facts["LevelGy"] == 7
    assert source.structures[0].name == "50 % of the prescription (7 Gy)"
    assert "the RT Plan prescribes 11.3114, 14 Gy: per cent are of the highest" in [n.text for n in source.shape(1)[1]]


@pytest.mark.parametrize("name", ["rtdose", "rtdose_rle"])
def test_a_relative_dose_has_levels_of_its_maximum(name: str) -> None:
    data = shared_file(f"rtdose/pydicom/{name}.dcm").read_bytes()
    source = opened(data)
    assert source.structures[0].name == "95 % of the maximum"
    texts = [note.text for note in source.shape(1)[1]]
    assert "this dose is of the kind BEAM: it is a part of the plan's dose, not all of it" in texts
    assert "this dose is RELATIVE, without a unit: levels are of its maximum" in texts
    with pytest.raises(InvalidField, match="levels are per cent of its maximum"):
        opened(data, Levels=[20])


def test_a_level_below_all_of_the_grid_is_the_grid() -> None:
    source = opened(shared_file("rtdose/pydicom/rtdose.dcm").read_bytes(), Levels=["10%"])
    assert mesh_shape(source.shape(1)[0]).report.volume / 1000 == pytest.approx(750, rel=0.02)


def test_a_dose_of_one_plane_is_refused() -> None:
    with pytest.raises(InvalidInput, match="a single plane, which encloses nothing"):
        opened(shared_file("rtdose/pydicom/rtdose_1frame.dcm").read_bytes())


# Doses made here.


def made(
    orientation: tuple[float, ...] = AXIAL, *, planes: np.ndarray | None = None, offset: float = 0.0, bits: int = 32
) -> Dataset:
    """60 Gy in the middle, falling off with 20 mm, in any orientation; planes at `planes` along the normal."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(row, column)
    places = np.arange(-45, 45.1, 2.5) if planes is None else planes
    grid = (np.arange(40) - 19.5) * 2.5
    r2 = grid[None, None] ** 2 + grid[None, :, None] ** 2 + places[:, None, None] ** 2
    position = CENTRE + (row + column) * grid[0] + normal * places[0]
    dose = 60 * np.exp(-r2 / 800)
    return dose_dataset(
        dose, offsets=places - places[0] + offset, position=position.tolist(), orientation=orientation, bits=bits
    )


@pytest.mark.parametrize("orientation", [AXIAL, PRONE, FEET_FIRST, OBLIQUE])
@pytest.mark.parametrize("descending", [False, True])
def test_grids_in_every_orientation(orientation: tuple[float, ...], descending: bool) -> None:
    planes = np.arange(45, -45.1, -2.5) if descending else None
    source = opened(made(orientation, planes=planes), Levels=[30])
    assert np.abs(radii(source, 1) - radius(30)).max() < 0.06


def test_planes_with_uneven_steps() -> None:
    planes = np.cumsum(np.concatenate(([-46], np.tile([2.0, 3.0, 2.5], 12))))
    found = radii(opened(made(planes=planes), Levels=[30]), 1)
    assert np.abs(found - radius(30)).max() < 0.1


def test_planes_that_are_missing_are_told() -> None:
    source = opened(made(planes=np.concatenate((np.arange(-45, -20, 2.5), np.arange(-5, 45.1, 2.5)))), Levels=[30])
    assert [note.text for note in source.shape(1)[1]] == [
        "planes of the dose are up to 17.5 mm apart, 2.5 mm as a rule: between them its values were interpolated"
    ]


def test_frames_in_any_order_lie_where_their_offsets_say() -> None:
    ds = made()
    order = np.concatenate(([0], 1 + np.random.default_rng(1).permutation(36)))
    ds.PixelData = np.frombuffer(ds.PixelData, "<u4").reshape(37, -1)[order].tobytes()
    ds.GridFrameOffsetVector = [ds.GridFrameOffsetVector[number] for number in order]
    assert np.abs(radii(opened(ds, Levels=[30]), 1) - radius(30)).max() < 0.06


@pytest.mark.parametrize("orientation", [AXIAL, PRONE, FEET_FIRST, (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0)])
@pytest.mark.parametrize("descending", [False, True])
def test_absolute_places_in_every_upright_orientation(orientation: tuple[float, ...], descending: bool) -> None:
    """Along z, whichever way the normal points; what the standard allows for 1,0,0,0,1,0 alone is told of others."""
    ds = made(orientation, planes=np.arange(45, -45.1, -2.5) if descending else None)
    upright = np.cross(orientation[:3], orientation[3:])[2]
    ds.GridFrameOffsetVector = [ds.ImagePositionPatient[2] + upright * float(o) for o in ds.GridFrameOffsetVector]
    source = opened(ds, Levels=[30])
    assert np.abs(radii(source, 1) - radius(30)).max() < 0.06
    told = [note.text for note in source.shape(1)[1]]
    assert [text for text in told if "places along z" in text] == told
    assert bool(told) == (orientation != AXIAL)


@pytest.mark.parametrize("kind", ["FRACTION", "BEAM", "BRACHY", "CONTROL_POINT", "BEAM_SESSION"])
def test_what_is_a_part_of_a_plans_dose_says_so(kind: str) -> None:
    ds = made()
    ds.DoseSummationType = kind
    told = f"this dose is of the kind {kind}: it is a part of the plan's dose, not all of it"
    assert [note.text for note in opened(ds, Levels=[30]).shape(1)[1]] == [told]


def test_a_prescription_far_above_the_dose_leaves_levels_that_say_why() -> None:
    structures = opened(made(), plan_dataset(5000.0)).structures
    assert [s.name for s in structures][:1] == ["107 % of the prescription (5350 Gy)"]
    assert {s.reason for s in structures} == {"the highest dose is 59.766 Gy"}


def test_absolute_places_and_16_bits() -> None:
    ds = made(bits=16)
    ds.GridFrameOffsetVector = [offset + CENTRE[2] - 45 for offset in ds.GridFrameOffsetVector]
    source = opened(ds, Levels=[30])
    assert np.abs(radii(source, 1) - radius(30)).max() < 0.06
    assert source.shape(1)[1] == ()


def test_offsets_that_begin_anywhere_are_distances_and_told() -> None:
    source = opened(made(offset=777), Levels=[30])
    assert np.abs(radii(source, 1) - radius(30)).max() < 0.06
    assert "begins with 777, which is neither 0 nor the z of the position" in source.shape(1)[1][0].text


def test_usual_levels_are_offered_where_none_are_asked_for() -> None:
    source = opened(made(), plan_dataset(50.0))
    assert [s.facts["LevelPercent"] for s in source.structures] == [107, 105, 100, 95, 90, 80, 70, 50, 30, 10]
    assert source.structures[2].name == "100 % of the prescription (50 Gy)"
    assert source.structures[3].color == (255, 255, 0)
    assert {s.kind for s in source.structures} == {"DOSE_REGION"}


def test_levels_in_gray_and_per_cent_of_a_given_dose() -> None:
    source = opened(made(), Levels=[20, "20 Gy", "50 %", 70], Reference=40)
    assert [s.facts["LevelGy"] for s in source.structures] == [20, 20, 20, 70]
    assert source.structures[3].reason.startswith("the highest dose is 59.")
    with pytest.raises(InvalidInput, match="no dose is above 70 Gy"):
        source.shape(4)
    shape = united([source.shape(1)[0], source.shape(2)[0]])
    assert isinstance(shape, Region)
    assert shape.threshold == 20


def test_the_maximum_is_the_reference_without_a_plan() -> None:
    assert opened(made(), Levels=["50%"]).structures[0].facts["LevelGy"] == pytest.approx(29.9, abs=0.3)
    assert opened(made(), plan_dataset(50.0), Levels=["50%"]).structures[0].facts["LevelGy"] == 25


@pytest.mark.parametrize("reference", [40, [40], "40", ["40 Gy"], (40.0,)])
def test_a_reference_as_forms_and_flags_send_it(reference: object) -> None:
    assert opened(made(), Levels=("50%",), Reference=reference).structures[0].facts["LevelGy"] == 20


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"Levels": []}, '"Levels" must be a list of 1 to 100 levels'),
        ({"Levels": ["a"]}, "\"Levels\" has 'a'"),
        ({"Levels": [-5]}, '"Levels" has'),
        ({"Levels": [True]}, '"Levels" has'),
        ({"Reference": "prescription"}, "no RT Plan was given with the dose"),
        ({"Reference": -1}, '"Reference" must be'),
        ({"Reference": "0"}, '"Reference" must be'),
        ({"Reference": ["maximum", 5]}, '"Reference" must be'),
    ],
)
def test_wrong_levels_give_sentences(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        opened(made(), **fields)


def broken(change: str) -> Dataset:
    ds = made()
    if change == "units":
        ds.DoseUnits = "CGY"
    elif change == "error":
        ds.DoseType = "ERROR"
    elif change == "scaling":
        ds.DoseGridScaling = 0
    elif change == "offsets":
        ds.GridFrameOffsetVector = ds.GridFrameOffsetVector[:5]
    elif change == "same":
        ds.GridFrameOffsetVector = [0.0] * 37
    elif change == "position":
        del ds.ImagePositionPatient
    elif change == "zero":
        ds.PixelData = bytes(len(ds.PixelData))
    elif change == "short":
        ds.PixelData = ds.PixelData[:1000]
    elif change == "8 bits":
        ds.BitsAllocated = 8
    return ds


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("units", "GY or RELATIVE units is expected, this one has CGY"),
        ("error", "of the type ERROR"),
        ("scaling", "no positive Dose Grid Scaling"),
        ("offsets", "has 37 planes, but a Grid Frame Offset Vector of 5"),
        ("same", "are from 0 to 0 mm apart"),
        ("position", "no usable image position"),
        ("zero", "zero everywhere"),
        ("short", "the pixel data have 1000 bytes"),
        ("8 bits", "16 or 32 bits a voxel, this one has 8"),
    ],
)
def test_wrong_doses_give_sentences(change: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        opened(broken(change))


def test_colors_go_from_cold_to_hot() -> None:
    assert [color_of(p) for p in (50, 95, 105, 200)] == [(0, 128, 255), (255, 255, 0), (255, 0, 0), (255, 0, 160)]
