"""What `Shell`, `Margin`, `Cut`, `Label`, `Mirror` and `Scale` of a request say: checked before anything is read.

Imported in the Orthanc process: the standard library only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orthanc_stl.conversion.request import ConversionRequest, OperandKey
from orthanc_stl.errors import InvalidField

Point = tuple[float, float, float]

AXES = ("x", "y", "z")
SIDES = ("XMinus", "XPlus", "YMinus", "YPlus", "ZMinus", "ZPlus")

MOST_MM = 50.0
"""Of a wall, a margin, a hole or a peg."""

HALVES = ("both", "front", "back")
"""Front: where the normal points to."""

PLACES = ("front", "back", "left", "right", "head", "feet")
"""Of the patient: from where the text is seen."""

MOST_CHARACTERS = 40

MOST_PLANES, MOST_HOLES, MOST_PEGS, MOST_OTHERS = 6, 16, 8, 16
FARTHEST = 1e5
"""In mm: no coordinate of a patient is larger."""

NO_SCALE = (
    "Scale is refused: medical models are 1:1, so that what is measured on them is true of the patient; "
    'if another size is meant, say so by "Tags": {"ModelModification": "YES"}, on the command line by '
    "--model-modification"
)

_NUMBERS = {"ModelModification": "7001", "ModelMirroring": "7002"}
"""The element numbers of these tags; their group is 0068."""


@dataclass(frozen=True)
class ShellOptions:
    """A wall of `wall` mm; holes of `diameter` mm at the points `holes` (LPS mm), at the lowest point if None."""

    wall: float
    outwards: bool = False
    diameter: float = 0.0
    holes: tuple[Point, ...] | None = ()


@dataclass(frozen=True)
class PegOptions:
    """mm, and how many."""

    diameter: float
    length: float
    clearance: float = 0.15
    count: int = 2


@dataclass(frozen=True)
class CutOptions:
    """A plane in LPS mm, its pegs, if any, and which half is kept: one of HALVES."""

    point: Point
    normal: Point
    pegs: PegOptions | None = None
    keep: str = "both"


@dataclass(frozen=True)
class LabelOptions:
    """A text with capitals of `height` mm, `depth` mm deep or high, at a point in LPS mm or one of PLACES."""

    text: str
    height: float
    depth: float
    raised: bool = False
    at: Point | str = "front"


@dataclass(frozen=True)
class Preparation:
    """`margin`: mm in the order of SIDES, None for none. `mirror`: the number of the axis."""

    shell: ShellOptions | None = None
    margin: tuple[float, ...] | None = None
    cuts: tuple[CutOptions, ...] = ()
    mirror: int | None = None
    label: LabelOptions | None = None


def from_elsewhere(keys: Iterable[OperandKey]) -> list[tuple[str, tuple[int | str, ...]]]:
    """The instances among the operands, and which of their structures: none means all.

    Raises InvalidField for an object that does not say it so.
    """
    found = []
    for key in keys:
        if isinstance(key, int | float | str):
            continue
        _only(key, ("Instance", "Structures"), "the object")
        instance, structures = key.get("Instance"), key.get("Structures", [])
        if not isinstance(instance, str) or not instance:
            raise InvalidField(f"Instance of an operand is {_shown(instance)}, expected Orthanc's identifier")
        if not _listed(structures) or not all(type(one) in (int, str) for one in structures):
            raise InvalidField(f"Structures of an operand is {_shown(structures)}, expected a list of numbers or names")
        found.append((instance, tuple(structures)))
    return found


def other_instances(request: ConversionRequest) -> tuple[str, ...]:
    """The instances besides the source that `Unite`, `Subtract` and `Intersect` need, each once."""
    found = from_elsewhere((*request.unite, *request.subtract, *request.intersect))
    return tuple(dict.fromkeys(instance for instance, _ in found))


def changes_shape(request: ConversionRequest) -> bool:
    """Whether the model is another body than the structure: DICOM's Model Modification."""
    operands = (request.unite, request.subtract, request.intersect)
    options = (request.fill_cavities, request.smooth_mm, request.shell, request.label)
    return any((*operands, *options, request.margin, request.cut, request.mirror, request.scale != 1))


