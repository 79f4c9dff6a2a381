"""Pieces left out of regions of a volume and holes filled in them, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterable
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
    return changed, _told(found, name)


@dataclass(frozen=True)
class PiecesLeftOut(Note):
    """`pieces` of together `volume` mm³ were left out, `kept` are in the model."""

    pieces: int
    volume: float
    kept: int


def pieces_left_out(structure: str, pieces: int, volume: float, kept: int) -> PiecesLeftOut:
    """
    >>> pieces_left_out("Bone", 2, 1500.0, 1).text
    '2 pieces of together 1.5 mL were left out, 1 is kept'
    """
    what = f"a piece of {_ml(volume)} was" if pieces == 1 else f"{pieces:,} pieces of together {_ml(volume)} were"
    text = f"{what} left out, {kept:,} {'is' if kept == 1 else 'are'} kept"
    return PiecesLeftOut(Rank.LEFT_OUT, structure, text, pieces, volume, kept)


def told_once(notes: Iterable[Note]) -> list[Note]:
    """`notes` in their order, with one sentence on the pieces of a structure that were left out in several steps.

    What is said of no structure in particular is of the only one, where there is one.
    """
    listed = list(notes)
    found = [note for note in listed if isinstance(note, PiecesLeftOut)]
    names = list(dict.fromkeys(note.structure for note in found if note.structure))
    alone = names[0] if len(names) == 1 else ""
    told: list[Note] = []
    for note in listed:
        if not isinstance(note, PiecesLeftOut):
            told.append(note)
            continue
        of_this = [one for one in found if (one.structure or alone) == (note.structure or alone)]
        if note is of_this[0]:
            pieces, volume = sum(one.pieces for one in of_this), sum(one.volume for one in of_this)
            told.append(pieces_left_out(note.structure or alone, pieces, volume, of_this[-1].kept))
    return told


def _told(found: Cleaned, name: str) -> tuple[Note, ...]:
    told: list[Note] = []
    if found.left_out:
        told.append(pieces_left_out(name, found.left_out, found.left_out_volume, found.pieces))
    if found.all_at_sides:
        text = "all that is inside reaches the sides of the images, so nothing of it was left out: it may be what lies"
        told.append(Note(Rank.GUESSED, name, f"{text} around the patient"))
    if found.holes:
        size = _ml(found.filled_volume)
        many = f"{found.holes:,} holes of together {size} were filled"
        told.append(Note(Rank.CHANGED_SHAPE, name, f"a hole of {size} was filled" if found.holes == 1 else many))
    return tuple(told)


def _ml(volume: float) -> str:
    return f"{volume / 1000:.3g} mL"
