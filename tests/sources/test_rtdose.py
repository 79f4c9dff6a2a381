"""Doses: isodoses where they are by formula, in every placement of the grid; levels, references and their sentences."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from pydicom.dataset import Dataset

from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.meshing import mesh_shape
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import InvalidField, InvalidInput
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.model import Part
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.rtdose import OpenDose, RtDose
from testing.data import shared_file
from testing.source_phantoms import file_of

CENTRE = np.array((10.0, -15.0, 30.0))


def opened(data: bytes | Dataset, *more: Dataset, **fields: object) -> OpenDose:
    files = [data if isinstance(data, bytes) else file_of(data), *map(file_of, more)]
    return RtDose().open(files, ReadOptions(fields=fields))


def radii(source: OpenDose, number: int) -> np.ndarray:
    return radii_of(part_of(source, number))


def part_of(source: OpenDose, number: int) -> Part:
    """As it is stored."""
    return build_model(source, ConversionRequest(structures=(number,))).model.parts[0]


def radii_of(part: Part) -> np.ndarray:
    """Of the vertices and of the middles of triangles."""
    assert (part.report.closed, part.report.euler_number) == (True, 2)
    mesh = part.mesh
    points = np.concatenate((mesh.vertices, mesh.vertices[mesh.triangles].mean(axis=1)))
    return np.asarray(np.linalg.norm(points - CENTRE, axis=1))


def radius(level: float) -> float:
    return float(20 * np.sqrt(2 * np.log(60 / level)))


@pytest.mark.parametrize("name", ["absolute16", "descending16", "relative32"])
def test_isodoses_of_the_made_dose_are_balls(name: str) -> None:
    balls = {57: 1.101, 50: 7.379, 30: 54.697, 10: 227.32, 6: 331.17}
    source = opened(shared_file(f"rtdose/made/rtdose_{name}.dcm").read_bytes(), Levels=list(balls))
    for number, (level, millilitres) in enumerate(balls.items(), 1):
        part = part_of(source, number)
        assert np.abs(radii_of(part) - radius(level)).max() < 0.07
        assert part.volume_ml == pytest.approx(millilitres, rel=0.015)


def test_an_isodose_that_leaves_the_grid_is_closed_at_its_edge() -> None:
    source = opened(shared_file("rtdose/made/rtdose_relative32.dcm").read_bytes(), Levels=[1])
    shape, notes = source.shape(1)
    assert mesh_shape(shape).report.closed
    assert notes[0].text == "the isodose of 1 Gy leaves the dose grid: it was closed at the grid's edge"


def real_dose(*levels: float) -> OpenDose:
    return opened(gzip.decompress(shared_file("rtdose/dicompyler/rtdose.dcm.gz").read_bytes()), Levels=list(levels))


REAL_LEVELS = (1, 5, 10, 12, 14)


def trilinear_ml(volume: Volume, level: float) -> float:
    """What is at `level` Gy or above, with straight lines between the voxels, counted on a grid of at most 0.5 mm.

    Of the boxes between eight voxels those that the level does not cross are in or out as a whole.
    """
    dose = volume.stored * volume.slope
    sides = np.linalg.norm(volume.affine[:3, :3], axis=0)
    corners = np.stack([dose[tuple(slice(n, size - 1 + n) for n, size in zip(at, dose.shape, strict=True))]
                        for at in np.ndindex(2, 2, 2)])  # fmt: skip
    lowest, highest = corners.min(axis=0), corners.max(axis=0)
    crossed = corners[:, (lowest < level) & (highest >= level)].reshape(2, 2, 2, -1)
    steps = np.ceil(sides / 0.5).astype(int)
    share = 0.0
    for at in np.ndindex(*steps):
        weights = [np.array((1 - t, t)) for t in (np.array(at) + 0.5) / steps]
        share += np.count_nonzero(np.einsum("i,j,k,ijkn->n", *weights, crossed) >= level) / np.prod(steps)
    return float((np.count_nonzero(lowest >= level) + share) * volume.voxel_volume / 1000)


@pytest.mark.slow
def test_volumes_of_a_real_dose_are_those_of_straight_lines_between_its_voxels() -> None:
    source = real_dose(*REAL_LEVELS)
    assert source.volume.stored.shape == (194, 129, 98)
    assert source.yardstick.maximum == pytest.approx(14.680764)
    voxels = [s.facts["VolumeMl"] for s in source.structures]
    assert voxels == pytest.approx([1785.28, 269.64, 132.32, 99.34, 61.89], abs=0.01)
    for number, level in enumerate(REAL_LEVELS, 1):
        report = mesh_shape(source.shape(number)[0]).report
        assert report.closed
        assert report.volume / 1000 == pytest.approx(trilinear_ml(source.volume, level), rel=0.01)
    told = [note.text for note in report.notes]
    assert told == [
        "the surface encloses 59.82 mL, its voxels 61.89 mL (-3.3 %): between the voxels the values were interpolated"
    ]


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