def _check_tags(request: ConversionRequest) -> None:
    """Raises InvalidField for `Tags` that deny what is done to the model, and for a Scale that they do not allow."""
    said = {keyword: _values_of(request.tags, keyword) for keyword in _NUMBERS}
    if request.scale != 1 and set(map(str, said["ModelModification"])) != {"YES"}:
        raise InvalidField(NO_SCALE)
    done = {"ModelModification": changes_shape(request), "ModelMirroring": bool(request.mirror)}
    for keyword, values in said.items():
        wrong = [value for value in values if value not in (None, "YES")]
        if done[keyword] and wrong:
            raise InvalidField(
                f"Tags.{keyword} is {_shown(wrong[0])}, expected YES: the model is not the body as it is"
            )


def _values_of(tags: Mapping[str, Any], keyword: str) -> list[Any]:
    """What is said of a tag, by its keyword and by its number.

    >>> _values_of({"0068,7001": "YES"}, "ModelModification")
    ['YES']
    """
    number = _NUMBERS[keyword]
    return [tags[name] for name in (keyword, f"0068,{number}", f"0068-{number}", f"0068{number}") if name in tags]


def preparation_of(request: ConversionRequest) -> Preparation:
    """Raises InvalidField, with what was given and what was expected, for the first value that cannot be used."""
    if request.mirror and request.mirror not in AXES:
        raise InvalidField(f"Mirror is {_shown(request.mirror)}, expected one of {', '.join(AXES)}")
    several = request.all or len(request.structures) > 1
    if request.mirror and request.mirror_at is None and request.separate and several:
        raise InvalidField("MirrorAt is missing: with Separate it says where the one mirror of all structures stands")
    _check_tags(request)
    if len(other_instances(request)) > MOST_OTHERS:
        raise InvalidField(f"got operands of {len(other_instances(request))} instances, expected at most {MOST_OTHERS}")
    if len(request.cut) > MOST_PLANES:
        raise InvalidField(f"Cut has {len(request.cut)} planes, expected at most {MOST_PLANES}")
    return Preparation(
        _shell(request.shell) if request.shell else None,
        None if request.margin is None else _margin(request.margin),
        tuple(_cut(one, f"Cut[{place}]") for place, one in enumerate(request.cut)),
        AXES.index(request.mirror) if request.mirror else None,
        _label(request.label) if request.label else None,
    )


def _shell(data: Mapping[str, Any]) -> ShellOptions:
    _only(data, ("Wall", "Outwards", "Drain"), "Shell")
    wall = _number(data.get("Wall"), "Shell.Wall", 0.05, MOST_MM)
    outwards = data.get("Outwards", False)
    if not isinstance(outwards, bool):
        raise InvalidField(f"Shell.Outwards is {_shown(outwards)}, expected true or false")
    drain = data.get("Drain")
    if drain is None:
        return ShellOptions(wall, outwards)
    _only(drain, ("Diameter", "At"), "Shell.Drain")
    diameter = _number(drain.get("Diameter"), "Shell.Drain.Diameter", 0.1, MOST_MM)
    places = drain.get("At", "lowest")
    if places == "lowest":
        return ShellOptions(wall, outwards, diameter, None)
    if not _listed(places) or not 0 < len(places) <= MOST_HOLES:
        raise InvalidField(
            f'Shell.Drain.At is {_shown(places)}, expected "lowest" or a list of 1 to {MOST_HOLES} points [x, y, z]'
        )
    return ShellOptions(wall, outwards, diameter, tuple(_point(one, "Shell.Drain.At") for one in places))


