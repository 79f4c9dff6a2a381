"""A series of images as a source: what has values from a threshold on, or between two.

Its files are not DICOM, since the pixels are decoded by Orthanc and come one frame at a time. The first is a JSON
object (image_header.py); the second an instance of the series without its pixels (patient and study); then
there is a record (dicom/pixel_record.py) for each slice, in the order of `Frames`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from orthanc_stl.dicom.image_series import Encoding
from orthanc_stl.dicom.study_context import Reference, StudyContext, read_study_context
from orthanc_stl.errors import InvalidField, InvalidInput, OutOfRange, TooLarge, reading
from orthanc_stl.mesh.types import MinorNote
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.model import Color, Note, Rank, Structure
from orthanc_stl.sources import kinds
from orthanc_stl.sources.base import ReadOptions, Region
from orthanc_stl.sources.clean_region import CleanUp, clean_region
from orthanc_stl.sources.image_header import HEADING
from orthanc_stl.sources.image_instances import files_of_images
from orthanc_stl.sources.image_padding import leave_out_padding, take_padding_in
from orthanc_stl.sources.image_values import FrameValues, stored_values

MAX_BYTES = 1536 << 20
"""Of a volume, where the limits name none (`max_nifti_mb`)."""


@dataclass(frozen=True)
class Preset:
    """Values of a tissue in CT (HU), and what is left out and filled unless the request says otherwise."""

    name: str
    threshold: float | None
    upper: float | None
    color: Color
    clean_up: CleanUp


PRESETS: Mapping[str, Preset] = {
    "bone": Preset("Bone", 300, None, (241, 214, 145), CleanUp()),
    "skin": Preset("Skin", -300, None, (224, 186, 160), CleanUp(min_share=1, fill_holes=True)),
    # Two lungs, or one piece where the windpipe joins them; gas in the bowel is much smaller.
    "lung": Preset("Lungs", None, -400, (197, 165, 145), CleanUp(min_share=1 / 3, leave_out_sides=True)),
}
"""Thresholds that are usual in CT: those of skin and lung lie between soft tissue (about 0 HU) and air or lung (-1000
and about -800 HU)."""


@dataclass(frozen=True)
class Wanted:
    """One structure that was asked for."""

    structure: Structure
    threshold: float | None
    upper: float | None
    clean_up: CleanUp


class OpenImages:
    """An `OpenSource` of a series of images."""

    title = kinds.IMAGES.title

    def __init__(self, header: Mapping[str, Any], files: Sequence[bytes | memoryview], options: ReadOptions) -> None:
        self._header, self._records = header, files[HEADING:]
        self._volume: Volume | None = None
        self._size: tuple[int, int, int] = tuple(header["Size"])
        self.study: StudyContext = read_study_context(bytes(files[1]))
        self._wanted = _wanted(header, options.fields)
        limit = options.limits.get("max_nifti_mb")
        _check_size(self._size, limit << 20 if limit else MAX_BYTES)

    @property
    def structures(self) -> tuple[Structure, ...]:
        return tuple(wanted.structure for wanted in self._wanted)

    @property
    def frame_of_reference_uid(self) -> str:
        return str(self._header["FrameOfReferenceUID"])

    @property
    def references(self) -> tuple[Reference, ...]:
        series = str(self._header["SeriesInstanceUID"])
        return tuple(Reference(sop_class, uid, series) for sop_class, uid in self._header["References"])

    @property
    def volume(self) -> Volume:
        """All slices, `(columns, rows, slices) int16`. Laid out when it is first needed."""
        if self._volume is None:
            self._volume = self._laid_out()
        return self._volume

    def shape(self, number: int) -> tuple[Region, tuple[Note, ...]]:
        if not 1 <= number <= len(self._wanted):
            raise InvalidInput(f"there is no structure {number}: the images have 1 to {len(self._wanted)}")
        wanted = self._wanted[number - 1]
        if wanted.structure.reason:
            raise InvalidInput(wanted.structure.reason)
        region = Region(self.volume, threshold=wanted.threshold, upper=wanted.upper, fit_volume=True)
        self._check_range(region)
        notes = [*self._notes(), *self._without_padding(region, wanted.clean_up)]
        if reaches_edge(region):
            text = "what is inside reaches the edge of the images: it was closed there"
            notes.append(Note(Rank.CHANGED_SHAPE, wanted.structure.name, text))
        region, cleaned = clean_region(region, wanted.clean_up, wanted.structure.name)
        return region, (*notes, *cleaned)

    def _laid_out(self) -> Volume:
        columns, rows, count = self._size
        encoding = Encoding(*self._header["Encoding"])
        out = np.empty((count, rows, columns), np.int16)
        for index, (record, frame) in enumerate(zip(self._records, self._header["Frames"], strict=True)):
            out[index] = stored_values(record, FrameValues(*frame), encoding, columns, rows)
        return Volume(
            stored=out.T,
            affine=np.array(self._header["Affine"], np.float64),
            slope=encoding.slope,
            intercept=encoding.intercept,
            planes=None if self._header["Even"] else tuple(self._header["Places"]),
        )

    def _check_range(self, region: Region) -> None:
        volume = region.volume
        low, high = sorted(
            float(value) * volume.slope + volume.intercept for value in (volume.stored.min(), volume.stored.max())
        )
        unit = f" {self._header['Unit']}" if self._header["Unit"] else ""
        if region.threshold is not None and not low <= region.threshold <= high:
            raise OutOfRange(
                f"Threshold must be from {low:g} to {high:g}{unit}, as the images are, but is {region.threshold:g}"
            )
        if region.upper is not None and region.upper < low:
            raise OutOfRange(f"Upper must be at least {low:g}{unit}, as the images are, but is {region.upper:g}")

    def _without_padding(self, region: Region, how: CleanUp) -> tuple[Note, ...]:
        """What stands for no measurement is set to a value outside, or to one that is left out with the sides."""
        padding = self._header.get("Padding")
        if padding is None:
            return ()
        change = take_padding_in if how.leave_out_sides else leave_out_padding
        if not change(region, *padding):
            return ()
        self._volume = None  # it was changed in place: the next structure lays it out anew
        shown = " to ".join(f"{value:g}" for value in dict.fromkeys(padding))
        text = f"pixels around the slices that the images call padding ({shown}) were left out"
        return (MinorNote(Rank.LEFT_OUT, "", text),)

    def _notes(self) -> list[Note]:
        notes = []
        if self._header.get("Table"):
            text = "the values of the images are in a table (Modality LUT Sequence), which was not applied: "
            notes.append(Note(Rank.GUESSED, "", text + "the stored numbers were taken"))
        others = self._header["OtherStacks"]
        if others:
            stacks = "another stack" if others == 1 else f"{others} other stacks"
            text = f"the series holds {stacks} of images besides the {self._size[2]} slices that were taken"
            notes.append(Note(Rank.LEFT_OUT, "", text))
        if shift := self._header.get("Shift"):
            text = f"slices lie up to {shift:.2g} mm beside the line through the first and the last one: "
            notes.append(Note(Rank.GUESSED, "", text + "they were put on it"))
        if not self._header["Even"]:
            gaps = np.diff(self._header["Positions"])
            text = (
                f"the slices are from {gaps.min():.4g} to {gaps.max():.4g} mm apart, unevenly: "
                "each was taken to reach half-way to its neighbours"
            )
            notes.append(Note(Rank.GUESSED, "", text))
        return notes


def reaches_edge(region: Region) -> bool:
    """Whether a voxel on one of the six faces of the lattice is inside."""
    volume = region.volume
    low = -math.inf if region.threshold is None else region.threshold
    high = math.inf if region.upper is None else region.upper
    for axis in range(3):
        for end in (0, -1):
            face = np.moveaxis(volume.stored, axis, 0)[end] * volume.slope + volume.intercept
            if ((face >= low) & (face <= high)).any():
                return True
    return False


class Images:
    """The source of image series."""

    def recognises(self, beginning: bytes) -> bool:
        """Never: such files are made by Orthanc's own process, which says what they are, and by no client."""
        return False

    @reading("the series of images")
    def open(self, files: Sequence[bytes | memoryview], options: ReadOptions) -> OpenImages:
        """Options: `Threshold` and `Upper` (inclusive, in the images' values), or `Preset`; `FillHoles`: false keeps
        the holes that a preset fills. Without any record the structures can be listed, and none can be made.
        The DICOM images of a series are taken as well, in any order: outside Orthanc pydicom decodes them."""
        if bytes(files[0][:1]) != b"{":
            files = files_of_images(files)
        header = json.loads(bytes(files[0]))
        if len(files) not in (HEADING, HEADING + len(header["Frames"])):
            raise InvalidInput(f"the series has {len(header['Frames'])} slices, got {len(files) - HEADING} of them")
        return OpenImages(header, files, options)


