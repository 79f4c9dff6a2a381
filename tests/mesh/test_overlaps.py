"""Bodies that lie in each other are told; those that touch, lie apart or in a cavity are not."""

from __future__ import annotations

import re

import pytest

from orthanc_stl.conversion.comparison import Side, compared
from orthanc_stl.conversion.meshing import mesh_shape
from orthanc_stl.conversion.statistics import statistics
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.solids.overlaps import sentence_on_overlaps
from orthanc_stl.mesh.triangles import together
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model, Part
from tests.mesh.shapes import box, sphere


def cube(x: float, side: float = 10) -> Mesh:
    return box(side, side, side, (x, 0, 0))


def inwards(mesh: Mesh) -> Mesh:
    return Mesh(mesh.vertices, mesh.triangles[:, ::-1])


CUBE = cube(0)


@pytest.mark.parametrize(
    ("bodies", "shared", "total"),
    [
        ([CUBE], 0, 0),
        ([CUBE, cube(20)], 0, 0),
        ([CUBE, cube(10)], 0, 0),  # side by side
        ([CUBE, cube(6)], 0.4, 2),
        ([CUBE, cube(6), cube(8)], 1.2, 3),  # from x 0 to 18
        ([CUBE, inwards(cube(2, 5))], 0, 0),
        ([sphere(10, (0, 0, 0)), inwards(sphere(6, (0, 0, 0))), sphere(3, (0, 0, 0))], 0, 0),  # in the cavity
    ],
)
def test_what_is_counted_more_than_once(bodies: list[Mesh], shared: float, total: float) -> None:
    sentence = sentence_on_overlaps(together(bodies))
    if not shared:
        assert sentence == ""
        return
    found = re.fullmatch(
        r"bodies of the surface lie in each other: (\S+) of its (\S+) mL are counted more than once", sentence
    )
    assert found
    assert [float(figure) for figure in found.groups()] == pytest.approx([shared, total], rel=1e-3)


def test_tables_comparisons_and_models_of_such_a_surface_tell_it_once() -> None:
    mesh = together([CUBE, cube(6)])
    sentence = "bodies of the surface lie in each other: 0.4 of its 2 mL are counted more than once"
    assert [note.text for note in mesh_shape(mesh).report.notes] == [sentence]
    stored = Model((Part(1, "A", mesh, report_of(mesh)),))
    made = Model((Part(1, "A", mesh, report_of(mesh), notes=mesh_shape(mesh).report.notes),))
    for model in (stored, made):
        assert statistics(model)[0]["Warnings"] == [sentence]
        (row,) = compared(Side(model), Side(Model((Part(1, "B", CUBE, report_of(CUBE)),))))["Pairs"]
        assert (row["WarningsA"], row["WarningsB"]) == ([sentence], [])
