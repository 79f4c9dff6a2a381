"""pymeshlab's own processes, for builder.py: `python -m orthanc_stl.nexus.process SIZE STEP --folder FOLDER`.

A binary PLY file of SIZE bytes comes on standard input. On standard output goes the Nexus file, or, when the exit code
is not 0, what went wrong.

There are two of them. The keeper goes on when the worker that started it is killed, sees by the end of its standard
input that nobody waits any more, and removes the folder that pymeshlab needs. Its child runs pymeshlab, which dies of
some meshes; it never outlives the keeper.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from orthanc_stl.engine.child import detach, take_streams
from orthanc_stl.engine.python import environment

# Exit codes
NOT_BUILT, CANNOT_LOAD, NO_ROOM, GIVEN_UP, KILLED = 1, 3, 4, 5, 6

# What pymeshlab dies of by itself, on some meshes. Any other signal came from somebody.
CRASHES = frozenset((signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, getattr(signal, "SIGBUS", -1)))

# Triangles of a node: small ones come sooner over a slow line, and this size is built fastest (7.1 s of CPU for 360,000
# triangles; 8.2 s with pymeshlab's default of 32,768).
NODE_FACES = 16384

# Megabytes that pymeshlab keeps before it uses the disk.
RAM_MB = 1000

# All bits of colors: structures have few of them, which cost next to nothing, and are known by them.
COLOR_BITS = {"luma_bits": 8, "chroma_bits": 8, "alpha_bits": 8}

CHUNK_BYTES = 1 << 20


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="orthanc_stl.nexus.process")
    parser.add_argument("size", type=int, help="bytes of the PLY file")
    parser.add_argument("step", type=float, help="of the coordinates, in the model's units")
    parser.add_argument("--folder", type=Path, required=True, help="where the PLY file and the model are put")
    parser.add_argument("--child", action="store_true", help="be the one that runs pymeshlab")
    options = parser.parse_args(arguments)
    if options.child:
        return build(options.folder, options.step)
    try:
        return keep(options.size, options.step, options.folder)
    finally:
        shutil.rmtree(options.folder, ignore_errors=True)


def keep(size: int, step: float, folder: Path) -> int:
    """The keeper's work. Only the end of its standard input ends it early."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as a service manager sends it to all processes at once
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    incoming, outgoing = take_streams()
    with contextlib.suppress(BrokenPipeError):
        try:
            if not _receive(incoming, _source(folder), size):
                return GIVEN_UP
        except OSError as error:
            outgoing.write(str(error).encode())
            outgoing.close()
            return NO_ROOM
        code = _run_child(folder, step, incoming)
        if code < 0:
            outgoing.write(f"it was ended by {signal.Signals(-code).name}".encode())
        elif (answer := _target(folder) if code == 0 else _reason(folder)).exists():
            with answer.open("rb") as file:
                shutil.copyfileobj(file, outgoing, CHUNK_BYTES)
        outgoing.close()
        return code if code >= 0 else NOT_BUILT if -code in CRASHES else KILLED
    return GIVEN_UP


def _receive(incoming: IO[bytes], path: Path, size: int) -> bool:
    """Writes what comes to a file. Whether all of it came."""
    with path.open("wb") as file:
        while size and (piece := incoming.read(min(size, CHUNK_BYTES))):
            file.write(piece)
            size -= len(piece)
    return size == 0


def _run_child(folder: Path, step: float, incoming: IO[bytes]) -> int:
    """Its exit code. Its standard input is its lifeline."""
    module = "orthanc_stl.nexus.process"
    command = [sys.executable, "-P", "-m", module, "0", repr(step), f"--folder={folder}", "--child"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, env=environment()) as child:

        def give_up() -> None:
            os.read(incoming.fileno(), 1)  # nothing more is ever sent: this returns when the other end is closed
            child.kill()

        threading.Thread(target=give_up, daemon=True).start()
        return child.wait()


def build(folder: Path, step: float) -> int:
    """The child's work: from mesh.ply to model.nxz, or reason.txt."""
    detach(lifeline=0)
    try:
        import pymeshlab
    except ImportError as error:  # a server has no libGL and its like
        _reason(folder).write_text(str(error)[:200])
        return CANNOT_LOAD
    try:
        _build(pymeshlab.MeshSet(), folder, step)
    except pymeshlab.PyMeshLabException as error:
        _reason(folder).write_text(str(error)[:200])
        return NOT_BUILT
    return 0 if _target(folder).exists() else NOT_BUILT


def _build(meshes: Any, folder: Path, step: float) -> None:
    plain = folder / "model.nxs"
    os.chdir(folder)  # where it leaves temporary files
    meshes.nxs_build(input_file=str(_source(folder)), output_file=str(plain), node_faces=NODE_FACES, ram=RAM_MB)
    target = str(_target(folder))
    meshes.nxs_compress(input_file=str(plain), output_file=target, nxz_vertex_quantization=step, **COLOR_BITS)


def _source(folder: Path) -> Path:
    return folder / "mesh.ply"


def _target(folder: Path) -> Path:
    return folder / "model.nxz"


def _reason(folder: Path) -> Path:
    return folder / "reason.txt"


if __name__ == "__main__":
    sys.exit(main())
