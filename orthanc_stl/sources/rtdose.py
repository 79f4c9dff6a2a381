"""RT Dose: isodose surfaces.

PS3.3 A.18, C.8.8.3 (RT Dose). Samples are at the voxels' centres, and the surface goes through the values between them;
where an isodose leaves the grid it is closed at the grid's edge, with a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orthanc_stl.errors import InvalidInput, TooLarge, reading
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.model import Note, Rank, Structure
from orthanc_stl.sources import kinds
from orthanc_stl.sources.base import ReadOptions, Region
from orthanc_stl.sources.dicom_object import DicomObject, OfDicomObject, read_object
from orthanc_stl.sources.dose_grid import Grid, dose_grid
from orthanc_stl.sources.dose_levels import Level, Yardstick, levels_of, yardstick_of
from orthanc_stl.sources.pixel_frames import pixel_frames

_UNITS, _TYPE, _SUMMATION = 0x30040002, 0x30040004, 0x3004000A
_SCALING = 0x3004000E
_SIGNED = 0x00280103
_PIXEL_DATA = 0x7FE00010

WHOLE_PLANS = ("", "PLAN", "MULTI_PLAN", "PLAN_OVERVIEW")
"""Dose Summation Types that are the dose of a plan; others are a part of it."""

ROUNDING = 1e-12
"""A fraction of a level: a stored value times the scaling may be so far off the decimal number that both stand for."""


@dataclass(frozen=True)
class OpenDose(OfDicomObject):
    """An `OpenSource` of an RT Dose: a structure for each level that was asked for, or for each usual one."""

    source: DicomObject
    grid: Grid
    volume: Volume
    unit: str
    yardstick: Yardstick
    levels: tuple[Level, ...]

    @cached_property
    def structures(self) -> tuple[Structure, ...]:
        thickness = self.volume.thickness()
        found = []
        for number, level in enumerate(self.levels, 1):
            inside = self._inside(level.value)
            counts = np.count_nonzero(inside, axis=(0, 1))
            volume = float(counts @ thickness) * self.volume.voxel_volume
            facts = {
                "LevelGy" if self.unit == "Gy" else "Level": round(level.value, 6),
                "LevelPercent": round(level.percent, 4),
                "Voxels": int(counts.sum()),
                "VolumeMl": round(volume / 1000, 4),
            }
            highest = self.yardstick.maximum
            reason = "" if level.value < highest else f"the highest dose is {self._shown(highest)}"
            found.append(Structure(number, level.name, level.color, "DOSE_REGION", reason=reason, facts=facts))
        return tuple(found)

    def shape(self, number: int) -> tuple[Region, tuple[Note, ...]]:
        if not 1 <= number <= len(self.levels):
            raise InvalidInput(f"there is no level {number}: the dose has {len(self.levels)} levels")
        level = self.levels[number - 1]
        if level.value >= self.yardstick.maximum:
            raise InvalidInput(f"no dose is above {level.name}: the highest is {self._shown(self.yardstick.maximum)}")
        notes = [*self.grid.notes, *self.yardstick.notes, *self._kind_notes()]
        inside = self._inside(level.value)
        if any(face.any() for axis in range(3) for face in (inside.take(0, axis), inside.take(-1, axis))):
            text = f"the isodose of {level.name} leaves the dose grid: it was closed at the grid's edge"
            notes.insert(0, Note(Rank.CHANGED_SHAPE, level.name, text))
        lowest = float(self.volume.stored.min()) * self.volume.slope  # a level below it holds all of the grid
        return Region(self.volume, threshold=max(level.value * (1 - ROUNDING), lowest), exact=True), tuple(notes)

    @property
    def title(self) -> str:
        return kinds.RTDOSE.title

    def _inside(self, value: float) -> np.ndarray:
        inside: np.ndarray = self.volume.stored >= value * (1 - ROUNDING) / self.volume.slope
        return inside

    def _shown(self, value: float) -> str:
        return f"{value:.6g} {self.unit}".strip()

    def _kind_notes(self) -> list[Note]:
        summation, kind = self.source.text(_SUMMATION), self.source.text(_TYPE)
        notes = []
        if summation not in WHOLE_PLANS:
            text = f"this dose is of the kind {summation}: it is a part of the plan's dose, not all of it"
            notes.append(Note(Rank.GUESSED, "", text))
        if kind == "EFFECTIVE":
            notes.append(Note(Rank.GUESSED, "", "this dose is EFFECTIVE: corrected for biological effect"))
        if self.unit != "Gy":
            notes.append(Note(Rank.GUESSED, "", "this dose is RELATIVE, without a unit: levels are of its maximum"))
        return notes


class RtDose:
    """The source of RT Dose objects; a second file is the RT Plan that says the prescription."""

    def recognises(self, beginning: bytes) -> bool:
        return False

    @reading("the RT Dose")
    def open(self, files: Sequence[bytes | memoryview], options: ReadOptions) -> OpenDose:
        source = read_object(files[0], kinds.RTDOSE.sop_classes, "an RT Dose")
        _check_kind(source)
        if _PIXEL_DATA not in source:
            raise InvalidInput("this RT Dose has no pixel data, and so no dose grid to make surfaces of")
        grid = dose_grid(source)
        volume = _volume(source, grid, options.limits.get("max_voxels", 200_000_000))
        highest = float(volume.stored.max()) * volume.slope
        if highest <= 0:
            raise InvalidInput("this dose is zero everywhere, so there is no isodose surface")
        unit = "Gy" if source.text(_UNITS) == "GY" else ""
        plan = files[1] if len(files) > 1 else None
        yardstick = yardstick_of(source, plan, highest, unit, options.fields.get("Reference"))
        levels = levels_of(options.fields.get("Levels"), yardstick, unit)
        return OpenDose(source, grid, volume, unit, yardstick, levels)


def _check_kind(source: DicomObject) -> None:
    units, kind = source.text(_UNITS), source.text(_TYPE)
    if units not in ("GY", "RELATIVE"):
        raise InvalidInput(f"a dose in GY or RELATIVE units is expected, this one has {units or 'none'}")
    if kind == "ERROR":
        raise InvalidInput("this dose is of the type ERROR: it holds differences between doses, which have no isodose")
    if source.unsigned(_SIGNED):
        raise InvalidInput("this dose has signed values, which only a dose of the type ERROR may have")


def _volume(source: DicomObject, grid: Grid, max_voxels: int) -> Volume:
    scaling = source.decimal(_SCALING)
    if scaling is None or not scaling > 0:
        raise InvalidInput("this dose has no positive Dose Grid Scaling, so its values are not known")
    frames = pixel_frames(source)
    if frames.bits not in (16, 32):
        raise InvalidInput(f"a dose has 16 or 32 bits a voxel, this one has {frames.bits}")
    if frames.pixels * frames.count > max_voxels:
        raise TooLarge(
            f"the dose has {frames.count} planes of {frames.rows} x {frames.columns} voxels, over the "
            f'{max_voxels:,} of the option "MaxVoxels"'
        )
    if not frames.native and frames.count > 1 << 14:
        raise TooLarge(f"the dose has {frames.count} compressed planes")
    stored = np.empty((frames.count, frames.rows, frames.columns), f"u{frames.bits // 8}")
    for place, number in enumerate(grid.order):
        stored[place] = frames.frame(number)
    return Volume(stored.T, grid.affine, slope=scaling, planes=grid.planes)
