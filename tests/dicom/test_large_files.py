"""Large files: as little time and memory as reading each byte once takes. Times are ratios, machines are noisy."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import pytest

from orthanc_stl.dicom.encapsulated_model import Description
from orthanc_stl.dicom.stored_model import read_encapsulated_stl
from orthanc_stl.dicom.structure_set import read_roi_names, read_structure_set
from orthanc_stl.dicom.study_context import read_study_context
from tests.dicom.listing import listing
from tests.dicom.stl_objects import encapsulate
from tests.phantoms import ball, large_structure_set, structure_set


@pytest.fixture(scope="module")
def large() -> bytes:
    """A fifth of the 50 MB of meshing.md: 400 contours of 1,000 points, 20 ROIs."""
    return large_structure_set(contours=400)


def seconds(work: Callable[[], object], times: int = 3) -> float:
    best = float("inf")
    for _ in range(times):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


def peak_bytes(work: Callable[[], object]) -> int:
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_listing_takes_less_than_converting_the_numbers_one_by_one(large: bytes) -> None:
    numbers = ("1.2345 " * 1_200_000).split()
    one_by_one = seconds(lambda: list(map(float, numbers)))
    assert seconds(lambda: listing(read_structure_set(large))) < 4 * one_by_one


def test_names_do_not_depend_on_the_contours(large: bytes) -> None:
    assert seconds(lambda: read_roi_names(large)) < 0.02


def test_one_roi_takes_a_fraction_of_all(large: bytes) -> None:
    one = seconds(lambda: read_structure_set(large).contours([3]))
    assert one < seconds(lambda: listing(read_structure_set(large))) / 3


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
