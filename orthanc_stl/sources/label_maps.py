"""Label maps of files: which labels they have, what those are called, and the region of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

import numpy as np
from scipy import ndimage

from orthanc_stl.errors import InvalidField, InvalidInput, TooLarge
from orthanc_stl.mesh.volumes.inside import Box, blocks, values
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.model import Color, Note, Rank, Structure
from orthanc_stl.sources.base import Region

MAX_LABELS = 65_536
"""Different labels of one file; a map of grey values has more."""

MOST_OBJECTS = 65_536
"""Labels up to here are located by their own number, larger ones by their place among those of a block."""

_HEX = re.compile(r"#([0-9a-fA-F]{6})")


@dataclass
class LabelFacts:
    """How many voxels have a label, and the smallest box (k, j, i) that holds them."""

    voxels: int
    low: np.ndarray
    high: np.ndarray

    def add(self, voxels: int, low: np.ndarray, high: np.ndarray) -> None:
        self.voxels += voxels
        self.low = np.minimum(self.low, low)
        self.high = np.maximum(self.high, high)

    @property
    def box(self) -> Box:
        k, j, i = (slice(int(a), int(b)) for a, b in zip(self.low, self.high, strict=True))
        return k, j, i


@dataclass(frozen=True)
class Naming:
    """What is known of labels: names and colors by label. `notes`: what could not be used."""

    names: Mapping[int, str] = field(default_factory=dict)
    colors: Mapping[int, Color] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    def over(self, other: Naming) -> Naming:
        """This naming, and what `other` says of labels that it is silent on."""
        names = {**other.names, **self.names}
        return Naming(names, {**other.colors, **self.colors}, (*other.notes, *self.notes))


def labels_of(volume: Volume) -> dict[int, LabelFacts]:
    """The labels that are not 0, in their order. What is not finite counts as outside.

    Raises TooLarge for more than `MAX_LABELS`.
    """
    found: dict[int, LabelFacts] = {}
    for box in blocks(volume.stored.shape[::-1]):
        part = values(volume, box)
        if part.dtype.kind == "f":
            part = np.rint(np.where(np.isfinite(part) & (np.abs(part) < 1 << 53), part, 0)).astype(np.int64)
        elif part.dtype.kind == "b":
            part = part.view(np.uint8)
        corner = np.array([side.start for side in box])
        for label, voxels, low, high in _objects(part):
            facts = found.get(label)
            if facts is None:
                found[label] = LabelFacts(voxels, low + corner, high + corner)
            else:
                facts.add(voxels, low + corner, high + corner)
        if len(found) > MAX_LABELS:
            raise TooLarge(f"the volume has more than {MAX_LABELS} different values, which are no labels")
    return dict(sorted(found.items()))


def together(found: Iterable[LabelFacts]) -> LabelFacts:
    """Those of several labels, at least one, as if they were one."""
    first, *others = found
    whole = LabelFacts(first.voxels, first.low, first.high)
    for facts in others:
        whole.add(facts.voxels, facts.low, facts.high)
    return whole


def _objects(part: np.ndarray) -> list[tuple[int, int, np.ndarray, np.ndarray]]:
    """Label, voxels and box (low and high corner) of each label of a block."""
    part = part.astype(part.dtype.newbyteorder("="), copy=False)
    low, high = int(part.min()), int(part.max())
    if low == high == 0:
        return []
    names = None
    if low < 0 or high > MOST_OBJECTS:
        names, part = np.unique(part, return_inverse=True)
        part = part.reshape(part.shape) + 1
    counts = np.bincount(part.reshape(-1))
    indices = part if part.dtype.kind == "i" or part.dtype.itemsize < 8 else part.astype(np.int64)
    objects = []
    for index, place in enumerate(ndimage.find_objects(indices), 1):
        label = index if names is None else int(names[index - 1])
        if place is None or label == 0:
            continue
        corners = np.array([(side.start, side.stop) for side in place])
        objects.append((label, int(counts[index]), corners[:, 0], corners[:, 1]))
    return objects


def cut(volume: Volume, box: Box) -> Volume:
    """The part of a volume in `box` (k, j, i), at its place: a view, no copy. Uneven planes are all kept.

    Its warnings are those of the whole, which the source tells in its notes.
    """
    k, j, i = box
    if volume.planes is not None:
        k = slice(0, volume.stored.shape[2])
    shift = np.eye(4)
    shift[:3, 3] = i.start, j.start, k.start
    stored, affine = volume.stored[i, j, k], volume.affine @ shift
    return replace(volume, stored=stored, affine=affine, longest_side=volume.extent(), warnings=())


def region_of(volume: Volume, label: int, facts: LabelFacts) -> Region:
    """The region of one label, cut to its box, so that meshing takes time in proportion to it."""
    return Region(cut(volume, facts.box), labels=(label,))


def volume_ml(volume: Volume, facts: LabelFacts) -> float:
    """Of a label's voxels, for lattices of even planes."""
    return round(facts.voxels * volume.voxel_volume / 1000, 4)


