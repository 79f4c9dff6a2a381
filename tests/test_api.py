"""The public API says a sentence about what it cannot take, and marks its types as checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import orthanc_stl as stl

CUBE = np.pad(np.ones((4, 4, 4), np.uint8), 2)
SQUARE = [(0, 0, 0), (9, 0, 0), (9, 9, 0), (0, 9, 0)]

WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "no path": (stl.read, "needs a path, got none"),
    "no polygons": (lambda: stl.surface_from_contours([]), "at least one polygon, got none"),
    "points of two numbers": (
        lambda: stl.surface_from_contours([SQUARE, [(0, 0), (1, 1)]]),
        r"polygon 2 must be a list of points \(n, 3\) in mm, got float64 of shape \(2, 2\)",
    ),
    "uneven points": (
        lambda: stl.surface_from_contours([[(0, 0, 0), (1, 1)]]),
        "polygon 1 must be a list of points .* got a list of values that are no numbers, or of rows",
    ),
    "words": (
        lambda: stl.surface_from_contours([["a", "b"]]),  # type: ignore[list-item]
        "polygon 1 must be a list of points",
    ),
    "a slice": (lambda: stl.surface_from_volume(np.ones((3, 3))), r"needs a \(nx, ny, nz\) array of real numbers"),
    "complex numbers": (lambda: stl.surface_from_volume(CUBE * 1j), "array of real numbers, got complex128 of shape"),
    "a singular affine": (lambda: stl.surface_from_volume(CUBE, np.zeros((4, 4))), r"an invertible \(4, 4\) array"),
    "an uneven affine": (
        lambda: stl.surface_from_volume(CUBE, [[1, 2], [3]]),  # type: ignore[arg-type]
        r"an invertible \(4, 4\) array, got a list of values that are no numbers",
    ),
    "nothing inside": (lambda: stl.surface_from_volume(np.zeros((4, 4, 4), np.uint8)), "no voxel that is not zero"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_taken_is_a_sentence(case: str) -> None:
    call, sentence = WRONG[case]
    with pytest.raises(stl.InvalidInput, match=sentence):
        call()


def test_options_and_suffixes_that_are_not_there(tmp_path: Path) -> None:
    file = tmp_path / "cube.stl"
    part = stl.surface_from_volume(CUBE, smooth=False)
    stl.Model((part,)).save(file)
    structures = stl.read(file)
    with pytest.raises(stl.InvalidInput, match=r"has no option 'resolutoin'; it has .*resolution"):
        structures.mesh(resolutoin=64)
    with pytest.raises(stl.InvalidInput, match=r"read\(\) has no field 'threshold'; it has .*Threshold"):
        stl.read(file, threshold=0)
    with pytest.raises(stl.InvalidInput, match=r"cube\.xyz has no suffix of a format that is written here: \.glb"):
        structures.mesh().save(tmp_path / "cube.xyz")


def test_lists_are_fine() -> None:
    lists = [[[x, y, z] for x, y in ((0, 0), (9, 0), (9, 9), (0, 9))] for z in (0, 3, 6)]
    assert stl.surface_from_contours(lists, smooth=False).volume_ml == pytest.approx(0.729, rel=1e-3)
    assert stl.surface_from_volume(CUBE.tolist(), smooth=False).volume_ml == pytest.approx(0.064, rel=1e-3)  # type: ignore[arg-type]


def test_types_are_marked_as_checked() -> None:
    assert (Path(stl.__file__).parent / "py.typed").exists()


def test_what_is_said_of_the_choice_and_fields_of_other_kinds_are_told(tmp_path: Path) -> None:
    file = tmp_path / "cube.stl"
    stl.Model((stl.surface_from_volume(CUBE, smooth=False),)).save(file)
    model = stl.read(file, Levels=[30], FillHoles=False, Threshold=0, LabelNames={}).mesh(colors={"Heart": (1, 2, 3)})
    mesh = "a mesh file (STL, OBJ, PLY, GLB or 3MF)"
    assert [note.text for note in model.notes] == [
        'Colors has "Heart", but there is no such structure',
        f"Levels was ignored: it means nothing for {mesh}",
        f"Threshold was ignored: it means nothing for {mesh}",
    ]
    with pytest.raises(stl.InvalidInput, match="Levels was ignored"):
        stl.read(file, Levels=[30]).mesh(strict=True)
