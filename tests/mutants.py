"""Damaged files by the thousand: each is converted, or refused with a sentence, and never a 500.

    python -m tests.mutants --count 2000

damages four real files that often each, runs the tasks that a worker runs for them, and prints what became of it.
tests/engine/test_mutants.py does the same with few. The same seed gives the same files. tests/sources/test_mutants.py
damages files of all kinds that it makes itself, and asks their readers alone.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from orthanc_stl import errors
from orthanc_stl.engine import kept_files, worker
from orthanc_stl.tasks import TASKS
from testing.data import shared_file
from testing.phantoms import ct_slices

MOST_CHANGES = 8
LIMITS = {"max_nifti_mb": 64, "max_voxels": 2_000_000, "max_triangles": 500_000}
REQUEST: Mapping[str, Any] = {
    "All": True,
    "Resolution": 8,
    "Tolerance": 0,
    "Limits": LIMITS,
    "Fields": {"Levels": [1, "50%"]},
}
SERIES = {
    "SeriesInstanceUID": "2.25.1", "ModelGroupUID": "2.25.2", "FrameOfReferenceUID": "2.25.3", "SeriesNumber": 1,
    "Moment": "2026-01-31T12:00:00+00:00", "Place": 1, "Of": 1,
}  # fmt: skip
PIECES = (b"\\", b"\0", b"-1", b"nan", b"1e999", b"\xff\xff\xff\xff", b"\xfe\xff\x00\xe0", b"99999999999", b" ")

SUBJECTS = {
    "structure set": "rtstruct/innereye/RS_passthrough.dcm",
    "NIfTI": "nifti/med-imagetools/star_mask.nii.gz",
    "Encapsulated STL": "encapsulated/dcmtk_20mm-xyz-cube.stl.dcm",
    "Nexus": "nexus/box12.nxs",
}


def tasks_of(subject: str, data: bytes) -> Iterator[tuple[str, dict[str, Any], list[bytes]]]:
    """What a worker is told to do with a file: task, options, files."""
    if subject == "Nexus":
        for name in ("create_nexus", "build_nexus_of_file"):
            yield name, {"tags": {}, "joins": False}, [data]
        return
    if subject == "structure set":
        yield "roi_names", {}, [data]
    if subject == "Encapsulated STL":
        yield "stored_info", {}, [data]
    options = {"Request": REQUEST, "Roles": ["source", "study"], "Name": SUBJECTS[subject].rpartition("/")[2]}
    blobs = [data, ct_slices(planes=[0], size=4)[0]]
    yield "list_structures", options, blobs
    yield "convert", options | {"Series": SERIES}, blobs


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


def outcomes(subject: str, count: int, seed: int = 0) -> Iterator[tuple[str, str]]:
    """For each task on each of `count` mutants: "ok" or the name of the error's class, and its sentence.

    A packed file is damaged in its content, since damage to the packing is found by its checksum.
    """
    data = shared_file(SUBJECTS[subject]).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    chance = random.Random(f"{subject} {seed}")
    for _ in range(count):
        damaged = mutant(data, chance)
        for task, options, blobs in tasks_of(subject, damaged):
            kept_files.forget()  # as a worker does between two requests
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
    parser.add_argument("--only", action="append", choices=list(SUBJECTS), help="this kind of file; may be repeated")
    options = parser.parse_args()
    logging.disable()
    warnings.simplefilter("ignore")
    failures = 0
    for subject in options.only or SUBJECTS:
        start = time.monotonic()
        found = list(outcomes(subject, options.count, options.seed))
        names = Counter(name for name, _ in found)
        unforeseen = Counter(text for _, text in found if " is damaged: " in text and "Error:" in text)
        failed = [text for name, text in found if name != "ok" and errors.by_name(name).status >= 500]
        failures += len(failed)
        print(f"{subject}: {dict(names)} in {time.monotonic() - start:.0f} s", flush=True)
        for text, times in unforeseen.most_common(20):
            print(f"    by a library, {times}: {text}")
        for text, times in Counter(failed).most_common(20):
            print(f"    500, {times}: {text}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
