"""A source: a text file of spheres, `number name radius x y z` a line."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.model import Note, Structure
from orthanc_stl.sources.base import ReadOptions, Region


class OpenSpheres:
    title = "Model generated from spheres"
    frame_of_reference_uid = ""
    study = None
    references = ()

    def __init__(self, lines: list[list[str]]) -> None:
        self._lines = lines

    @cached_property
    def structures(self) -> tuple[Structure, ...]:
        return tuple(Structure(int(number), name) for number, name, *_ in self._lines)

    def shape(self, number: int) -> tuple[Region, Sequence[Note]]:
        radius, *centre = next(map(float, line[2:]) for line in self._lines if int(line[0]) == number)
        side = radius / 20
        index = np.indices((51, 51, 51)) - 25
        inside = radius - side * np.sqrt((index**2).sum(axis=0))
        affine = np.diag([side, side, side, 1.0])
        affine[:3, 3] = np.array(centre) - 25 * side
        return Region(Volume(inside.astype(np.float32), affine), threshold=0.0), ()


class Spheres:
    def recognises(self, beginning: bytes) -> bool:
        return beginning.startswith(b"SPHERES\n")

    def open(self, files: Sequence[bytes | memoryview], options: ReadOptions) -> OpenSpheres:
        lines = [line.split() for line in bytes(files[0]).decode().splitlines()[1:]]
        if not all(len(line) == 6 for line in lines):
            raise InvalidInput("a line of a file of spheres has a number, a name, a radius and x, y, z")
        return OpenSpheres(lines)
