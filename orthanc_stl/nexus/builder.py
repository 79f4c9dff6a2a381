"""Meshes to Nexus files in several resolutions, by pymeshlab, an optional package.

It runs in processes of its own (process.py), since it dies of some meshes; the task that needs it goes on.
Imported in workers only.
"""

from __future__ import annotations

import contextlib
import importlib.util
import math
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from orthanc_stl.engine.executor import Progress
from orthanc_stl.engine.process import describe_exit
from orthanc_stl.engine.python import environment
from orthanc_stl.engine.work_folder import work_folder
from orthanc_stl.errors import InvalidInput, StlError, WorkerDied
from orthanc_stl.formats.nexus_index import read_index
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.nexus import process

# Coordinates are kept in steps of this part of the model's size or less: 0.01 mm for a model of 20 cm. pymeshlab's own
# choice depends on the error of the coarsest level, and cuts small models to pieces.
STEPS = 16384

# Seconds that a triangle takes, for the progress: 24 s for two millions. Nearly all of them go into nxs_build, which
# uses one processor; compressing takes half a second.
SECONDS_PER_TRIANGLE = 12e-6
COMPRESSED_FROM = 0.92
POLL_SECONDS = 0.2

MISSING = (
    'Making a Nexus model needs the package pymeshlab, which is not installed: install it with "pip install pymeshlab" '
    'for the Python that runs the conversions, or start Orthanc with "./orthanc-stl run --with nexus"'
)


def build_nexus(mesh: Mesh, progress: Progress, colors: np.ndarray | None = None) -> bytes:
    """A Nexus file (Corto) of `mesh`, in its coordinates; its finest level has all triangles.

    `colors` are those of the vertices, `(n, 4) uint8`: sRGB and opacity.

    Raises `InvalidInput` when pymeshlab is missing, or cannot make one of this mesh; `WorkerDied` when it was killed.
    """
    if importlib.util.find_spec("pymeshlab") is None:
        raise InvalidInput(MISSING)
    if len(mesh.triangles) == 0:
        raise InvalidInput("This model has no triangles, so no Nexus model can be made of it")
    content = _run(ply(mesh, colors), step_of(mesh), SECONDS_PER_TRIANGLE * len(mesh.triangles), progress)
    read_index(content)
    return content


def ply(mesh: Mesh, colors: np.ndarray | None = None) -> list[bytes]:
    """A binary PLY file, in pieces."""
    vertices: list[Any] = [("place", "<f4", 3)]
    properties = ["property float x", "property float y", "property float z"]
    if colors is not None:
        vertices.append(("color", "u1", 4))
        properties += [f"property uchar {name}" for name in ("red", "green", "blue", "alpha")]
    points = np.empty(len(mesh.vertices), dtype=vertices)
    points["place"] = mesh.vertices
    if colors is not None:
        points["color"] = colors
    faces = np.empty(len(mesh.triangles), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, mesh.triangles
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"element vertex {len(points)}",
        *properties,
        f"element face {len(faces)}",
        "property list uchar int vertex_indices",
        "end_header",
        "",
    ]
    return ["\n".join(header).encode(), points.tobytes(), faces.tobytes()]


def step_of(mesh: Mesh) -> float:
    """To which coordinates are cut, a power of two."""
    extent = float(np.ptp(mesh.vertices, axis=0).max())
    if not extent > 0:
        raise InvalidInput("All points of this model are in one place, so no Nexus model can be made of it")
    return 2.0 ** math.floor(math.log2(extent / STEPS))  # pymeshlab would round it up to a power of two


def _run(files: list[bytes], step: float, expected: float, progress: Progress) -> bytes:
    """The model that process.py makes of a PLY file, given in pieces. `expected`: seconds that it will take."""
    command = [sys.executable, "-P", "-m", "orthanc_stl.nexus.process", str(sum(map(len, files))), repr(step)]
    pipe, quiet = subprocess.PIPE, subprocess.DEVNULL
    begin = time.monotonic()
    with (
        work_folder() as (folder, lock),
        ThreadPoolExecutor(1) as reader,
        subprocess.Popen(
            [*command, f"--folder={folder}"], stdin=pipe, stdout=pipe, stderr=quiet, env=environment(),
            pass_fds=(lock,) if os.name != "nt" else (),
        ) as keeper,
    ):  # fmt: skip
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        output = reader.submit(keeper.stdout.read)
        try:
            with contextlib.suppress(BrokenPipeError):  # it says why
                keeper.stdin.writelines(files)
                keeper.stdin.flush()
            while not output.done():
                fraction = min(COMPRESSED_FROM, (time.monotonic() - begin) / expected * COMPRESSED_FROM)
                progress(fraction, "building the levels of detail")
                wait([output], POLL_SECONDS)
        finally:
            with contextlib.suppress(BrokenPipeError):
                keeper.stdin.close()  # whatever it does, it gives up now
            output.result()
    if keeper.returncode != 0:
        raise _failure(keeper.returncode, output.result().decode(errors="replace"))
    return output.result()


def _failure(code: int, said: str) -> StlError:
    """Why there is no model, in a sentence."""
    if code == process.CANNOT_LOAD:
        return InvalidInput(f"Making a Nexus model needs the package pymeshlab, which cannot be loaded: {said}")
    if code == process.KILLED:
        return WorkerDied(f"The process that makes the Nexus model was killed: {said}")
    if code < 0:
        return WorkerDied(f"The process that makes the Nexus model {describe_exit(code)}")
    if code == process.NO_ROOM:
        return StlError(f"Making a Nexus model needs room in the folder for temporary files: {said}")
    return InvalidInput(f"pymeshlab could not make a Nexus model of this mesh ({said or f'exit code {code}'})")
