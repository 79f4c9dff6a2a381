"""What a conversion is asked for, in one place: a frozen dataclass with one JSON form.

Imported in the Orthanc process: the standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from orthanc_stl.conversion.options import (
    RESOLUTION,
    Boolean,
    Choice,
    Color,
    Integer,
    Number,
    NumberOrObject,
    NumbersOrTexts,
    Object,
    Objects,
    Operands,
    Option,
    Text,
    Texts,
    option,
    options_of,
)

OperandKey = int | str | Mapping[str, Any]
"""A structure of the same source, by number or name, or an object with `Instance` and `Structures` of another one."""


@dataclass(frozen=True)
class ConversionRequest:
    """Which structures of a source become models, and how.

    `fields` are those of the kind of source (options.SOURCE_OPTIONS), `tags` extra DICOM attributes, `limits` those of
    the configuration, by the names of `Settings`.

    >>> ConversionRequest.from_json({"Structures": ["Heart"], "Resolution": 128}).resolution
    128
    """

    structures: tuple[int | str, ...] = option(
        "Structures", NumbersOrTexts(), (), "numbers or names of the structures", shown="this or `All`"
    )
    all: bool = option("All", Boolean(), False, "every structure that can be used")
    exclude: tuple[str, ...] = option(
        "Exclude", Texts(), (), 'with `All`: patterns of names to leave out, such as `"*couch*"`; case does not matter'
    )
    separate: bool = option("Separate", Boolean(), False, "one object for each structure, stored together, or none")
    resolution: int = option(
        "Resolution",
        Integer(2, 1024),
        RESOLUTION,
        "how fine: voxels along the longest side, at least ([accuracy.md](accuracy.md))",
    )
    smooth: bool = option("Smooth", Boolean(), True, "takes the terraces between slices away; volumes stay")
    end_caps: bool = option(
        "EndCaps",
        Boolean(),
        True,
        "contours: a structure reaches half a slice beyond its first and last contour, as masks and most planning "
        "systems have it; false: it ends at them, as with the C++ plugin",
    )
    strict: bool = option(
        "Strict",
        Boolean(),
        False,
        "refuse (400, with the list) what would have to be skipped, guessed or changed, but for specks of a thousandth",
    )
    tolerance: float | None = option(
        "Tolerance",
        Number(0, 10),
        None,
        "mm that triangles may stray from the full surface to make it small; 0: the full surface",
        shown="a tenth of the voxel's side, at most 0.1",
    )
    triangles: int | None = option(
        "Triangles", Integer(4, 10_000_000), None, "instead: at most so many, and the largest distance is told"
    )
    keep_largest: bool = option("KeepLargest", Boolean(), False, "only the largest piece of each structure")
    min_volume_ml: float = option("MinVolumeMl", Number(0, 1e6), 0.0, "pieces of less are left out, and that is told")
    unite: tuple[OperandKey, ...] = option(
        "Unite",
        Operands(),
        (),
        'structures that are joined to each model: of the same source, or `{"Instance": ..., "Structures": [...]}` of '
        "another one or of a stored model ([printing](printing.md#other-instances))",
    )
    subtract: tuple[OperandKey, ...] = option("Subtract", Operands(), (), "the same: they are taken away")
    intersect: tuple[OperandKey, ...] = option(
        "Intersect", Operands(), (), "the same: only what lies within their union is kept"
    )
    fill_cavities: bool = option("FillCavities", Boolean(), False, "cavities without a way out are filled")
    smooth_mm: float = option(
        "SmoothMm", Number(0, 100), 0.0, "bumps shorter than so many mm are taken away; the volume stays"
    )
    margin: float | Mapping[str, Any] | None = option(
        "Margin",
        NumberOrObject(),
        None,
        "mm to grow by, less than 0 to shrink: one figure, or `XMinus`, `XPlus`, `YMinus`, `YPlus`, `ZMinus`, `ZPlus` "
        "(LPS)",
    )
    shell: Mapping[str, Any] = option(
        "Shell",
        Object(),
        {},
        'makes it hollow: `Wall` in mm, `Outwards`, and `Drain` with a `Diameter` in mm and `At`: `"lowest"` or points',
    )
    mirror: str = option(
        "Mirror", Choice(("x", "y", "z")), "", 'exchanges left and right (`"x"`), front and back, or head and feet'
    )
    mirror_at: float | None = option(
        "MirrorAt",
        Number(-100_000, 100_000),
        None,
        "where the mirror stands, LPS mm; needed for several with `Separate`",
        shown="the middle of the model",
    )
    label: Mapping[str, Any] = option(
        "Label",
        Object(),
        {},
        "a text in its surface: `Text`, `Height` and `Depth` in mm, `Raised`, and `At`: a point or "
        '`"front"`, `"back"`, `"left"`, `"right"`, `"head"`, `"feet"`',
    )
    cut: tuple[Mapping[str, Any], ...] = option(
        "Cut",
        Objects(),
        (),
        "planes, each a `Point` and a `Normal` (LPS mm), that divide it into parts; `Pegs` with `Diameter`, `Length`, "
        "`Clearance` (mm), `Count` hold them together; `Keep`: "
        '`"both"`, `"front"` (where the normal points to) or `"back"`',
    )
    scale: float = option(
        "Scale",
        Number(0.01, 100),
        1.0,
        'makes it so many times as large, only with `"Tags": {"ModelModification": "YES"}`: medical models are 1:1',
    )
    name: str = option("Name", Text(), "", "of one model, of one structure or of several", shown="their names")
    color: tuple[int, int, int] | None = option("Color", Color(), None, "the same", shown="theirs, if it is one")
    opacity: float | None = option(
        "Opacity", Number(0, 1), None, "0 to 1", shown="the source's; 0.15 for the outline of the body"
    )
    colors: Mapping[str, Any] = option("Colors", Object(), {}, "colours by the number or the name of the structure")
    replace: bool = option(
        "Replace", Boolean(), False, "the models that the same structures of the same source had before are removed"
    )
    format: str = option(
        "Format",
        Choice(("stl", "obj")),
        "stl",
        "how models are stored: `obj`: an Encapsulated OBJ with its MTL, which hold all structures "
        "([exports.md](exports.md#in-dicom))",
    )
    fields: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """What differs from the defaults, by JSON keys."""
        values = asdict(self)
        given = {o.key: _plain(values[o.field]) for o in OPTIONS if values[o.field] != o.default}
        rest = {"Fields": dict(self.fields), "Tags": dict(self.tags), "Limits": dict(self.limits)}
        return given | {key: value for key, value in rest.items() if value}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> ConversionRequest:
        """The request that `as_json` gave; what is not there has its default."""
        values = {o.field: _frozen(data[o.key]) for o in OPTIONS if o.key in data}
        return ConversionRequest(
            **values, fields=data.get("Fields", {}), tags=data.get("Tags", {}), limits=data.get("Limits", {})
        )


OPTIONS: tuple[Option, ...] = options_of(ConversionRequest)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