def _wanted(header: Mapping[str, Any], fields: Mapping[str, Any]) -> list[Wanted]:
    threshold, upper = number(fields, "Threshold"), number(fields, "Upper")
    preset = fields.get("Preset")
    if preset is not None and (not isinstance(preset, str) or preset.lower() not in PRESETS):
        raise InvalidField(f"Preset must be one of {', '.join(PRESETS)}, but is {str(preset)[:40]!r}")
    hounsfield = header["Unit"] == "HU"
    if preset is not None and not hounsfield:
        unit = f" in {header['Unit']}" if header["Unit"] else ""
        raise InvalidField(
            f"Preset is for CT in HU, and these images are {header['Modality'] or 'of no modality'}{unit}"
        )
    if preset is not None and (threshold is not None or upper is not None):
        raise InvalidField("Preset and Threshold exclude each other: give one of them")
    if threshold is not None and upper is not None and upper < threshold:
        raise OutOfRange(f"Upper must be at least the Threshold {threshold:g}, but is {upper:g}")
    if threshold is None and upper is None and preset is None:
        return _choice(fields, hounsfield)
    if preset is not None:
        found = PRESETS[preset.lower()]
        return [_of_preset(1, found, fields)]
    name = _band(threshold, upper, header["Unit"])
    return [Wanted(Structure(1, name), threshold, upper, CleanUp())]


