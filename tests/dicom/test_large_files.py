"""Large files: as little time and memory as reading each byte once takes. Times are ratios, machines are noisy."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from orthanc_stl.dicom.encapsulated_model import Description
from orthanc_stl.dicom.stored_model import read_encapsulated_stl
from orthanc_stl.dicom.structure_set import read_roi_names, read_structure_set
from orthanc_stl.dicom.study_context import read_study_context
from testing.phantoms import ball, large_structure_set, structure_set
from tests.dicom.listing import listing
from tests.dicom.stl_objects import encapsulate


@pytest.fixture(scope="module")
def large() -> bytes:
    """A fifth of the 50 MB of meshing.md: 400 contours of 1,000 points, 20 ROIs."""
    return large_structure_set(contours=400)


def peak_bytes(work: Callable[[], object]) -> int:
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_names_do_not_depend_on_the_contours(large: bytes) -> None:
    assert peak_bytes(lambda: read_roi_names(large)) < 100_000


def test_one_roi_takes_a_fraction_of_all(large: bytes) -> None:
    one = peak_bytes(lambda: read_structure_set(large).contours([3]))
    assert one < len(large) / 3  # text, numbers and masks of 20 contours of 400


def test_listing_holds_little_more_than_one_roi(large: bytes) -> None:
    assert peak_bytes(lambda: listing(read_structure_set(large))) < len(large) / 2


def test_an_stl_is_copied_once_into_its_object_and_not_at_all_out_of_it() -> None:
    source = read_study_context(structure_set([ball(radius=6, points=24)]))
    stl = bytes(20_000_000)
    description = Description("T", ("A",))
    peak = peak_bytes(lambda: encapsulate(stl, source=source, description=description, version="1"))
    assert peak < 1.1 * len(stl)
    dicom = encapsulate(stl, source=source, description=description, version="1")
    assert peak_bytes(lambda: read_encapsulated_stl(dicom)) < 1_000_000