def structure_of(volume: Volume, label: int, facts: LabelFacts, naming: Naming) -> Structure:
    return Structure(
        label,
        naming.names.get(label) or f"label {label}",
        naming.colors.get(label),
        facts={"Voxels": facts.voxels, "VolumeMl": volume_ml(volume, facts)},
    )


def notes_on_fields(fields: Mapping[str, Any], why: str) -> tuple[Note, ...]:
    """Of fields that say which values are inside, where something else does: `why`."""
    given = [key for key in ("Labels", "Threshold", "Upper") if fields.get(key) is not None]
    return tuple(Note(Rank.LEFT_OUT, "", f"{key} was left out: {why}") for key in given)


def naming_of_fields(fields: Mapping[str, Any]) -> Naming:
    """`LabelNames` (nnU-Net's dataset.json as it is, or names by label, or labels by name) and `LabelColors`.

    Raises InvalidField for what is neither.
    """
    given = fields.get("LabelNames")
    names: dict[int, str] = {}
    notes: list[Note] = []
    if given is not None:
        if not isinstance(given, Mapping):
            raise InvalidField(f'"LabelNames" must be an object such as {{"1": "liver"}}, not {_shown(given)}')
        inner = given.get("labels")
        for key, value in (inner if isinstance(inner, Mapping) else given).items():
            pair = _label_and_name(key, value)
            if pair is None:
                raise InvalidField(f'"LabelNames" has {_shown(key)}: {_shown(value)}; a label and a name are expected')
            labels, name = pair
            if len(labels) > 1:
                text = f'"LabelNames" has {_shown(name)} for {len(labels)} labels together: each keeps its own name'
                notes.append(Note(Rank.LEFT_OUT, "", text))
            else:
                names.setdefault(labels[0], name)
    return Naming(names, _colors_of_field(fields.get("LabelColors"), names), tuple(notes))


def _label_and_name(key: Any, value: Any) -> tuple[list[int], str] | None:
    number = _integer(value)
    if number is not None and not (isinstance(value, str) and _integer(key) is not None):
        return [number], str(key)
    if isinstance(value, list) and len(value) > 0 and all(_integer(one) is not None for one in value):
        return [int(one) for one in value], str(key)
    number = _integer(key)
    return ([number], value) if number is not None and isinstance(value, str) else None


def _integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,18}", value.strip()):
        return int(value)
    return None


def _colors_of_field(given: Any, names: Mapping[int, str]) -> dict[int, Color]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InvalidField(f'"LabelColors" must be an object such as {{"1": [221, 130, 101]}}, not {_shown(given)}')
    by_name = {name: label for label, name in names.items()}
    colors = {}
    for key, value in given.items():
        label = by_name.get(str(key), _integer(key))
        color = _color(value)
        if label is None or color is None:
            raise InvalidField(
                f'"LabelColors" has {_shown(key)}: {_shown(value)}; '
                "a label and red, green, blue of 0 to 255 are expected"
            )
        colors[label] = color
    return colors


def _color(value: Any) -> Color | None:
    if isinstance(value, str) and (match := _HEX.fullmatch(value)):
        red, green, blue = bytes.fromhex(match[1])
        return red, green, blue
    if _is_list(value) and len(value) == 3 and all(type(one) is int and 0 <= one <= 255 for one in value):
        return value[0], value[1], value[2]
    return None


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _shown(value: Any) -> str:
    """A value of a request in a message, cut short."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def label_or_refuse(found: Mapping[int, LabelFacts], number: int) -> LabelFacts:
    facts = found.get(number)
    if facts is None:
        known = ", ".join(map(str, list(found)[:60])) or "none"
        raise InvalidInput(f"the volume has no label {number}; it has {known}{', ...' if len(found) > 60 else ''}")
    return facts
