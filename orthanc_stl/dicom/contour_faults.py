"""What is wrong with contours, told once for all contours of a ROI that have the same fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from orthanc_stl.model import Rank

# Runs of contour numbers that a sentence lists.
MOST_RUNS = 8


class Fault(NamedTuple):
    """One fault: what is said of one contour that has it and of several ("has no points", "have no points"), what was
    done, and the numbers of the contours that have it, ascending."""

    rank: Rank
    one: str
    several: str
    done: str
    numbers: tuple[int, ...]

    @property
    def left_out(self) -> bool:
        return self.rank != Rank.GUESSED


def told(fault: Fault) -> str:
    """
    >>> told(Fault(Rank.LEFT_OUT, "has no points", "have no points", "left out", (7,)))
    'contour 7 has no points: left out'
    >>> told(Fault(Rank.LEFT_OUT, "has no points", "have no points", "left out", (2, 3, 4, 9)))
    '4 contours have no points (2-4, 9): left out'
    """
    if len(fault.numbers) == 1:
        return f"contour {fault.numbers[0]} {fault.one}: {fault.done}"
    return f"{len(fault.numbers)} contours {fault.several} ({listed(fault.numbers)}): {fault.done}"


def listed(numbers: Sequence[int]) -> str:
    """Ascending numbers as runs, "2-4, 9", at most `MOST_RUNS` of them."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number, number])
    words = [f"{first}-{last}" if last > first else str(first) for first, last in runs]
    return ", ".join(words if len(words) <= MOST_RUNS else [*words[:MOST_RUNS], "..."])
