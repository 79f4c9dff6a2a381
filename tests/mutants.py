"""Damaged files by the thousand: each is converted, or refused with a sentence, and never a 500.

    python -m tests.mutants --count 2000

damages three real files (a structure set, a NIfTI mask, an Encapsulated STL) that often each, runs the tasks that a
worker runs for them, and prints what came of it. tests/engine/test_mutants.py does the same with few. The same seed
gives the same files.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from orthanc_stl.engine.tasks import TASKS

from orthanc_stl import errors
from orthanc_stl.engine import worker
from tests.data import shared_file
from tests.phantoms import ct_slices

MOST_CHANGES = 8
CONVERSION: dict[str, Any] = {"resolution": 16, "smooth": True, "tags": {}, "limits": {"max_nifti_mb": 64}}
RTSTRUCT = CONVERSION | {"roi_names": None, "roi_numbers": None, "end_caps": True, "strict": False}
PIECES = (b"\\", b"\0", b"-1", b"nan", b"1e999", b"\xff\xff\xff\xff", b"\xfe\xff\x00\xe0", b"99999999999", b" ")


@dataclass(frozen=True)
class Subject:
    """A file, and the tasks that read it: the first gives what the others take from it."""

    name: str
    file: Callable[[], bytes]
    work: Callable[[bytes], Iterator[tuple[str, dict[str, Any], list[bytes]]]]


def _structure_set_work(data: bytes) -> Iterator[tuple[str, dict[str, Any], list[bytes]]]:
    yield "roi_names", {"limits": {}}, [data]
    yield "structures", {"limits": {}}, [data]
    for number in (1, 2, 3, 4):
        yield "encode_rtstruct", RTSTRUCT | {"roi_numbers": [number]}, [data]


def _nifti_work(data: bytes) -> Iterator[tuple[str, dict[str, Any], list[bytes]]]:
    yield "encode_nifti", dict(CONVERSION), [data, ct_slices(planes=[0])[0], json.dumps([]).encode()]


def _stl_work(data: bytes) -> Iterator[tuple[str, dict[str, Any], list[bytes]]]:
    yield "stl_info", {}, [data]


SUBJECTS = (
    Subject(
        "structure set", lambda: shared_file("rtstruct/innereye/RS_passthrough.dcm").read_bytes(), _structure_set_work
    ),
    Subject(
        "NIfTI",
        lambda: gzip.decompress(shared_file("nifti/med-imagetools/star_mask.nii.gz").read_bytes()),
        _nifti_work,
    ),
    Subject(
        "Encapsulated STL",
        lambda: shared_file("encapsulated/dcmtk_20mm-xyz-cube.stl.dcm").read_bytes(),
        _stl_work,
    ),
)


def mutant(data: bytes, chance: random.Random) -> bytes:
    """`data` with one to `MOST_CHANGES` changes: bytes, numbers, pieces put in, taken out or repeated, an early end.

    Half of them are in the first kilobytes, where headers are.
    """
    changed = bytearray(data)
    for _ in range(min(chance.randint(1, MOST_CHANGES), chance.randint(1, MOST_CHANGES))):
        at = chance.randrange(min(len(changed), 4096) if chance.random() < 0.5 else len(changed)) if changed else 0
        size = chance.choice((1, 2, 4, 8, 64))
        kind = chance.randrange(7)
        if kind == 0:
            changed[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            changed[at : at + 1] = bytes([changed[at] ^ 1 << chance.randrange(8)] if changed else [])
        elif kind == 2:
            changed[at : at + size] = bytes(chance.choice((0, 0xFF)) for _ in range(size))
        elif kind == 3:
            changed[at:at] = chance.choice(PIECES)
        elif kind == 4:
            piece = chance.choice(PIECES)
            changed[at : at + len(piece)] = piece
        elif kind == 5:
            del changed[at : at + size]
        elif chance.random() < 0.2:
            del changed[at:]
        else:
            changed[at:at] = changed[at : at + size]
    return bytes(changed)


def outcomes(subject: Subject, count: int, seed: int = 0) -> Iterator[tuple[str, str]]:
    """For each task on each of `count` mutants: "ok" or the name of the error's class, and its sentence."""
    data = subject.file()
    chance = random.Random(f"{subject.name} {seed}")
    for _ in range(count):
        damaged = mutant(data, chance)
        for task, options, blobs in subject.work(damaged):
            message, _ = worker.perform(TASKS, {"task": task, "options": options}, blobs, lambda *now: None, 0)
            if message["kind"] == "error":
                yield message["error"], f"{task}: {message['message']}"
            else:
                json.dumps(message["facts"], allow_nan=False)
                yield "ok", task


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=2000, help="mutants of each file (default 2000)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.disable()
    failures = 0
    for subject in SUBJECTS:
        start = time.monotonic()
        found = list(outcomes(subject, options.count, options.seed))
        names = Counter(name for name, _ in found)
        unforeseen = Counter(text for _, text in found if " is damaged: " in text and "Error:" in text)
        failed = [text for name, text in found if name != "ok" and errors.by_name(name).status >= 500]
        failures += len(failed)
        print(f"{subject.name}: {dict(names)} in {time.monotonic() - start:.0f} s")
        for text, times in unforeseen.most_common(20):
            print(f"    by a library, {times}: {text}")
        for text in failed[:20]:
            print(f"    500: {text}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
