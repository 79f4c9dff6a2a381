"""Surfaces that are sources: exported, simplified, united, subtracted and intersected, whatever they came in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

import orthanc_stl as stl
from orthanc_stl.mesh.types import Mesh
from testing.data import shared_file
from tests.sources.test_mesh_files import ascii_solid
from tests.sources.test_meshes import cube

OPEN = "the surface of the file is not closed, so its volume is a rough figure; it was left as it is"

BALL, SMALL, LENS = 33.2219, 7.1759, 3.62
"""mL of two icospheres, 18 mm apart, and of what they share (3.660 of true balls)."""

KINDS = ("surface segmentation", "encapsulated OBJ", "obj", "glb", "3mf", "ply", "stl")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """The same two balls in each kind of file; those that this project writes are exports of the first."""
    folder = tmp_path_factory.mktemp("balls")
    surfaces = shared_file("surfaces/surface_segmentation_balls.dcm")
    found = {
        "surface segmentation": [surfaces],
        "encapsulated OBJ": [shared_file(f"surfaces/encapsulated_{name}.dcm") for name in ("obj", "mtl")],
        "obj": [shared_file(f"surfaces/balls.{name}") for name in ("obj", "mtl")],
    }
    model = stl.read(surfaces).mesh([1, 2], tolerance=0)
    for suffix in ("glb", "3mf", "ply"):
        found[suffix] = [folder / f"balls.{suffix}"]
        model.save(found[suffix][0])
    found["stl"] = [folder / "balls.stl"]
    found["stl"][0].write_bytes(b"".join(ascii_solid(part.name, part.mesh) for part in model))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_two_balls_of_any_kind_are_exported_simplified_and_combined(
    files: dict[str, list[Path]], kind: str, tmp_path: Path
) -> None:
    source = stl.read(*files[kind])
    (union,) = source.mesh([1, 2], union=True)
    (difference,) = source.mesh(2, subtract=[1])
    (lens,) = source.mesh(2, intersect=[1])
    assert union.volume_ml == pytest.approx(BALL + SMALL - LENS, rel=0.005)
    assert difference.volume_ml == pytest.approx(SMALL - LENS, rel=0.01)
    assert lens.volume_ml == pytest.approx(LENS, rel=0.01)
    assert [(part.closed, part.report.euler_number) for part in (union, difference, lens)] == [(True, 2)] * 3
    (simple,) = source.mesh(1, triangles=300)
    assert simple.report.triangles <= 300
    assert simple.volume_ml == pytest.approx(BALL, rel=0.02)
    source.mesh([1, 2], tolerance=0).save(tmp_path / "again.glb")
    assert [part.volume_ml for part in stl.read(tmp_path / "again.glb").mesh(tolerance=0)] == pytest.approx(
        [BALL, SMALL], rel=1e-4
    )


@pytest.mark.parametrize(
    ("triangles", "volume", "told"),
    [
        (slice(None), 1.0, ()),
        (
            slice(1, None),
            None,
            (OPEN,),
        ),
        (
            (np.arange(12)[:, None], np.where(np.arange(12)[:, None] < 4, [2, 1, 0], [0, 1, 2])),
            None,
            (
                "some triangles of the file face inwards and some outwards, so its volume is not known; they were left"
                " as they are",
            ),
        ),
        (
            (slice(None), slice(None, None, -1)),
            -1.0,
            ("the triangles of the file face inwards, so its volume is negative; they were left as they are",),
        ),
    ],
    ids=["a cube", "open", "both ways", "inside out"],
)
def test_what_encloses_nothing_or_faces_inwards_says_so(
    triangles: Any, volume: float | None, told: tuple[str, ...], tmp_path: Path
) -> None:
    mesh = cube()
    path = tmp_path / "cube.stl"
    path.write_bytes(ascii_solid("cube", Mesh(mesh.vertices, mesh.triangles[triangles])))
    (part,) = stl.read(path).mesh()
    assert part.warnings == told
    assert part.closed == (volume is not None)
    assert volume is None or part.volume_ml == pytest.approx(volume)


@pytest.mark.parametrize("suffix", ["ply", "glb", "obj"])
def test_a_body_whose_edges_have_vertices_for_each_side_is_closed(suffix: str, tmp_path: Path) -> None:
    """As most GLB files have them, for normals and textures: a box of 2 x 3 x 4, of 36 vertices."""
    box = trimesh.creation.box((2, 3, 4))
    box.unmerge_vertices()
    assert len(box.vertices) == 36
    path = tmp_path / f"box.{suffix}"
    box.apply_scale(0.001 if suffix == "glb" else 1)  # a GLB is in metres
    box.export(path)
    structures = stl.read(path)
    assert [structure.facts["Closed"] for structure in structures] == [True]
    (part,) = structures.mesh(strict=True)
    assert (len(part.mesh.vertices), part.report.euler_number, part.closed, part.warnings) == (8, 2, True, ())
    assert part.report.volume == pytest.approx(24)
    (larger,) = structures.mesh(scale=2, tags={"ModelModification": "YES"})
    assert larger.report.volume == pytest.approx(192)


def test_a_body_of_a_file_that_stays_open_keeps_its_vertices(tmp_path: Path) -> None:
    box = trimesh.creation.box((2, 3, 4))
    box.unmerge_vertices()
    box.update_faces(np.arange(len(box.faces)) > 0)
    box.remove_unreferenced_vertices()
    box.export(tmp_path / "box.ply")
    (part,) = stl.read(tmp_path / "box.ply").mesh()
    assert (len(part.mesh.vertices), part.closed) == (33, False)
    assert part.warnings == (OPEN,)
