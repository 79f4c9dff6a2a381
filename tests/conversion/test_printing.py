"""What the print check tells of a model: a sentence for each problem, none for a sound body, and its colors."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import trimesh

from orthanc_stl.conversion.printing import HANGING, SOUND, THIN, check_parts, colored_by_check, print_checks
from orthanc_stl.mesh.solids.booleans import united
from orthanc_stl.mesh.solids.print_check import WALL
from orthanc_stl.mesh.triangles import together
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model
from testing.scenes import part
from tests.mesh.shapes import box, shell

CUBE = box(20, 20, 20)
NEEDLE = box(0.9, 0.9, 8, (4, 1, 10))
PROBLEMS: dict[str, tuple[Mesh, list[str]]] = {
    "sound": (CUBE, []),
    "open": (Mesh(CUBE.vertices, CUBE.triangles[1:]), ["the surface is not closed: slicers guess what is inside"]),
    "pieces": (together([CUBE, box(2, 2, 2, (20, 0, 0))]), ["it has 2 pieces, which are printed apart"]),
    "cavity": (shell(20, 12), ["it has a cavity without a way out, in which resin or powder stays"]),
    "crossings": (
        together([CUBE, NEEDLE]),
        ["it has 2 pieces, which are printed apart", "8 pairs of triangles pass through each other"],
    ),
    "thin": (box(20, 20, 0.79), ["walls thinner than 0.8 mm have 800.0 mm² of surface"]),
    "thick enough": (box(20, 20, 0.81), []),
    "large": (box(20, 20, 61), ["its 20.0 x 20.0 x 61.0 mm are larger than the bed"]),
    "fits if it is laid down": (box(20, 20, 59), []),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_each_problem_is_a_sentence(name: str) -> None:
    mesh, sentences = PROBLEMS[name]
    (found,) = print_checks(Model((part(1, "Part", mesh),)), wall=WALL, bed=(60, 60, 50))["Parts"]
    assert found["Problems"] == sentences


def test_thin_walls_are_red_and_what_hangs_over_orange() -> None:
    """A table whose top is thick and hangs over, with a thin fin on it."""
    table = united([box(10, 10, 20), box(40, 40, 4, (0, 0, 12)), box(0.5, 20, 12, (0, 0, 19))])
    model = Model((part(1, "Table", table),))
    ply: Any = trimesh.load(io.BytesIO(colored_by_check(model, check_parts(model, wall=WALL), WALL)), "ply")
    corners = ply.visual.vertex_colors[ply.faces][:, :, :3]
    assert (corners == corners[:, :1]).all()
    areas = [ply.area_faces[(corners[:, 0] == color).all(axis=1)].sum() for color in (THIN, HANGING, SOUND)]
    assert areas[0] == pytest.approx(2 * 20 * 11, rel=0.01)
    assert areas[1] == pytest.approx(40 * 40 - 10 * 10, rel=0.01)
    assert np.sum(areas) == pytest.approx(ply.area, rel=1e-6)
