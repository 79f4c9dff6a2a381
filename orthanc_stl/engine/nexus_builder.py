"""Meshes to Nexus files in several resolutions, by pymeshlab, an optional package.

It runs in a process of its own (the main below), since it dies of some meshes; the task that needs it goes on. Imported
in workers only.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from orthanc_stl.engine.child import detach
from orthanc_stl.engine.executor import Progress
from orthanc_stl.engine.python import environment
from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.model import Mesh
from orthanc_stl.mesh.nexus_index import read_index

# Triangles of a node: small ones come sooner over a slow line, and this size is built fastest (7.1 s of CPU for 360,000
# triangles; 8.2 s with pymeshlab's default of 32,768).
NODE_FACES = 16384

# Coordinates are kept in steps of this part of the model's size or less: 0.01 mm for a model of 20 cm. pymeshlab's own
# choice depends on the error of the coarsest level, and cuts small models to pieces.
STEPS = 16384

# Megabytes that the builder keeps before it uses the disk.
RAM_MB = 1000

# Seconds that a triangle takes, for the progress: half a minute for two millions.
SECONDS_PER_TRIANGLE = 18e-6
COMPRESSED_FROM = 0.92
POLL_SECONDS = 0.2

MISSING = (
    'Making a Nexus model needs the package pymeshlab, which is not installed: install it with "pip install pymeshlab" '
    "for the Python that runs the conversions"
)
_CANNOT_LOAD = 3  # exit code of the main below
REASON = ".txt"  # beside the target: what went wrong


def build_nexus(mesh: Mesh, progress: Progress) -> bytes:
    """A Nexus file (Corto) of `mesh`, in its coordinates; its finest level has all triangles.

    Raises `InvalidInput` when pymeshlab is missing, or cannot make one of this mesh.
    """
    if importlib.util.find_spec("pymeshlab") is None:
        raise InvalidInput(MISSING)
    if len(mesh.triangles) == 0:
        raise InvalidInput("This model has no triangles, so no Nexus model can be made of it")
    with tempfile.TemporaryDirectory(prefix="orthanc-stl-nexus-") as folder:
        source, target = Path(folder, "mesh.ply"), Path(folder, "model.nxz")
        with source.open("wb") as file:
            file.writelines(ply(mesh))
        _run(source, target, step_of(mesh), SECONDS_PER_TRIANGLE * len(mesh.triangles), progress)
        content = target.read_bytes()
    read_index(content)
    return content


def ply(mesh: Mesh) -> list[bytes]:
    """A binary PLY file, in pieces."""
    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(mesh.vertices)}\n"
        f"property float x\nproperty float y\nproperty float z\nelement face {len(mesh.triangles)}\n"
        "property list uchar int vertex_indices\nend_header\n"
    )
    faces = np.empty(len(mesh.triangles), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, mesh.triangles
    return [header.encode(), mesh.vertices.astype("<f4").tobytes(), faces.tobytes()]


def step_of(mesh: Mesh) -> float:
    """To which coordinates are cut, a power of two."""
    extent = float(np.ptp(mesh.vertices, axis=0).max())
    if not extent > 0:
        raise InvalidInput("All points of this model are in one place, so no Nexus model can be made of it")
    return 2.0 ** math.floor(math.log2(extent / STEPS))  # pymeshlab would round it up to a power of two


def _run(source: Path, target: Path, step: float, expected: float, progress: Progress) -> None:
    """The builder's process. Its standard input is its lifeline: it dies with this one."""
    command = [sys.executable, "-P", "-m", __name__, str(source), str(target), repr(step)]
    quiet = subprocess.DEVNULL
    begin = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, env=environment({})) as builder:
        try:
            while builder.poll() is None:
                fraction = min(COMPRESSED_FROM, (time.monotonic() - begin) / expected * COMPRESSED_FROM)
                progress(fraction, "building the levels of detail")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    builder.wait(POLL_SECONDS)
        finally:
            builder.kill()
    if builder.returncode != 0 or not target.exists():
        raise InvalidInput(_failure(builder.returncode, target.with_suffix(REASON)))


def _failure(code: int, reason: Path) -> str:
    """Why there is no model, in a sentence."""
    said = reason.read_text()[:200] if reason.exists() else ""
    if code == _CANNOT_LOAD:
        return f"Making a Nexus model needs the package pymeshlab, which cannot be loaded: {said}"
    ended = f"it was ended by {signal.Signals(-code).name}" if code < 0 else said or f"exit code {code}"
    return f"pymeshlab could not make a Nexus model of this mesh ({ended})"


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m orthanc_stl.engine.nexus_builder mesh.ply model.nxz step`"""
    detach(lifeline=0)
    parser = argparse.ArgumentParser(prog="orthanc_stl.engine.nexus_builder")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("step", type=float, help="of the coordinates, in the model's units")
    options = parser.parse_args(arguments)
    try:
        import pymeshlab
    except ImportError as error:  # a server has no libGL and its like
        options.target.with_suffix(REASON).write_text(str(error))
        return _CANNOT_LOAD
    try:
        _build(pymeshlab.MeshSet(), options.source, options.target, options.step)
    except pymeshlab.PyMeshLabException as error:
        options.target.with_suffix(REASON).write_text(str(error))
        return 1
    return 0


def _build(meshes: Any, source: Path, target: Path, step: float) -> None:
    plain = target.with_suffix(".nxs")
    os.chdir(target.parent)  # where it leaves temporary files
    meshes.nxs_build(input_file=str(source), output_file=str(plain), node_faces=NODE_FACES, ram=RAM_MB)
    meshes.nxs_compress(input_file=str(plain), output_file=str(target), nxz_vertex_quantization=step)


if __name__ == "__main__":
    sys.exit(main())
