"""What is measured: each function gives rows, and each row says what was to be reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from time import perf_counter, process_time
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from benchmarks import inputs
from benchmarks.measure import peak_megabytes, seconds, time_steps
from orthanc_stl.dicom.structure_set import read_structure_set
from orthanc_stl.mesh.contours.build import surface_from_contours
from runtime.common import SetupError
from testing import real_files, solids
from testing.data import FOLDER
from testing.original import original_mesh, original_stl, slices_of, vertices_and_triangles
from testing.server import OrthancServer

SAME = 0.005
"""mm: mean errors nearer to each other than this are the same; a fiftieth of a voxel at 256."""


@dataclass(frozen=True)
class Row:
    """`met` is None where there is nothing to reach."""

    what: str
    original: float | None
    ours: float
    unit: str
    to_reach: str = ""
    met: bool | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def speed() -> Iterator[Row]:
    """File bytes -> STL bytes; the original's steps from its bitmaps on."""
    file = inputs.rt60()
    outlines, everything = inputs.outlines_of(file.data, "Ball")
    shares = {256: 4, 512: 5}
    for resolution, smooth in ((128, True), (128, False), (256, True), (256, False), (512, True), (512, False)):
        slices = slices_of(outlines, everything, file.spacing, resolution)
        name = f"rt60, ball, {resolution}, {'smooth' if smooth else 'not smooth'}"
        share = shares.get(resolution) if smooth else None
        for what, clock in (("time", perf_counter), ("processor time, all threads", process_time)):
            theirs, ours = seconds(
                partial(original_stl, slices, resolution, smooth),
                partial(inputs.stl_of, file.data, ["Ball"], resolution, smooth),
                runs=3 if resolution == 512 else 5,
                clock=clock,
            )
            if share and what == "time":
                yield Row(f"{name}: {what}", theirs, ours, "s", f"1/{share} of it", ours <= theirs / share)
            else:
                yield Row(f"{name}: {what}", theirs, ours, "s")


def memory() -> Iterator[Row]:
    for resolution in (256, 512):
        theirs, ours = peak_megabytes("original", resolution), peak_megabytes("ours", resolution)
        met = ours <= theirs / 4 if resolution == 512 else None
        yield Row(
            f"rt60, ball, {resolution}: peak memory", theirs, ours, "MB", "1/4 of it" if met is not None else "", met
        )


def accuracy() -> Iterator[Row]:
    alone, beside = inputs.ball_alone(), inputs.ball_beside_body()
    for name, file, limits in (("alone", alone, (0.12, 1.2)), ("beside a BODY of 400 x 300 mm", beside, (0.20, None))):
        outlines, everything = inputs.outlines_of(file.data, "Ball")
        slices = slices_of(outlines, everything, file.spacing, 256)
        vertices, triangles = vertices_and_triangles(original_mesh(slices, 256, True))
        mesh = inputs.model_of(file.data, ["Ball"], 256).mesh
        for kind, of, limit in (("mean", np.mean, limits[0]), ("largest", np.max, limits[1])):
            theirs, ours = float(of(file.errors(vertices))), float(of(file.errors(mesh.vertices)))
            met = None if limit is None else ours <= limit
            yield Row(f"ball of 30 mm {name}, 256: {kind} error", theirs, ours, "mm", str(limit or ""), met)
        if file is alone:
            count = len(mesh.triangles)
            yield Row("its triangles", len(triangles), count, "", "under 250,000", count < 250_000)


def volumes() -> Iterator[Row]:
    beside = [np.stack([solids.ring(1, 0), solids.ring(1, 3)])]
    for slices in (1, 2, 3, 5, 10):
        solid = solids.cylinder(slices)
        report = solids.model_of(solid, surroundings=beside).report
        error = 100 * (report.volume / solid.volume - 1)
        yield Row(f"cylinder of {slices} slices: volume error", None, error, "%", "within 1 %", abs(error) <= 1)
    yield from _masks()
    yield from _planning_systems()


def _masks() -> Iterator[Row]:
    folder = FOLDER / "rtstruct/mim-ibsi-STS_019"
    for name, truth, limit in (("CT", 17.351, 0.5), ("MR_T1", 17.316, 0.5), ("PET", 17.172, 1.0)):
        file = folder / name / "mask/RS.dcm"
        if file.exists():
            structures = read_structure_set(file.read_bytes())
            rois, _ = structures.contours([structures.rois[0].number])
            error = 100 * (surface_from_contours(rois).report.volume / 1000 / truth - 1)
            yield Row(f"STS_019 {name}: volume error", None, error, "%", f"within {limit} %", abs(error) <= limit)


def _planning_systems() -> Iterator[Row]:
    """Organs from Eclipse, whose volumes are printed by the trapezoid rule or nearly so."""
    errors = [100 * abs(ours / theirs - 1) for _, ours, theirs in real_files.planned_volumes(256)]
    if errors:
        name = f"{len(errors)} structures from Eclipse against the trapezoid rule"
        for kind, of, limit in (("median", np.median, 0.5), ("worst", np.max, 3.5)):
            error = float(of(errors))
            yield Row(f"{name}: {kind}", None, error, "%", f"{limit} %", error <= limit)


