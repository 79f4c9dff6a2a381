"""A whole structure set over HTTP: time, bytes and memory, and files of it that are asked for again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from benchmarks import inputs
from benchmarks.rows import Row
from orthanc_stl.conversion.clean import tolerance_of
from orthanc_stl.dicom.structure_set import read_structure_set
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.decimation import decimated
from runtime.common import SetupError
from testing.data import FOLDER
from testing.server import OrthancServer

FILE = FOLDER / "rtstruct/pinnacle96-prostate/rtss.dcm"
OPTIONS = {"Resolution": 256, "Smooth": True}
ORGANS = ("Prostate", "Bladder", "Rectum", "Lt_Fem_Head", "Rt_Fem_Head", "Penile_Bulb")


def sets() -> Iterator[Row]:
    """All structures in one request, against one request each for their full surfaces, as version 0.1 made them."""
    if FILE.exists():
        yield from _made_small()
    try:
        server = OrthancServer(stl={"Workers": 2})
    except SetupError as error:
        print(f"(no private Orthanc, so no requests over HTTP: {error})")
        return
    with server:
        data = FILE.read_bytes() if FILE.exists() else inputs.rt60(rois=8).data
        source = server.upload(data)
        structures = server.get(f"/instances/{source}/stl/structures").json()
        numbers = [one["Number"] for one in structures if one["Usable"]]
        name = f"{len(numbers)} structures, 256, stored"
        whole = {"Instance": source, "All": True, "Separate": True, **OPTIONS}
        _encode(server, whole | {"Resolution": 16})
        stored = [_stored_bytes(server)]
        start = perf_counter()
        single = [_encode(server, {"Instance": source, "Structures": [n], "Tolerance": 0} | OPTIONS) for n in numbers]
        times = [perf_counter() - start]
        stored.append(_stored_bytes(server))
        start = perf_counter()
        _encode(server, whole)
        times.append(perf_counter() - start)
        stored.append(_stored_bytes(server))
        yield Row(f"{name}: time", times[0], times[1], "s", "1/3 of it", times[1] <= times[0] / 3)
        one_each, together = (after - before for before, after in pairwise(stored))
        yield Row(f"{name}: bytes", one_each / 1e6, together / 1e6, "MB", "1/6 of it", together <= one_each / 6)
    largest = max(zip(numbers, single, strict=True), key=lambda pair: pair[1]["Triangles"])[0]
    peaks = [
        _peak_of(data, {"Separate": True, **OPTIONS, **what}) for what in ({"Structures": [largest]}, {"All": True})
    ]
    met = peaks[1] <= 1.5 * peaks[0]
    yield Row(f"{name}: memory, against its largest part", peaks[0], peaks[1], "MB", "1.5 times", met)


def _made_small() -> Iterator[Row]:
    """Processor time of taking triangles away by the default tolerance, against making the full surfaces."""
    structures = read_structure_set(FILE.read_bytes())
    spent, triangles = [0.0, 0.0], [0, 0]
    for roi in (roi for roi in structures.rois if roi.name in ORGANS):
        contours, _ = structures.contours([roi.number])
        around = structures.surroundings([roi.number])
        marks = [process_time()]
        full = surface_from_contours(contours, surroundings=around, resolution=256)
        marks.append(process_time())
        small = decimated(full.mesh, tolerance=tolerance_of(full.report, None))
        marks.append(process_time())
        spent = [before + end - start for before, (start, end) in zip(spent, pairwise(marks), strict=True)]
        triangles[0] += len(full.mesh.triangles)
        triangles[1] += len(small.mesh.triangles)
    name = f"{len(ORGANS)} organs, 256: processor time to mesh them, and to make them small"
    made, small_made = spent
    yield Row(name, made, small_made, "s", "1/10 of it", small_made <= made / 10)
    full_count, count = triangles
    yield Row(f"{len(ORGANS)} organs, 256: triangles", full_count, count, "")


def _encode(server: OrthancServer, body: dict[str, Any]) -> dict[str, Any]:
    reply = server.post("/stl/encode", body, timeout=600)
    assert reply.status == 200, reply.body
    answer: dict[str, Any] = reply.json()
    return answer


def _stored_bytes(server: OrthancServer) -> int:
    return int(server.get("/statistics").json()["TotalDiskSize"])


def _peak_of(data: bytes, body: dict[str, Any]) -> float:
    """MB of Orthanc and one worker at their peaks, above what they have after a small request."""
    with OrthancServer(stl={"Workers": 1}) as server:
        body = {"Instance": server.upload(data), "Separate": True, **body}
        _encode(server, body | {"Resolution": 16})
        processes = [Path(f"/proc/{pid}") for pid in (server.pid, *server.children())]
        for process in processes:
            (process / "clear_refs").write_text("5")  # the present memory is the peak, proc(5)
        idle = sum(_megabytes(process, "VmRSS") for process in processes)
        _encode(server, body)
        return sum(_megabytes(process, "VmHWM") for process in processes) - idle


def _megabytes(process: Path, field: str) -> float:
    (line,) = (line for line in (process / "status").read_text().splitlines() if line.startswith(field))
    return float(line.split()[1]) / 1024
