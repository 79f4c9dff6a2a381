"""Random structure sets with known truth: each comes out right, or with a warning. Never silently wrong.

500 cases in a test; more by hand, from another seed on:

    python -m tests.mesh.test_random_sets 50000 1000000
"""

from __future__ import annotations

import sys

import numpy as np
import pytest

from orthanc_stl.errors import StlError
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.types import Rank
from tests.mesh.random_sets import random_case

RESOLUTION = 48
WITHIN = 0.02
BATCHES, CASES = 10, 50


def verdict(seed: int) -> tuple[str, str]:
    """ "right", "told" or "wrong", and the figures."""
    case = random_case(np.random.default_rng(seed))
    try:
        report = surface_from_contours([case.roi()], surroundings=case.surroundings(), resolution=RESOLUTION).report
    except StlError as error:
        return "told", f"{seed} {case.kind}: {error}"
    off = report.volume / case.volume - 1
    figures = f"{seed} {case.kind}: volume {off:+.2%}, Euler number {report.euler_number} of {case.euler_number}"
    if report.closed and abs(off) <= WITHIN and report.euler_number == case.euler_number:
        return "right", figures
    told = any(note.rank in (Rank.CHANGED_SHAPE, Rank.GUESSED) for note in report.notes)
    if report.euler_number != case.euler_number:  # a warning of something else does not count
        of_pieces = ("Euler number", "falls into", "from an outline to the nearest one")
        told = any(words in text for words in of_pieces for text in report.warnings)
    return "told" if told else "wrong", f"{figures} {report.warnings}"


@pytest.mark.parametrize("batch", range(BATCHES))
def test_never_silently_wrong(batch: int) -> None:
    found = [verdict(seed) for seed in range(CASES * batch, CASES * (batch + 1))]
    assert [figures for what, figures in found if what == "wrong"] == []
    assert sum(what == "right" for what, _ in found) >= 0.8 * CASES  # some kinds hold what no voxel of these holds


def main(count: int, first: int) -> int:
    wrong = told = 0
    for seed in range(first, first + count):
        what, figures = verdict(seed)
        wrong += what == "wrong"
        told += what == "told"
        if what == "wrong":
            print(figures, flush=True)
    print(f"{count} structure sets: {count - wrong - told} right, {told} with a warning, {wrong} silently wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
