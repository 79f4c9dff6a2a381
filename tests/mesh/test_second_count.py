"""Contours counted a second time, without parts and links."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.links import Link, links_of
from orthanc_stl.mesh.contours.parts import Chain, Usual, chains_of
from orthanc_stl.mesh.contours.planes import stacks_of
from orthanc_stl.mesh.contours.regions import Region, regions_of
from orthanc_stl.mesh.contours.second_count import check_plan, volume_by_outlines
from testing.solids import ring, roi_of
from tests.mesh.random_sets import random_case

CAPS = Usual(3.0, end_caps=True)
TWO_GRIDS = [ring(10, z, (60 * k, 0)) for k in (0, 1) for z in 3.0 * np.arange(10) + 0.9 * k]


def planned(outlines: Sequence[np.ndarray]) -> tuple[list[Region], list[Chain]]:
    findings = Findings()
    (stack,) = stacks_of([roi_of(list(outlines))], findings)
    regions = regions_of(stack.rois[0], True, findings)
    return regions, chains_of(stack.rois[0], regions, CAPS, findings)


def told_of(regions: Sequence[Region], chains: Sequence[Chain]) -> list[str]:
    findings = Findings()
    check_plan("ROI", regions, chains, CAPS, findings)
    return [note.text for note in findings.notes()]


@pytest.mark.parametrize("kind", ["offset_grids", "two_spacings", "spacing_changes", "branches", "missing_slices"])
def test_counts_the_truth_without_knowing_of_parts(kind: str) -> None:
    for seed in range(10):
        case = random_case(np.random.default_rng(seed), kind)
        findings = Findings()
        (stack,) = stacks_of([case.roi()], findings)
        regions = regions_of(stack.rois[0], True, findings)
        assert volume_by_outlines(regions, 1.0) == pytest.approx(case.volume, rel=0.02)


def test_a_right_plan_is_not_doubted() -> None:
    assert told_of(*planned(TWO_GRIDS)) == []


@pytest.mark.parametrize(("without", "by_parts"), [(0, "9.425"), (1, "9.425")])
def test_a_plan_that_lost_a_part_is_told_of(without: int, by_parts: str) -> None:
    """The closing check compares the surface with the same plan, and agrees with it."""
    regions, chains = planned(TWO_GRIDS)
    del chains[without]
    (told,) = told_of(regions, chains)
    assert f"encloses {by_parts} mL as its outlines are joined to parts, and 18.85 mL if each outline" in told


def test_more_outlines_in_a_plane_than_are_compared_at_once() -> None:
    """Of 1,089 in a plane the next one was looked for among 1,024: a third of the volume, and an untrue warning."""
    outlines = [ring(1, z, (4 * i, 4 * j), 16) for z in (0, 3, 6) for i in range(33) for j in range(33)]
    regions, chains = planned(outlines)
    assert volume_by_outlines(regions, 1.0) == pytest.approx(33 * 33 * 9 * np.pi)
    assert told_of(regions, chains) == []


@pytest.mark.slow
def test_more_outlines_in_a_plane_than_links_were_looked_among() -> None:
    """Of 4,225 in a plane the next one was looked for among 4,096, and taken for a vessel's that moves on."""
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1.0]])
    places = [(4.0 * i, 4.0 * j) for i in range(65) for j in range(65)]
    regions = [Region((square + place,), 3.0 * plane, plane, 4.0, 8.0, 3.0) for plane in (0, 1) for place in places]
    assert links_of(regions) == [Link(k, k + 4225) for k in range(4225)]
