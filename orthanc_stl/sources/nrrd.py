"""NRRD files: the .seg.nrrd of 3D Slicer with its segments, layers, names and colors; label maps and grey volumes.

A segment of a .seg.nrrd is `SegmentN_LabelValue` of the layer `SegmentN_Layer`; N promises no order. Labels repeat in
layers, so that segments may overlap.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from orthanc_stl.dicom.text import one_line
from orthanc_stl.errors import InvalidInput, reading
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.model import Code, Color, Note, Rank, Structure
from orthanc_stl.sources import kinds
from orthanc_stl.sources.base import Lattice, ReadOptions, Region
from orthanc_stl.sources.label_maps import (
    LabelFacts,
    Naming,
    labels_of,
    naming_of_fields,
    notes_on_fields,
    region_of,
    volume_ml,
)
from orthanc_stl.sources.masks import OpenMasks, mask_of, open_masks
from orthanc_stl.sources.nifti_file import MAX_BYTES
from orthanc_stl.sources.nrrd_file import NrrdFile, read_nrrd
from orthanc_stl.sources.volume_files import FileSource, OpenVolume, guessed, lattice_of, open_volume

_KEY = re.compile(r"Segment([0-9]{1,6})_(Name|Color|LabelValue|Layer|Terminology|Tags)")
MOST_SEGMENTS = 65_536
_FRACTIONS = "Fractional labelmap"
_REPRESENTATIONS = ("Segmentation_MasterRepresentation", "Segmentation_SourceRepresentation")
"""Where 3D Slicer says how the voxels hold the segments: older and newer versions."""


@dataclass(frozen=True)
class Segment:
    """One segment of a .seg.nrrd, as its header has it."""

    number: int
    name: str
    label: int
    layer: int
    color: Color | None
    category: Code | None
    anatomy: Code | None


@dataclass(frozen=True)
class OpenSegNrrd(FileSource):
    """An `OpenSource` of a .seg.nrrd."""

    layers: tuple[Volume, ...]
    segments: tuple[Segment, ...]
    naming: Naming

    @property
    def lattice(self) -> Lattice:
        return lattice_of(self.layers[0])

    @cached_property
    def labels(self) -> tuple[Mapping[int, LabelFacts], ...]:
        """Of each layer."""
        return tuple(labels_of(layer) for layer in self.layers)

    @cached_property
    def structures(self) -> tuple[Structure, ...]:
        return tuple(self._structure(segment) for segment in self.segments)

    def shape(self, number: int) -> tuple[Region, tuple[Note, ...]]:
        segment = next((one for one in self.segments if one.number == number), None)
        if segment is None:
            known = ", ".join(str(one.number) for one in self.segments)
            raise InvalidInput(f"the file has no segment {number}; it has {known}")
        facts = self.labels[segment.layer].get(segment.label)
        if facts is None:
            raise InvalidInput(f'segment {number} "{self._name(segment)}" has no voxel')
        layer = self.layers[segment.layer]
        return region_of(layer, segment.label, facts), (*guessed(layer), *self._unlisted_note, *self.naming.notes)

    @cached_property
    def _unlisted_note(self) -> tuple[Note, ...]:
        """Of labels in the voxels that no segment of the header has."""
        listed = {(segment.layer, segment.label) for segment in self.segments}
        there = {(layer, label) for layer, labels in enumerate(self.labels) for label in labels}
        unlisted = sorted({label for _, label in there - listed})
        if not unlisted:
            return ()
        shown = ", ".join(map(str, unlisted[:10])) + (", ..." if len(unlisted) > 10 else "")
        return (Note(Rank.LEFT_OUT, "", f"voxels of labels that no segment of the header has were left out: {shown}"),)

    def _name(self, segment: Segment) -> str:
        return self.naming.names.get(segment.number) or segment.name

    def _structure(self, segment: Segment) -> Structure:
        facts = self.labels[segment.layer].get(segment.label)
        shown = {"Voxels": 0, "VolumeMl": 0.0}
        if facts is not None:
            shown = {"Voxels": facts.voxels, "VolumeMl": volume_ml(self.layers[segment.layer], facts)}
        return Structure(
            segment.number, self._name(segment), self.naming.colors.get(segment.number) or segment.color,
            category=segment.category, anatomy=segment.anatomy,
            reason="" if facts else "it has no voxel", facts=shown,
        )  # fmt: skip


class Nrrd:
    """The source of NRRD files; several files are a mask each."""

    def recognises(self, beginning: bytes) -> bool:
        return beginning[:4] == b"NRRD"

    @reading("the NRRD file")
    def open(self, files: Sequence[bytes | memoryview], options: ReadOptions) -> OpenSegNrrd | OpenVolume | OpenMasks:
        most = options.limits.get("max_nifti_mb")
        read = partial(read_nrrd, max_bytes=most << 20 if most else MAX_BYTES)
        naming = naming_of_fields(options.fields)
        if len(files) > 1:
            return open_masks(kinds.NRRD, files, lambda data: _alone(read(data)), naming, options)
        file = read(files[0])
        segments = segments_of(file)
        if segments:
            notes = notes_on_fields(options.fields, "the header of the file says what its segments are")
            return OpenSegNrrd(kinds.NRRD, file.layers, segments, replace(naming, notes=(*naming.notes, *notes)))
        if len(file.layers) == 1:
            return open_volume(kinds.NRRD, file.layers[0], naming, options)
        layers = [mask_of(kinds.NRRD, f"layer {place}", layer) for place, layer in enumerate(file.layers, 1)]
        return OpenMasks(kinds.NRRD, tuple(layers), naming)


def _alone(file: NrrdFile) -> Volume:
    if len(file.layers) > 1:
        raise InvalidInput(f"it has {len(file.layers)} layers; of several files each must be one mask")
    return file.layers[0]


def segments_of(file: NrrdFile) -> tuple[Segment, ...]:
    """The segments of the header, by N. Their number is the label, or N + 1 where labels repeat in layers."""
    fields: dict[int, dict[str, str]] = {}
    for key, value in file.header.items():
        match = _KEY.fullmatch(str(key))
        if match and len(fields) <= MOST_SEGMENTS:
            fields.setdefault(int(match[1]), {})[match[2]] = str(value)
    places = sorted(place for place, texts in fields.items() if "LabelValue" in texts)
    if places and any(_FRACTIONS in str(file.header.get(key, "")) for key in _REPRESENTATIONS):
        raise InvalidInput(
            "the segments of the NRRD file are stored as fractions (Fractional labelmap), whose scale the header does "
            "not say: export the segmentation as a binary label map"
        )
    labels = [_whole(fields[place]["LabelValue"]) for place in places]
    repeated = len(set(labels)) < len(labels)
    found = []
    for place, label in zip(places, labels, strict=True):
        texts = fields[place]
        layer = _whole(texts.get("Layer", "0"))
        if label is None or layer is None or not 0 <= layer < len(file.layers):
            raise InvalidInput(f"Segment{place} of the file has no label, or the layer {texts.get('Layer', '')[:20]!r}")
        category, anatomy = _terminology(texts.get("Terminology") or texts.get("Tags", ""))
        name = one_line(texts.get("Name", ""))[:1024] or f"label {label}"
        number = place + 1 if repeated else label
        found.append(Segment(number, name, label, layer, _color(texts.get("Color", "")), category, anatomy))
    return tuple(found)


def _whole(text: str) -> int | None:
    text = text.strip()
    return int(text) if re.fullmatch(r"-?[0-9]{1,12}", text) else None


def _color(text: str) -> Color | None:
    """Three numbers of 0 to 1, sRGB."""
    try:
        values = [round(float(word) * 255) for word in text.split()]
    except (ValueError, OverflowError):
        return None
    if len(values) != 3 or not all(0 <= value <= 255 for value in values):
        return None
    return values[0], values[1], values[2]


def _terminology(text: str) -> tuple[Code | None, Code | None]:
    """Category and type of "context~SCT^123037004^Anatomical Structure~SCT^10200004^Liver~^^~...".

    In `Tags` it stands as "...|TerminologyEntry:context~...|".
    """
    found = re.search(r"TerminologyEntry:([^|]*)", text)
    parts = (found[1] if found else text).split("~")
    return (_code(parts[1]), _code(parts[2])) if len(parts) > 2 else (None, None)


def _code(text: Any) -> Code | None:
    parts = [one_line(part) for part in str(text).split("^")]
    return Code(parts[1], parts[0], parts[2]) if len(parts) == 3 and all(parts) else None
