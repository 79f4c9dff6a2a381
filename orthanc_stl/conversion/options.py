"""What a conversion can be told: one `Option` each, with its JSON key, its kind and its meaning.

REST validation, the flags of the command line and the tables of docs/rest.md are made from these. Imported in the
Orthanc process: the standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar

RESOLUTION = 256
"""The original's default: voxels along the longest side of the grid."""


@dataclass(frozen=True)
class Boolean:
    words: ClassVar[str] = "boolean"


@dataclass(frozen=True)
class Integer:
    low: int
    high: int

    @property
    def words(self) -> str:
        return f"integer, {self.low:,} to {self.high:,}"


@dataclass(frozen=True)
class Number:
    """A finite number from `low` to `high`."""

    low: float = float("-inf")
    high: float = float("inf")

    @property
    def words(self) -> str:
        if self.low == float("-inf"):
            return "number"
        return f"number, {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Text:
    words: ClassVar[str] = "string"


@dataclass(frozen=True)
class Choice:
    """One of these strings."""

    values: tuple[str, ...]

    @property
    def words(self) -> str:
        return "string: " + " or ".join(f'`"{value}"`' for value in self.values)


@dataclass(frozen=True)
class Texts:
    words: ClassVar[str] = "list of strings"


@dataclass(frozen=True)
class Integers:
    words: ClassVar[str] = "list of integers"


@dataclass(frozen=True)
class NumbersOrTexts:
    words: ClassVar[str] = "list of numbers or strings"


@dataclass(frozen=True)
class Operands:
    """Structures of the same source, or `{"Instance": ..., "Structures": [...]}` of another one."""

    words: ClassVar[str] = "list of numbers, strings or objects"


@dataclass(frozen=True)
class NumberOrText:
    words: ClassVar[str] = "number or string"


@dataclass(frozen=True)
class Color:
    words: ClassVar[str] = "list of three integers, 0 to 255"


@dataclass(frozen=True)
class Object:
    words: ClassVar[str] = "object"


@dataclass(frozen=True)
class Objects:
    words: ClassVar[str] = "list of objects"


@dataclass(frozen=True)
class NumberOrObject:
    words: ClassVar[str] = "number or object"


Kind = (
    Boolean
    | Integer
    | Number
    | Text
    | Choice
    | Texts
    | Integers
    | NumbersOrTexts
    | Operands
    | NumberOrText
    | Color
    | Object
    | Objects
    | NumberOrObject
)


@dataclass(frozen=True)
class Option:
    """`key` in JSON, `field` of the dataclass; `shown` is the default as the tables have it."""

    key: str
    field: str
    kind: Kind
    default: Any
    shown: str
    meaning: str


def option(key: str, kind: Kind, default: Any, meaning: str, *, shown: str | None = None) -> Any:
    """A field of a dataclass of options."""
    metadata = {"key": key, "kind": kind, "meaning": meaning, "shown": shown}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


def options_of(kind: type) -> tuple[Option, ...]:
    """The options that a dataclass has, in its order."""
    return tuple(_option(f) for f in fields(kind) if "key" in f.metadata)


def _option(f: Field[Any]) -> Option:
    default = f.default if f.default is not MISSING else {}
    shown = f.metadata["shown"] if f.metadata["shown"] is not None else _shown(default)
    return Option(f.metadata["key"], f.name, f.metadata["kind"], default, shown, f.metadata["meaning"])


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, str) and default:
        return f'`"{default}"`'
    if isinstance(default, int | float):
        return f"{default:g}"
    return ""


SOURCE_OPTIONS: Mapping[str, tuple[Kind, str]] = {
    "Labels": (Integers(), "label maps: which labels make the model; default: all but 0"),
    "Threshold": (Number(), "images and volumes that are no masks: what has this value or more is inside"),
    "Upper": (Number(), "images: what has more than this value is outside"),
    "Preset": (Text(), "images: `bone`, `skin` or `lung` in place of `Threshold` and `Upper`"),
    "FillHoles": (Boolean(), "images and volumes: cavities that have no way out count as inside"),
    "Levels": (NumbersOrTexts(), 'doses: the isodoses, in Gy or, as `"95%"`, of `Reference`'),
    "Reference": (
        NumberOrText(),
        'doses: what percentages are of: `"prescription"` (of the RT Plan in the study), `"maximum"`, or a dose in Gy',
    ),
    "LabelNames": (Object(), "label maps: names by label, also as nnU-Net's dataset.json has them"),
    "LabelColors": (Object(), "label maps: colours by label, each a list of three integers"),
}
"""What single kinds of sources can be told besides: JSON key to its kind and meaning."""
