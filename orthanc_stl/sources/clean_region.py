"""Pieces left out of regions of a volume and holes filled in them, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

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


def clean_region(region: Region, how: CleanUp, name: str) -> tuple[Region, tuple[Note, ...]]:
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
