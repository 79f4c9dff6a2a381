"""What the sources of volume files share: label maps whose labels are structures, grey volumes that are one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from orthanc_stl.errors import InvalidField, InvalidInput
from orthanc_stl.mesh.volumes.inside import is_label_map, sentence_on_values_below_zero, value_range
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.model import Note, Rank, Structure
from orthanc_stl.sources.base import Lattice, ReadOptions, Region
from orthanc_stl.sources.kinds import Kind
from orthanc_stl.sources.label_maps import (
    LabelFacts,
    Naming,
    label_or_refuse,
    labels_of,
    region_of,
    structure_of,
)


@dataclass(frozen=True)
class FileSource:
    """What an `OpenSource` says of a file that is no DICOM object."""

    kind: Kind

    @property
    def title(self) -> str:
        return self.kind.title

    @property
    def frame_of_reference_uid(self) -> str:
        return ""

    @property
    def study(self) -> None:
        return None

    @property
    def references(self) -> tuple[()]:
        return ()


@dataclass(frozen=True)
class OpenVolume(FileSource):
    """An `OpenSource` of one volume: a structure for each label, or one of grey values from a threshold on."""

    volume: Volume
    naming: Naming
    threshold: float | None = None
    upper: float | None = None
    is_label_map: bool = False

    @property
    def lattice(self) -> Lattice:
        return lattice_of(self.volume)

    @cached_property
    def labels(self) -> dict[int, LabelFacts] | None:
        """The labels, None for a grey volume."""
        if self.threshold is not None or self.upper is not None:
            return None
        found = value_range(self.volume)
        if found.low > found.high or not (self.is_label_map or is_label_map(self.volume, found)):
            return None
        return labels_of(self.volume)

    @cached_property
    def structures(self) -> tuple[Structure, ...]:
        if self.labels == {}:
            return (Structure(0, "empty mask", reason=self._why_empty()),)
        if self.labels is not None:
            return tuple(structure_of(self.volume, label, facts, self.naming) for label, facts in self.labels.items())
        return (self._grey_structure(),)

    def shape(self, number: int) -> tuple[Region, tuple[Note, ...]]:
        notes = (*guessed(self.volume), *self.naming.notes)
        if self.labels is not None:
            region = region_of(self.volume, number, label_or_refuse(self.labels, number))
            return region, (*notes, *self._below_zero(number))
        if number != 1:
            raise InvalidInput(f"the volume has grey values, which are structure 1; there is none of number {number}")
        return Region(replace(self.volume, warnings=()), threshold=self.threshold, upper=self.upper), notes

    def _below_zero(self, label: int) -> tuple[Note, ...]:
        """Of a label such as nnU-Net's -1 (to be ignored), where nobody chose it by `Labels`."""
        if label >= 0 or self.is_label_map:
            return ()
        return (Note(Rank.GUESSED, "", sentence_on_values_below_zero(min(self.labels or (label,)))),)

    def whole(self, labels: Sequence[int] | None = None, threshold: float | None = None) -> Region:
        """The region of several labels, of all that is not zero, or of grey values from `threshold` on: one shape."""
        return Region(self.volume, labels=tuple(labels) if labels is not None else None, threshold=threshold)

    def _why_empty(self) -> str:
        found = value_range(self.volume)
        if found.low or found.high:
            return f"its values, scaled to {found.low:g} to {found.high:g}, are too small or too large for labels"
        return "it has no voxel that is not zero"

    def _grey_structure(self) -> Structure:
        found = value_range(self.volume)
        if found.low > found.high:
            return Structure(1, "empty volume", reason="it has no finite value")
        if self.threshold is None and found.low == found.high:
            return Structure(1, "grey values", reason=f"every value of it is {found.low:g}")
        value = found.low / 2 + found.high / 2 if self.threshold is None else self.threshold
        facts = {"Threshold": value, "Lowest": found.low, "Highest": found.high}
        return Structure(1, f"values from {value:g} on", facts=facts)


def _number(fields: Mapping[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InvalidField(f'"{name}" must be a number, not {value!r}')
    return float(value)


def open_volume(kind: Kind, volume: Volume, naming: Naming, options: ReadOptions) -> OpenVolume:
    """With the fields `Threshold`, `Upper` and `Labels` of the request."""
    threshold, upper = (_number(options.fields, name) for name in ("Threshold", "Upper"))
    return OpenVolume(kind, volume, naming, threshold, upper, bool(options.fields.get("Labels")))


def lattice_of(volume: Volume) -> Lattice:
    i, j, k = volume.stored.shape
    return Lattice(volume.affine, (i, j, k))


def guessed(volume: Volume) -> tuple[Note, ...]:
    """What its reader guessed."""
    return tuple(Note(Rank.GUESSED, "", text) for text in volume.warnings)
