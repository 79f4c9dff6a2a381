"""Several files, each the mask of one structure: what TotalSegmentator and others write into a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from orthanc_stl.errors import InvalidInput, StlError, reading
from orthanc_stl.mesh.volumes.inside import is_label_map, value_range
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.model import Note, Rank, Structure
from orthanc_stl.sources.base import Lattice, ReadOptions, Region
from orthanc_stl.sources.kinds import Kind
from orthanc_stl.sources.label_maps import (
    LabelFacts,
    Naming,
    labels_of,
    notes_on_fields,
    region_of,
    structure_of,
    together,
)
from orthanc_stl.sources.volume_files import FileSource, guessed, lattice_of

Blob = bytes | memoryview


@dataclass(frozen=True)
class Mask:
    """One file: `volume` is cut to what is inside, `lattice` is that of the whole. `reason`: why it cannot be used."""

    name: str
    lattice: Lattice
    volume: Volume | None = None
    facts: LabelFacts | None = None
    notes: tuple[Note, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class OpenMasks(FileSource):
    """An `OpenSource` of several files, numbered from 1 in their order."""

    masks: tuple[Mask, ...]
    naming: Naming

    @property
    def lattice(self) -> Lattice | None:
        """That of all masks, None if they differ in it."""
        first = self.masks[0].lattice
        return first if all(mask.lattice.equals(first) for mask in self.masks) else None

    @property
    def structures(self) -> tuple[Structure, ...]:
        found = []
        for number, mask in enumerate(self.masks, 1):
            if mask.volume is None or mask.facts is None:
                facts = {"Voxels": 0, "VolumeMl": 0.0}
                found.append(Structure(number, self._name(number), reason=mask.reason, facts=facts))
            else:
                named = Naming({number: self._name(number)}, self.naming.colors)
                found.append(structure_of(mask.volume, number, mask.facts, named))
        return tuple(found)

    def shape(self, number: int) -> tuple[Region, tuple[Note, ...]]:
        if not 1 <= number <= len(self.masks):
            raise InvalidInput(f"there is no structure {number}: got {len(self.masks)} files")
        mask = self.masks[number - 1]
        if mask.volume is None:
            raise InvalidInput(f"{self._name(number)} cannot be used: {mask.reason}")
        return Region(mask.volume), (*mask.notes, *self.naming.notes)

    def _name(self, number: int) -> str:
        return self.naming.names.get(number) or self.masks[number - 1].name


def open_masks(
    kind: Kind, files: Sequence[Blob], read: Callable[[Blob], Volume], naming: Naming, options: ReadOptions
) -> OpenMasks:
    """The masks, read one after the other: no more than one whole volume is in memory.

    Their names are the field `FileNames`, without folders and suffixes. Raises what `read` does, with the file's name.
    """
    given = [str(name) for name in options.fields.get("FileNames") or ()]
    names = [given[place] if place < len(given) else f"file {place + 1}" for place in range(len(files))]
    masks = [mask_of(kind, name, _named(name, read, data)) for name, data in zip(names, files, strict=True)]
    notes = notes_on_fields(options.fields, "of several files each is a mask")
    return OpenMasks(kind, tuple(masks), replace(naming, notes=(*naming.notes, *notes)))


def _named(name: str, read: Callable[[Blob], Volume], data: Blob) -> Volume:
    try:
        with reading("it"):
            return read(data)
    except StlError as error:
        raise type(error)(f"{name}: {error}") from None


def mask_of(kind: Kind, file_name: str, volume: Volume) -> Mask:
    """All that is not zero of a volume."""
    name = stem(file_name, kind)
    lattice, values = lattice_of(volume), value_range(volume)
    if values.low <= values.high and not is_label_map(volume, values):
        return Mask(name, lattice, reason="it has grey values; of several files each must be a mask")
    labels = labels_of(volume)
    if not labels:
        return Mask(name, lattice, reason="its mask is empty")
    notes = guessed(volume)
    if len(labels) > 1:
        text = f"the {len(labels)} labels of {file_name} were taken together: of several files each is one structure"
        notes = (*notes, Note(Rank.GUESSED, name, text))
    whole = together(labels.values())
    part = region_of(volume, 1, whole).volume
    return Mask(name, lattice, replace(part, stored=np.array(part.stored)), whole, notes)


def without_folders(name: str) -> str:
    """
    >>> without_folders("C:\\\\Users\\\\me\\\\liver.nii.gz")
    'liver.nii.gz'
    """
    return name.replace("\\", "/").rstrip("/").rpartition("/")[2]


def stem(name: str, kind: Kind) -> str:
    """The name of a file without its folders and the suffix of its kind."""
    name = without_folders(name)
    for suffix in sorted(kind.suffixes, key=len, reverse=True):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)] or name
    return name
