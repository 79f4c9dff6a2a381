"""The same body from 0.2 mm to 20 m is the same mesh, scaled: no length in mm decides anything."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.types import Surface
from testing.solids import ball, ring, roi_of
from tests.mesh.random_sets import KINDS, Case, random_case

TURNED = Rotation.from_euler("xyz", [33, -48, 71], degrees=True)
UPRIGHT = Rotation.identity()


def drawn(kind: str) -> Case:
    """One of a kind, with more points of the file around it."""
    if kind == "single_slice":
        return Case(kind, [ring(20, 12)], 0, 2, UPRIGHT, np.zeros(3), [np.stack(ball(30).outlines)])
    if kind == "lesion of 1 mm":
        return Case(kind, ball(0.5, spacing=0.1).outlines, 0, 2, UPRIGHT, np.zeros(3))
    return replace(random_case(np.random.default_rng(8), kind), decimals=None)


@cache
def plain(kind: str, tilted: bool) -> Surface:
    return meshed(kind, tilted, 1.0)


def meshed(kind: str, tilted: bool, scale: float) -> Surface:
    case = drawn(kind)
    rotation, shift = TURNED if tilted else UPRIGHT, np.array([64.0, -120, 30])
    outlines = [(rotation.apply(outline) + shift) * scale for outline in case.outlines]
    around = [np.array([(rotation.apply(c) + shift) * scale for c in roi]) for roi in case.around]
    return surface_from_contours([roi_of(outlines)], surroundings=around, resolution=32)


SMALLER = [pytest.param(tilted, 1 / 128, marks=pytest.mark.slow) for tilted in (False, True)]


@pytest.mark.parametrize(("tilted", "scale"), [*SMALLER, (True, 128.0)])
@pytest.mark.parametrize("kind", [*(kind for kind in KINDS if kind != "rounded"), "single_slice", "lesion of 1 mm"])
def test_the_same_triangles(kind: str, tilted: bool, scale: float) -> None:
    """Powers of two change no digit of a coordinate: what is left is rounding, of distances to 1/256 of a voxel."""
    one, other = plain(kind, tilted), meshed(kind, tilted, scale)
    assert np.array_equal(one.mesh.triangles, other.mesh.triangles)
    assert one.report.voxel is not None
    assert np.abs(one.mesh.vertices - other.mesh.vertices / scale).max() < one.report.voxel[0] / 200
    assert other.report.volume / scale**3 == pytest.approx(one.report.volume, rel=1e-5)
    told = [note.text for note in other.report.notes if "metres" not in note.text]
    assert len(told) == len(one.report.notes)


@pytest.mark.parametrize("decimals", [4, 6])
@pytest.mark.parametrize("tilt", [2, 30, 50])
def test_a_tilted_roi_of_less_than_a_millimetre(tilt: float, decimals: int) -> None:
    """Its normal was that of the patient's axes, so its volume was up to 60 % too small."""
    turn = Rotation.from_euler("xyz", [tilt, -0.7 * tilt, 10], degrees=True)
    outlines = [turn.apply(ring(0.35, 0.05 * k, points=60)) + np.array([30, -20, 10]) for k in range(16)]
    report = surface_from_contours([roi_of([np.round(o, decimals) for o in outlines])], resolution=48).report
    assert report.volume == pytest.approx(np.pi * 0.35**2 * 0.8, rel=0.01)
    assert (report.euler_number, report.warnings) == (2, ())


@pytest.mark.parametrize("spacing", [0.02, 0.03, 0.0513])
def test_micro_ct(spacing: float) -> None:
    outlines = [ring(1.2, spacing * k, (3, 4), 60) for k in range(40)]
    report = surface_from_contours([roi_of([np.round(o, 5) for o in outlines])], resolution=48).report
    assert report.volume == pytest.approx(np.pi * 1.44 * 40 * spacing, rel=0.005)
    assert (report.euler_number, report.warnings) == (2, ())


def test_a_tilted_vessel_on_planes_0_056_mm_apart() -> None:
    turn = Rotation.from_euler("xyz", [25, -40, 10], degrees=True)
    planes = 0.056 * np.arange(40)
    outlines = [turn.apply(ring(0.1, z, (0.4 * z, 0.2 * z), 40)) for z in planes]
    report = surface_from_contours([roi_of([np.round(o, 6) for o in outlines])], resolution=64).report
    assert report.volume == pytest.approx(np.pi * 0.01 * 40 * 0.056, rel=0.02)
    assert (report.euler_number, report.warnings) == (2, ())
