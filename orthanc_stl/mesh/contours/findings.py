"""What is found out about contours on the way to a surface: gathered, and said in one sentence a ROI and kind."""

from __future__ import annotations

from dataclasses import dataclass, field

from orthanc_stl.mesh.types import MinorNote, Note, Rank, ranked

MOST_NUMBERS = 5
"""Contours named by their numbers in one sentence."""


@dataclass
class _Kind:
    """One kind of finding of one ROI: the contours it holds for, and the largest figure that came with it."""

    rank: Rank
    one: str
    several: str
    numbers: list[int] = field(default_factory=list)
    figure: float = 0.0


@dataclass
class Findings:
    """Sentences on whole ROIs, and on contours: of these, those of one kind become one sentence."""

    _notes: list[Note] = field(default_factory=list)
    _kinds: dict[tuple[str, str], _Kind] = field(default_factory=dict)

    def roi(self, rank: Rank, name: str, text: str, *, minor: bool = False) -> None:
        """`text` goes on after the ROI's name: "has a single slice"."""
        self._notes.append((MinorNote if minor else Note)(rank, name, f'ROI "{name}" {text}'))

    def sentence(self, rank: Rank, name: str, text: str) -> None:
        """`text` is a whole sentence, with the name in it."""
        self._notes.append(Note(rank, name, text))

    def contour(self, rank: Rank, name: str, number: int, one: str, several: str, figure: float = 0.0) -> None:
        """`one` goes on after "contour 3 of ROI ...", `several` after "14 contours of ROI ..."; `{figure}` in them is
        the largest figure."""
        kind = self._kinds.setdefault((name, several), _Kind(rank, one, several))
        kind.numbers.append(number)
        kind.figure = max(kind.figure, figure)

    def tells(self, name: str, words: str) -> bool:
        """Whether a sentence on this ROI as a whole has these words."""
        return any(note.structure == name and words in note.text for note in self._notes)

    def notes(self) -> tuple[Note, ...]:
        """Worst first."""
        told = [Note(kind.rank, name, _sentence(name, kind)) for (name, _), kind in self._kinds.items()]
        return ranked([*told, *self._notes])


def _sentence(name: str, kind: _Kind) -> str:
    numbers = sorted(set(kind.numbers))
    figure = f"{kind.figure:.3g}"
    if len(numbers) == 1:
        return f'contour {numbers[0]} of ROI "{name}" {kind.one}'.replace("{figure}", figure)
    listed = ", ".join(map(str, numbers[:MOST_NUMBERS])) + (", ..." if len(numbers) > MOST_NUMBERS else "")
    return f'{len(numbers)} contours of ROI "{name}" {kind.several} (numbers {listed})'.replace("{figure}", figure)