def _choice(fields: Mapping[str, Any], hounsfield: bool) -> list[Wanted]:
    """What is offered when nothing was asked for."""
    if hounsfield:
        return [_of_preset(number, preset, fields) for number, preset in enumerate(PRESETS.values(), 1)]
    reason = "a Threshold is needed: what these images show at which value is not known"
    return [Wanted(Structure(1, "Threshold", reason=reason), None, None, CleanUp())]


def _of_preset(number: int, preset: Preset, fields: Mapping[str, Any]) -> Wanted:
    facts = {"Threshold": preset.threshold, "Upper": preset.upper}
    structure = Structure(number, preset.name, preset.color, facts=facts)
    keep_holes = fields.get("FillHoles") is False
    how = replace(preset.clean_up, fill_holes=preset.clean_up.fill_holes and not keep_holes)
    return Wanted(structure, preset.threshold, preset.upper, how)


def _band(threshold: float | None, upper: float | None, unit: str) -> str:
    of = f" {unit}" if unit else ""
    if threshold is None:
        return f"Up to {upper:g}{of}"
    return f"From {threshold:g}{of}" if upper is None else f"{threshold:g} to {upper:g}{of}"


def _check_size(size: tuple[int, int, int], limit: int) -> None:
    columns, rows, count = size
    if count < 2:
        raise InvalidInput("the series has a single slice, and a volume needs at least two")
    if 2 * columns * rows * count > limit:
        shown = f"{columns} x {rows} x {count} voxels, {2 * columns * rows * count >> 20} MB"
        raise TooLarge(f'The images have {shown}, more than the {limit >> 20} MB of the option "MaxNiftiMB"')


def number(fields: Mapping[str, Any], name: str) -> float | None:
    """A finite number, None if it is missing. Raises InvalidField."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InvalidField(f"Number expected in field: {name}, but got {str(value)[:80]!r}")
    return float(value)
