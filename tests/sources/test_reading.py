"""An error that a library raises on a damaged file is a 400 that names the kind of the file, for every source."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import pytest

from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.conversion.unions import found_of
from orthanc_stl.errors import InvalidInput
from orthanc_stl.sources.base import OpenSource, ReadOptions
from orthanc_stl.sources.registry import SOURCES, open_files
from orthanc_stl.tasks.sources import _structures
from tests.sources.test_mutants import FILES

INNER = {
    "rtstruct": ("orthanc_stl.dicom.structure_set.rois_of", "the RT Structure Set"),
    "seg": ("orthanc_stl.sources.seg.frame_table", "the DICOM SEG"),
    "rtdose": ("orthanc_stl.sources.rtdose.dose_grid", "the RT Dose"),
    "surface-segmentation": ("orthanc_stl.sources.surface_segmentation.read_object", "the Surface Segmentation"),
    "encapsulated": ("orthanc_stl.sources.encapsulated.read_parts", "the encapsulated model"),
    "nifti": ("orthanc_stl.sources.nifti_file.Nifti1Header", "the NIfTI file"),
    "nrrd": ("orthanc_stl.sources.nrrd_file.nrrd.read_header", "the header of the NRRD file"),
    "mesh": ("orthanc_stl.sources.mesh_files.read_stl", "the mesh file"),
    "images": ("orthanc_stl.sources.images.files_of_images", "the series of images"),
}
"""For each source what it calls on its way through a file, and what the sentence calls the file."""

RAISED = [ValueError("broken"), KeyError("broken"), struct.error("broken"), RecursionError("broken")]


def raiser(error: Exception) -> Any:
    def fail(*arguments: object, **named: object) -> NoReturn:
        raise error

    return fail


def file_of_kind(key: str) -> bytes:
    name = "stl" if key == "mesh" else next(name for name, (kind, _) in FILES.items() if kind == key)
    return FILES[name][1]()


def test_no_source_is_left_out() -> None:
    assert [source.kind.key for source in SOURCES] == list(INNER)


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.kind.key)
def test_what_a_reader_raises_says_what_is_damaged(
    source: Any, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner, what = INNER[source.kind.key]
    data = file_of_kind(source.kind.key)
    monkeypatch.setattr(inner, raiser(error))
    with pytest.raises(InvalidInput, match=f"{what} is damaged: {type(error).__name__}: .*broken") as told:
        source.reader.open([data], ReadOptions())
    assert told.value.status == 400
    assert told.value.__cause__ is error


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_what_is_raised_where_the_source_is_looked_for_does_too(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orthanc_stl.sources.registry.open_file", raiser(error))
    with pytest.raises(InvalidInput, match=f"this file is damaged: {type(error).__name__}"):
        open_files([file_of_kind("seg")], ReadOptions())


class Late:
    """A source that reads its file only when it is asked."""

    @property
    def structures(self) -> Sequence[Any]:
        raise KeyError("broken")

    def shape(self, number: int) -> NoReturn:
        raise KeyError("broken")


def test_what_is_raised_later_does_too() -> None:
    late, request = cast(OpenSource, Late()), cast(ConversionRequest, None)
    with pytest.raises(InvalidInput, match="this file is damaged: KeyError: 'broken'"):
        _structures(late)
    one = cast(Any, SimpleNamespace(number=1, name="one"))
    with pytest.raises(InvalidInput, match="this file is damaged: KeyError: 'broken'"):
        found_of(late, [one], request)
