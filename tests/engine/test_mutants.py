"""Damaged files of every kind: converted or refused with a sentence. `python -m tests.mutants` does it by thousands."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator

import pytest

from orthanc_stl import errors
from tests.mutants import SUBJECTS, mutant, outcomes


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What `errors.reading` logs is meant for whoever runs Orthanc."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("subject", SUBJECTS)
def test_no_damage_is_an_error_of_ours(subject: str) -> None:
    found = list(outcomes(subject, 15))
    assert [text for name, text in found if name != "ok" and errors.by_name(name).status >= 500] == []
    assert len(found) >= 30
    assert all(text.partition(": ")[2] for name, text in found if name != "ok")


def test_the_same_seed_gives_the_same_mutants() -> None:
    data = bytes(range(256)) * 4
    one, other = (mutant(data, random.Random(7)) for _ in range(2))
    assert one == other != data