def turned() -> Iterator[Row]:
    """Solids turned by any rotation, and what holds of every result: closed, outward, the Euler number expected."""
    rotation = Rotation.from_euler("xyz", (33, -48, 71), degrees=True)
    shift = (150.2, -90.1, 300.7)
    found = 0
    for solid, name in (
        (solids.ball(), "ball"),
        (solids.cylinder(10), "cylinder"),
        (solids.torus(), "torus"),
        (solids.hollow_shell(), "hollow shell"),
        (solids.fork(), "fork"),
    ):
        upright = solids.model_of(solid)
        tilted = solids.model_of(solid, rotation, shift)
        for model in (upright, tilted):
            found += model.report.closed and model.report.volume > 0 and model.report.euler_number == solid.euler_number
        far = (
            float(solids.distances(upright.mesh, solid).mean()),
            float(solids.distances(tilted.mesh, solid, rotation, shift).mean()),
        )
        met = abs(far[1] - far[0]) <= SAME
        yield Row(f"{name}, turned and shifted: mean error", None, far[1], "mm", f"{far[0]:.3f}, upright", met)
    yield Row("of these 10, closed, outward, of the right Euler number", None, found, "", "10", found == 10)


def small_organ() -> Iterator[Row]:
    """The ball of 30 mm beside a BODY of 400 x 300 mm."""
    file = inputs.ball_beside_body()
    outlines, everything = inputs.outlines_of(file.data, "Ball")
    for resolution in (256, 512):
        slices = slices_of(outlines, everything, file.spacing, resolution)
        theirs, ours = seconds(
            partial(original_stl, slices, resolution, True),
            partial(inputs.stl_of, file.data, ["Ball"], resolution),
            runs=3,
        )
        yield Row(f"small organ beside BODY, {resolution}: time", theirs, ours, "s")


def large_file() -> Iterator[Row]:
    data = inputs.file_of_50_mb()
    size = len(data) / 1e6
    tasks = (
        lambda: [(roi.name, roi.as_json()) for roi in read_structure_set(data).rois],
        lambda: inputs.stl_of(data, ["ROI 1"], 256),
    )
    listing, meshing = seconds(*tasks, runs=3)
    yield Row(f"structure set of {size:.0f} MB: time to list it", None, listing, "s", "1 s", listing <= 1)
    yield Row(f"structure set of {size:.0f} MB: time to mesh one ROI of 100", None, meshing, "s", "2 s", meshing <= 2)
    for what, time in zip(("list it", "mesh one ROI"), seconds(*tasks, runs=3, clock=process_time), strict=True):
        yield Row(f"structure set of {size:.0f} MB: processor time to {what}", None, time, "s")


def growth() -> Iterator[Row]:
    file = inputs.rt60()
    for resolution in (64, 128, 256, 512, 768):
        (time,) = seconds(partial(inputs.stl_of, file.data, ["Ball"], resolution), runs=2)
        yield Row(f"growth: Resolution {resolution}, time", None, time, "s")
        yield Row(f"growth: Resolution {resolution}, peak memory", None, peak_megabytes("ours", resolution), "MB")
    for spacing in (6.0, 3.0, 1.5, 0.75):
        dense = inputs.rt60(spacing)
        (time,) = seconds(partial(inputs.stl_of, dense.data, ["Ball"], 256), runs=2)
        yield Row(f"growth: {round(120 / spacing)} contours, time", None, time, "s")
    many = inputs.rt60(rois=8)
    for rois in (1, 2, 4, 8):
        names = ["Ball", *(f"Ball {k}" for k in range(1, rois))]
        (time,) = seconds(partial(inputs.stl_of, many.data, names, 256), runs=2)
        yield Row(f"growth: {rois} ROIs united, time", None, time, "s")


def stages() -> Iterator[Row]:
    file = inputs.rt60()
    for resolution in (256, 512):
        for step, time in time_steps(partial(inputs.stl_in_steps, file.data, "Ball", resolution)):
            yield Row(f"stage at {resolution}: {step}", None, time, "s")


def http() -> Iterator[Row]:
    """The whole request, from POST to the answer, with the worker warm. Needs the private Orthanc."""
    try:
        server = OrthancServer()
    except SetupError as error:
        print(f"(no private Orthanc, so no requests over HTTP: {error})")
        return
    reference = {256: (1.2, 0.35), 512: (5.0, 1.0)}  # the C++ plugin on the reference machine; to reach
    with server:
        instance = server.upload(inputs.rt60().data)
        body = {"Instance": instance, "RoiNames": ["Ball"], "Smooth": True}
        server.post("/stl/encode-rtstruct", body | {"Resolution": 16})
        for resolution, (theirs, limit) in reference.items():
            (time,) = seconds(partial(server.post, "/stl/encode-rtstruct", body | {"Resolution": resolution}))
            yield Row(f"rt60, ball, {resolution}: request over HTTP", theirs, time, "s", f"{limit} s", time <= limit)


ALL: dict[str, Callable[[], Iterator[Row]]] = {
    "speed": speed,
    "http": http,
    "memory": memory,
    "accuracy": accuracy,
    "turned": turned,
    "volumes": volumes,
    "small": small_organ,
    "large": large_file,
    "growth": growth,
    "stages": stages,
}
