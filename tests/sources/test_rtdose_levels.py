"""Levels of doses, what they are per cent of, their colors, and what a dose says it is."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.conversion.meshing import mesh_shape, united
from orthanc_stl.errors import InvalidInput
from orthanc_stl.sources.base import Region
from orthanc_stl.sources.dose_levels import color_of
from testing.source_phantoms import dose_dataset, plan_dataset
from tests.sources.test_rtdose import opened
from tests.sources.test_rtdose_grids import made


@pytest.mark.parametrize("kind", ["FRACTION", "BEAM", "BRACHY", "CONTROL_POINT", "BEAM_SESSION", "RECORD"])
def test_what_is_a_part_of_a_plans_dose_says_so(kind: str) -> None:
    ds = made()
    ds.DoseSummationType = kind
    told = f"this dose is of the kind {kind}: it is a part of the plan's dose, not all of it"
    assert [note.text for note in opened(ds, Levels=[30]).shape(1)[1]] == [told]


def test_a_prescription_far_above_the_dose_leaves_levels_that_say_why() -> None:
    structures = opened(made(), plan_dataset(5000.0)).structures
    assert [s.name for s in structures][:1] == ["107 % of the prescription (5350 Gy)"]
    assert {s.reason for s in structures} == {"the highest dose is 59.766 Gy"}


def test_usual_levels_are_offered_where_none_are_asked_for() -> None:
    source = opened(made(), plan_dataset(50.0))
    assert [s.facts["LevelPercent"] for s in source.structures] == [107, 105, 100, 95, 90, 80, 70, 50, 30, 10]
    assert source.structures[2].name == "100 % of the prescription (50 Gy)"
    assert source.structures[3].color == (255, 255, 0)
    assert {s.kind for s in source.structures} == {"DOSE_REGION"}
    assert source.shape(3)[1] == ()  # one prescription leaves nothing to choose


def test_levels_in_gray_and_per_cent_of_a_given_dose() -> None:
    source = opened(made(), Levels=[20, "20 Gy", "50 %", 70], Reference=40)
    assert [s.facts["LevelGy"] for s in source.structures] == [20, 20, 20, 70]
    assert source.structures[3].reason.startswith("the highest dose is 59.")
    with pytest.raises(InvalidInput, match="no dose is above 70 Gy"):
        source.shape(4)
    shape = united([source.shape(1)[0], source.shape(2)[0]])
    assert isinstance(shape, Region)
    assert shape.threshold == pytest.approx(20)


def test_a_level_of_a_hundred_thousandth_is_a_number_of_gray() -> None:
    level = opened(made(), Levels=[1e-5]).structures[0]
    assert (level.name, level.facts["LevelGy"], level.usable) == ("1e-05 Gy", 1e-5, True)


def test_the_maximum_is_the_reference_without_a_plan() -> None:
    assert opened(made(), Levels=["50%"]).structures[0].facts["LevelGy"] == pytest.approx(29.9, abs=0.3)
    assert opened(made(), plan_dataset(50.0), Levels=["50%"]).structures[0].facts["LevelGy"] == 25


def test_a_plan_without_a_prescription_leaves_the_maximum_and_says_so() -> None:
    plan = plan_dataset(50.0)
    for reference in plan.DoseReferenceSequence:
        del reference.TargetPrescriptionDose
    source = opened(made(), plan, Levels=["50%"])
    assert source.structures[0].facts["LevelGy"] == pytest.approx(29.9, abs=0.3)
    told = "the RT Plan has no Target Prescription Dose: per cent are of the maximum"
    assert told in [note.text for note in source.shape(1)[1]]
    with pytest.raises(InvalidInput, match="the RT Plan has no Target Prescription Dose"):
        opened(made(), plan, Levels=["50%"], Reference="prescription")


def test_a_level_at_the_maximum_encloses_nothing_and_one_that_is_not_there_is_no_level() -> None:
    source = opened(made(), Levels=["100%"])
    assert source.structures[0].reason == "the highest dose is 59.766 Gy"
    with pytest.raises(InvalidInput, match="no dose is above 100 % of the maximum"):
        source.shape(1)
    for number in (0, 2):
        with pytest.raises(InvalidInput, match=f"there is no level {number}: the dose has 1 levels"):
            source.shape(number)


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


def test_colors_go_from_cold_to_hot() -> None:
    assert [color_of(p) for p in (50, 95, 105, 200)] == [(0, 128, 255), (255, 255, 0), (255, 0, 0), (255, 0, 160)]


@pytest.mark.parametrize("kind", ["PLAN", "MULTI_PLAN", "PLAN_OVERVIEW"])
def test_a_dose_for_biological_effect_says_so_and_a_whole_one_nothing(kind: str) -> None:
    ds = made()
    ds.DoseSummationType = kind
    assert opened(ds, Levels=[30]).shape(1)[1] == ()
    ds.DoseType = "EFFECTIVE"
    told = [note.text for note in opened(ds, Levels=[30]).shape(1)[1]]
    assert told == ["this dose is EFFECTIVE: corrected for biological effect"]


@pytest.mark.parametrize(("scaling", "level"), [(0.1, 1.1), (0.57, 57), (1e-5, 20)])
def test_a_plateau_at_its_level_is_inside(scaling: float, level: float) -> None:
    """100 times 0.57 is 56.99999999999999 in binary numbers."""
    dose = np.zeros((8, 10, 10))
    dose[2:6, 3:7, 3:7] = level
    dose[3, 4, 4] = 3 * level
    ds = dose_dataset(dose, offsets=[2.5 * n for n in range(8)], position=(0, 0, 0), scaling=scaling)
    source = opened(ds, Levels=[level])
    assert source.structures[0].facts["Voxels"] == 64
    low, high = np.array(mesh_shape(source.shape(1)[0]).report.box)
    assert high - low == pytest.approx(7.5, abs=0.1)
