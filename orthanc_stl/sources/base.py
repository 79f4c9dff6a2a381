"""What a source of structures is: a `Reader` opens files, and an `OpenSource` gives structures and their shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from orthanc_stl.dicom.study_context import Reference, StudyContext
from orthanc_stl.mesh.contours.contour import RoiContours
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.model import Note, Structure


@dataclass(frozen=True)
class Region:
    """What of a volume is a structure: the voxels that have one of `labels`, or the values from `threshold` on.

    Neither: all voxels that are not zero. `upper`: values above it are outside. `exact`: the values are computed
    quantities (a dose), whose surface is never smoothed and bends between the voxels. `fit_volume`: the surface is
    moved, by the fraction of a voxel that it takes, until it has the volume of the voxels.
    """

    volume: Volume
    labels: tuple[int, ...] | None = None
    threshold: float | None = None
    upper: float | None = None
    exact: bool = False
    fit_volume: bool = False


Shape = RoiContours | Region | Mesh
"""The geometry of one structure in LPS mm, before it is meshed."""


@dataclass(frozen=True)
class ReadOptions:
    """What a reader may be told. `limits` are those of the configuration, by the names of `Settings`.

    `fields` are the request's own for this kind of source (`Levels`, `LabelNames`, `Threshold`, ...), by name.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)


class OpenSource(Protocol):
    """A file (or files) that was recognised and looked through. Nothing large is decoded before it is asked for."""

    @property
    def structures(self) -> Sequence[Structure]:
        """In the file's order, each number once."""

    def shape(self, number: int) -> tuple[Shape, Sequence[Note]]:
        """The geometry of one structure, and what was guessed or left out when it was read.

        Raises InvalidInput with the reason for a structure that cannot be used, and for an unknown number.
        """

    @property
    def title(self) -> str:
        """The Document Title of models made of it: "Model generated from DICOM RT-STRUCT"."""

    @property
    def frame_of_reference_uid(self) -> str:
        """Empty if the file names none (NIfTI)."""

    @property
    def study(self) -> StudyContext | None:
        """Patient, study and character set; None for what is no DICOM object."""

    @property
    def references(self) -> Sequence[Reference]:
        """The instances that a model of it is derived from."""


@runtime_checkable
class ContourSource(Protocol):
    """What an `OpenSource` of contours has besides."""

    def surroundings(self, numbers: Iterable[int], /) -> Sequence[np.ndarray]:
        """For each structure other than `numbers` `(contours, points, 3)`, a few points of each contour: the resolution
        and the thickness of a single slice are of the whole set."""

    def frame_of(self, numbers: Iterable[int], /) -> tuple[str, Sequence[Note]]:
        """The frame of reference of these structures, and a note if they differ in it."""


@dataclass(frozen=True)
class Lattice:
    """Where the voxels of a volume lie: `affine` (4, 4) takes the indices (i, j, k) to LPS mm, `size` is (i, j, k)."""

    affine: np.ndarray
    size: tuple[int, int, int]

    def equals(self, other: Lattice) -> bool:
        """The same to 0.001 mm."""
        return self.size == other.size and np.allclose(self.affine, other.affine, rtol=0, atol=1e-3)


@runtime_checkable
class LatticeSource(Protocol):
    """What an `OpenSource` has besides whose structures are cut from whole volumes."""

    @property
    def lattice(self) -> Lattice | None:
        """That of the volumes; None if they differ in it."""


class Reader(Protocol):
    """What reads one kind of input. `kinds.py` names it."""

    def recognises(self, beginning: bytes) -> bool:
        """Whether a file that is no DICOM object begins as this kind does. `beginning`: its first 64 KiB, or all."""

    def open(self, files: Sequence[bytes | memoryview], options: ReadOptions) -> OpenSource:
        """Look through the files: the first is the object itself, others what it needs (an RT Plan, an MTL).

        Raises InvalidInput with a sentence for a damaged file, TooLarge over a limit.
        """