def _margin(data: Any) -> tuple[float, ...]:
    if not isinstance(data, Mapping):
        return (_number(data, "Margin", -MOST_MM, MOST_MM),) * len(SIDES)
    _only(data, SIDES, "Margin")
    return tuple(_number(data.get(side, 0.0), f"Margin.{side}", -MOST_MM, MOST_MM) for side in SIDES)


def _cut(data: Any, name: str) -> CutOptions:
    _only(data, ("Point", "Normal", "Pegs", "Keep"), name)
    normal = _point(data.get("Normal"), f"{name}.Normal")
    if not any(normal):
        raise InvalidField(f"{name}.Normal is [0, 0, 0], expected a direction")
    pegs = data.get("Pegs")
    keep = data.get("Keep", "both")
    if keep not in HALVES:
        raise InvalidField(f"{name}.Keep is {_shown(keep)}, expected one of {', '.join(HALVES)}")
    point = _point(data.get("Point"), f"{name}.Point")
    return CutOptions(point, normal, _pegs(pegs, f"{name}.Pegs") if pegs else None, keep)


def _label(data: Mapping[str, Any]) -> LabelOptions:
    _only(data, ("Text", "Height", "Depth", "Raised", "At"), "Label")
    text, raised, at = data.get("Text"), data.get("Raised", False), data.get("At", "front")
    if not isinstance(text, str) or not text.strip() or not text.isprintable() or len(text) > MOST_CHARACTERS:
        raise InvalidField(f"Label.Text is {_shown(text)}, expected a text of 1 to {MOST_CHARACTERS} characters")
    if not isinstance(raised, bool):
        raise InvalidField(f"Label.Raised is {_shown(raised)}, expected true or false")
    if isinstance(at, str) and at not in PLACES:
        raise InvalidField(f"Label.At is {_shown(at)}, expected a point [x, y, z] or one of {', '.join(PLACES)}")
    return LabelOptions(
        text,
        _number(data.get("Height"), "Label.Height", 1, MOST_MM),
        _number(data.get("Depth"), "Label.Depth", 0.1, MOST_MM / 5),
        raised,
        at if isinstance(at, str) else _point(at, "Label.At"),
    )


def _pegs(data: Any, name: str) -> PegOptions:
    _only(data, ("Diameter", "Length", "Clearance", "Count"), name)
    count = data.get("Count", PegOptions.count)
    if type(count) is not int or not 1 <= count <= MOST_PEGS:
        raise InvalidField(f"{name}.Count is {_shown(count)}, expected an integer from 1 to {MOST_PEGS}")
    return PegOptions(
        _number(data.get("Diameter"), f"{name}.Diameter", 0.1, MOST_MM),
        _number(data.get("Length"), f"{name}.Length", 0.1, MOST_MM),
        _number(data.get("Clearance", PegOptions.clearance), f"{name}.Clearance", 0, 5),
        count,
    )


def _only(data: Any, keys: Sequence[str], name: str) -> None:
    if not isinstance(data, Mapping):
        raise InvalidField(f"{name} is {_shown(data)}, expected an object with {', '.join(keys)}")
    unknown = [key for key in data if key not in keys]
    if unknown:
        raise InvalidField(f"{name} has the field {_shown(unknown[0])}, expected only {', '.join(keys)}")


def _number(value: Any, name: str, low: float, high: float) -> float:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    if not known or not low <= value <= high or not math.isfinite(value):
        raise InvalidField(f"{name} is {_shown(value)}, expected a number from {low:g} to {high:g}")
    return float(value)


def _point(value: Any, name: str) -> Point:
    if not _listed(value) or len(value) != 3:
        raise InvalidField(f"{name} has {_shown(value)}, expected three numbers [x, y, z]")
    x, y, z = (_number(one, name, -FARTHEST, FARTHEST) for one in value)
    return x, y, z


def _listed(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _shown(value: Any) -> str:
    return "missing" if value is None else repr(value)[:60]
