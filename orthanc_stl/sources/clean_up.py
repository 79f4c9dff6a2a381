"""The fields `KeepLargest`, `MinVolumeMl` and `FillHoles`, for every source whose shapes are regions of a volume."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from orthanc_stl.errors import InvalidField
from orthanc_stl.mesh.volumes.islands import Cleaned, cleaned
from orthanc_stl.model import Note, Rank
from orthanc_stl.sources.base import Region


@dataclass(frozen=True)
class CleanUp:
    """What is left out of a region and filled in it. `min_share` is of the largest piece, 1 keeps that one alone.

    `leave_out_sides`: what reaches the sides of the images (the air around a patient) is left out.
    """

    min_share: float = 0.0
    min_volume_ml: float = 0.0
    fill_holes: bool = False
    leave_out_sides: bool = False

    def __bool__(self) -> bool:
        return bool(self.min_share or self.min_volume_ml or self.fill_holes or self.leave_out_sides)


def read_clean_up(fields: Mapping[str, Any], default: CleanUp = CleanUp()) -> CleanUp:
    """As the fields of a request say; what they do not say is as in `default`. Raises InvalidField."""
    keep_largest = boolean(fields, "KeepLargest", None)
    smallest = number(fields, "MinVolumeMl")
    if smallest is not None and smallest < 0:
        raise InvalidField(f"MinVolumeMl must be at least 0, but is {smallest:g}")
    share = default.min_share if keep_largest is None else float(keep_largest)
    fill = boolean(fields, "FillHoles", None)
    return CleanUp(
        min_share=share,
        min_volume_ml=default.min_volume_ml if smallest is None else smallest,
        fill_holes=default.fill_holes if fill is None else fill,
        leave_out_sides=default.leave_out_sides,
    )


def clean_up(region: Region, how: CleanUp, name: str) -> tuple[Region, tuple[Note, ...]]:
    """The region without what is left out, with its holes filled, and what was done. `name`: the structure's."""
    if not how:
        return region, ()
    found = cleaned(
        region.volume,
        labels=region.labels,
        threshold=region.threshold,
        upper=region.upper,
        min_share=how.min_share,
        min_volume=how.min_volume_ml * 1000,
        fill_holes=how.fill_holes,
        leave_out_sides=how.leave_out_sides,
    )
    changed = replace(region, volume=found.volume, labels=found.labels, threshold=found.threshold, upper=found.upper)
    return changed, tuple(Note(rank, name, text) for rank, text in _told(found))


def _told(found: Cleaned) -> list[tuple[Rank, str]]:
    told = []
    if found.left_out:
        pieces = "1 piece" if found.left_out == 1 else f"{found.left_out:,} pieces"
        kept = "1 is" if found.pieces == 1 else f"{found.pieces:,} are"
        told.append((Rank.LEFT_OUT, f"{pieces} of together {_ml(found.left_out_volume)} were left out, {kept} kept"))
    if found.holes:
        holes = "1 hole" if found.holes == 1 else f"{found.holes:,} holes"
        told.append((Rank.CHANGED_SHAPE, f"{holes} of together {_ml(found.filled_volume)} were filled"))
    return told


def _ml(volume: float) -> str:
    return f"{volume / 1000:.3g} mL"


def number(fields: Mapping[str, Any], name: str) -> float | None:
    """A finite number, None if it is missing. Raises InvalidField."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InvalidField(f"Number expected in field: {name}, but got {str(value)[:80]!r}")
    return float(value)


def boolean(fields: Mapping[str, Any], name: str, default: bool | None) -> bool | None:
    value = fields.get(name, default)
    if value is not default and not isinstance(value, bool):
        raise InvalidField(f"Boolean value expected in field: {name}, but got {str(value)[:80]!r}")
    return value
