"""What is united with a model, taken away from it, or kept of it: structures of its source or of other instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from orthanc_stl.conversion.choose import choose
from orthanc_stl.conversion.operand import Operand
from orthanc_stl.conversion.preparation import from_elsewhere
from orthanc_stl.conversion.request import ConversionRequest, OperandKey
from orthanc_stl.conversion.unions import Found, found_of, meshed
from orthanc_stl.dicom.text import described
from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.progress import no_progress
from orthanc_stl.mesh.types import Note, Surface, ranked
from orthanc_stl.sources.base import ContourSource, OpenSource


@dataclass(frozen=True)
class Operands:
    """What is joined to each part, taken away from it, and what each is kept within; `chosen`: notes on
    their choice."""

    unite: Operand | None = None
    subtract: Operand | None = None
    intersect: Operand | None = None
    chosen: tuple[Note, ...] = ()

    @property
    def notes(self) -> tuple[Note, ...]:
        """Those on their choice and on the surfaces that were made of them."""
        made = [note for one in (self.unite, self.subtract, self.intersect) if one for note in one.notes]
        return ranked([*self.chosen, *made])


def operands_of(
    source: OpenSource,
    numbers: Sequence[int],
    others: Mapping[str, OpenSource],
    request: ConversionRequest,
) -> Operands:
    """The operands of a request for the structures `numbers` of `source`.

    Raises InvalidInput for an unknown structure, and for an instance in another frame of reference or in none.
    """
    found: list[Operand | None] = []
    notes: list[Note] = []
    for keys in (request.unite, request.subtract, request.intersect):
        operand, told = _operand(source, numbers, others, keys, request)
        found.append(operand)
        notes += told
    return Operands(found[0], found[1], found[2], ranked(notes))


def _operand(
    source: OpenSource,
    numbers: Sequence[int],
    others: Mapping[str, OpenSource],
    keys: Sequence[OperandKey],
    request: ConversionRequest,
) -> tuple[Operand | None, list[Note]]:
    plain = replace(request, keep_largest=False, min_volume_ml=0.0, all=False, exclude=(), separate=False)
    wanted: list[tuple[OpenSource, ConversionRequest]] = []
    own = tuple(key for key in keys if isinstance(key, int | float | str))
    if own:
        wanted.append((source, replace(plain, structures=own)))
    for instance, structures in from_elsewhere(keys):
        other = others.get(instance)
        if other is None:
            raise InvalidInput(
                f"instance {instance} is not at hand: structures of other instances are for POST /stl/encode, scene "
                "files and print checks"
            )
        _check_frame(source, numbers, other, instance)
        wanted.append((other, replace(plain, structures=structures, all=not structures)))
    chosen: list[tuple[Found, ConversionRequest]] = []
    names: list[str] = []
    notes: list[Note] = []
    for one, asked in wanted:
        choice = choose(one.structures, asked)
        found = found_of(one, choice.structures, asked)
        chosen.append((found, asked))
        names += [structure.name for structure in choice.structures]
        notes += [*choice.notes, *found.notes]
    if not chosen:
        return None, notes

    def surfaces() -> list[Surface]:
        return [meshed(found, asked, no_progress) for found, asked in chosen]

    shapes = tuple(shape for found, _ in chosen for shape in found.shapes)
    return Operand(described("", names), shapes, surfaces), notes


def _check_frame(source: OpenSource, numbers: Sequence[int], other: OpenSource, instance: str) -> None:
    """Raises InvalidInput unless both lie in the same frame of reference."""
    own, theirs = _frame(source, numbers), _frame(other, [structure.number for structure in other.structures])
    if not own or not theirs:
        which = "the source" if not own else f"instance {instance}"
        raise InvalidInput(f"{which} names no frame of reference, so that their places to each other are not known")
    if own != theirs:
        raise InvalidInput(
            f"instance {instance} lies in another frame of reference ({theirs}) than the source ({own}), "
            "so that their places to each other are not known"
        )


def _frame(source: OpenSource, numbers: Sequence[int]) -> str:
    own = source.frame_of(numbers)[0] if isinstance(source, ContourSource) else ""
    return own or source.frame_of_reference_uid
