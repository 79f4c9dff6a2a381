"""3MF, read (core specification 1.3, colors of the materials extension 1.2.1): a part for each object that is built.

trimesh reads 3MF too, but not its colors, and it follows components without a limit: a file of 3 KB may name a part a
million million times.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from lxml import etree

from orthanc_stl.dicom.text import one_line
from orthanc_stl.errors import InvalidInput, TooLarge, reading
from orthanc_stl.model import Color, Note, Rank
from orthanc_stl.sources.mesh_parts import MOST_PARTS, MeshPart, check_parts, check_triangles, part_of

MILLIMETRES = {
    "micron": 0.001, "millimeter": 1.0, "centimeter": 10.0, "inch": 25.4, "foot": 304.8, "meter": 1000.0,
}  # fmt: skip
MOST_BYTES = 1 << 30
"""Of one model file in the package, unpacked."""

MOST_DEPTH = 32
VISITS_A_PART = 8
"""Components that are followed for each part that is allowed."""

MOST_COLORS = 1 << 20

_SEVERAL = "triangles of a part of the 3MF model have colors of their own; a part has one here, that of the first"
_NOT_READ = {"texture2dgroup": "pictures on it", "beamlattice": "beams", "multiproperties": "mixtures of colors"}

_COLOR = re.compile(r"#([0-9a-fA-F]{6})([0-9a-fA-F]{2})?")
_OUR_SPACE = "Space"


@dataclass
class _Object:
    name: str
    points: np.ndarray
    triangles: np.ndarray
    color: tuple[Color, float] | None
    components: list[tuple[str, str, np.ndarray]] = field(default_factory=list)


@dataclass
class _Content:
    """Of the object that is being read. `first_colors`: `pid`, `p1`, `p2`, `p3` of its first triangle; `several`: there
    are others."""

    points: array[float] = field(default_factory=lambda: array("d"))
    triangles: array[int] = field(default_factory=lambda: array("q"))
    first_colors: tuple[str, ...] | None = None
    several: bool = False


@dataclass
class _Package:
    """Objects by model file and id, and the items of the build of the root model; what is `shown` of them."""

    archive: zipfile.ZipFile
    max_triangles: int
    objects: dict[tuple[str, str], _Object] = field(default_factory=dict)
    items: list[tuple[str, str, np.ndarray]] = field(default_factory=list)
    units: dict[str, float] = field(default_factory=dict)
    bed: bool = True
    triangles: int = 0
    visits: int = 0
    shown: set[tuple[str, str]] = field(default_factory=set)
    left_out: dict[str, None] = field(default_factory=dict)


@reading("the 3MF package")
def read_3mf(data: bytes | memoryview, max_triangles: int) -> tuple[list[MeshPart], tuple[Note, ...]]:
    """The parts of a 3MF package in mm, each at its place, and what is left out. In ours the shift to the printer's bed
    is undone."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            package = _Package(archive, max_triangles)
            root = _root_model(archive)
            _read_model(package, root)
            parts = _built(package, root)
            return parts, tuple(Note(Rank.LEFT_OUT, "", text) for text in package.left_out)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InvalidInput(f"the 3MF package cannot be unpacked: {error}") from None
    except etree.XMLSyntaxError as error:
        raise InvalidInput(f"the model in the 3MF package is no XML: {error.msg}") from None


def _root_model(archive: zipfile.ZipFile) -> str:
    for name in archive.namelist():
        if name.lower().lstrip("/") == "3d/3dmodel.model":
            return name
    models = [name for name in archive.namelist() if name.lower().endswith(".model")]
    if not models:
        raise InvalidInput("this zip archive is no 3MF package: it has no 3D/3dmodel.model")
    return models[0]


def _read_model(package: _Package, name: str) -> None:
    info = package.archive.getinfo(name)
    if info.file_size > MOST_BYTES:
        raise TooLarge(f"the model in the 3MF package unpacks to {info.file_size} bytes")
    path = name.lstrip("/")
    colors: dict[str, list[tuple[Color, float]]] = {}
    content = _Content()
    package.units[path] = 1.0
    with package.archive.open(info) as stream:
        events = etree.iterparse(
            stream, events=("start", "end"), resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False
        )
        for event, element in events:
            tag = _local(element)
            if event == "start":
                if tag == "model":
                    package.units[path] = _unit(element.get("unit", "millimeter"))
            elif tag in ("vertex", "triangle"):
                _add_row(package, content, tag, element)
                _forget(element)
            elif tag in ("colorgroup", "basematerials"):
                colors[element.get("id", "")] = _colors(element)
            elif tag in _NOT_READ:
                package.left_out[f"the 3MF model has {_NOT_READ[tag]}, which are left out"] = None
            elif tag == "metadata" and element.get("name", "").rpartition(":")[2] == _OUR_SPACE:
                package.bed = package.bed and (element.text or "").strip() != "LPS"
            elif tag == "object":
                _add_object(package, path, element, content, colors)
                content = _Content()
                _forget(element)
            elif tag == "build":
                package.items += [_reference(item, path) for item in element if _local(item) == "item"]


def _forget(element: etree._Element) -> None:
    """Free an element that was read, and its elder siblings of the same kind: a tree of millions takes gigabytes."""
    element.clear()
    parent = element.getparent()
    while parent is not None and (before := element.getprevious()) is not None and before.tag == element.tag:
        parent.remove(before)


def _add_row(package: _Package, content: _Content, tag: str, element: etree._Element) -> None:
    if tag == "triangle":
        package.triangles += 1
        check_triangles(package.triangles, package.max_triangles)
        colors = tuple(element.get(name, "") for name in ("pid", "p1", "p2", "p3"))
        if content.first_colors is None:
            content.first_colors, content.several = colors, len({*colors[1:], ""}) > 2
        elif colors != content.first_colors:
            content.several = True
    try:
        if tag == "vertex":
            content.points.extend([float(element.attrib[name]) for name in ("x", "y", "z")])
        else:
            content.triangles.extend([int(element.attrib[name]) for name in ("v1", "v2", "v3")])
    except (KeyError, ValueError, OverflowError):
        raise InvalidInput(f"the 3MF model has a {tag} without its three numbers") from None


def _unit(name: str) -> float:
    if name not in MILLIMETRES:
        raise InvalidInput(f"the unit of the 3MF model is {name[:40]!r}; {', '.join(MILLIMETRES)} are possible")
    return MILLIMETRES[name]


def _local(element: etree._Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _add_object(
    package: _Package,
    path: str,
    element: etree._Element,
    content: _Content,
    colors: dict[str, list[tuple[Color, float]]],
) -> None:
    check_parts(len(package.objects) + 1)
    group, first = colors.get(element.get("pid", ""), []), element.get("pindex", "0")
    if content.first_colors and content.first_colors[1]:  # those of a triangle go before the object's
        pid, first = content.first_colors[:2]
        group = colors.get(pid, group) if pid else group
    if content.several:
        package.left_out[_SEVERAL] = None
    index = int(first) if first.isdecimal() and len(first) < 10 else 0
    number = element.get("id", "")
    package.objects[path, number] = _Object(
        one_line(element.get("name", "")) or f"object {number[:40]}",
        np.array(content.points).reshape(-1, 3) * package.units[path],
        np.array(content.triangles, np.int64).reshape(-1, 3),
        group[index] if index < len(group) else None,
        [_reference(item, path) for item in element.iter() if _local(item) == "component"],
    )


def _colors(element: etree._Element) -> list[tuple[Color, float]]:
    found = []
    for child in list(element)[:MOST_COLORS]:
        match = _COLOR.fullmatch(child.get("color") or child.get("displaycolor") or "")
        red, green, blue = bytes.fromhex(match[1]) if match else (127, 127, 127)
        alpha = int(match[2], 16) / 255 if match and match[2] else 0.0
        found.append(((red, green, blue), alpha or 1.0))  # some write 00 for "no transparency"
    return found


def _reference(element: etree._Element, name: str) -> tuple[str, str, np.ndarray]:
    """Model file, object and transform of an item or a component."""
    path = next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == "path"), "")
    return path.lstrip("/") or name, element.get("objectid", ""), _transform(element.get("transform", ""))


def _transform(text: str) -> np.ndarray:
    """(4, 4) for column vectors of a 3MF matrix: 12 numbers, row vectors (core specification, section 3.3)."""
    matrix = np.eye(4)
    if not text.strip():
        return matrix
    try:
        values = np.array([float(word) for word in text.split()])
    except ValueError:
        values = np.zeros(0)
    if len(values) != 12 or not np.isfinite(values).all():
        raise InvalidInput("the 3MF model has a transform that is not twelve numbers")
    matrix[:3] = values.reshape(4, 3).T
    return matrix


def _built(package: _Package, root: str) -> list[MeshPart]:
    parts: list[MeshPart] = []
    total = 0
    unit = package.units[root.lstrip("/")]
    everything = [(path, number, np.eye(4)) for path, number in list(package.objects)]
    for path, number, transform in package.items or everything:
        start = transform if package.bed else np.eye(4)
        for found, matrix in _instances(package, path, number, start, 0):
            total += len(found.triangles)
            check_triangles(total, package.max_triangles)
            place = matrix.copy()
            place[:3, 3] *= unit
            with np.errstate(all="ignore"):  # what overflows is no finite place, and refused by part_of
                points = found.points @ place[:3, :3].T + place[:3, 3]
            triangles = found.triangles[:, ::-1] if np.linalg.det(place[:3, :3]) < 0 else found.triangles
            color, opacity = found.color or (None, 1.0)
            part = part_of(found.name, points, triangles, color, opacity)
            if part is not None:
                parts.append(part)
                check_parts(len(parts))
    if not parts:
        raise InvalidInput("the 3MF package builds no object with triangles")
    hidden = sum(len(one.triangles) > 0 for key, one in package.objects.items() if key not in package.shown)
    if hidden:
        which = "an object" if hidden == 1 else f"{hidden} objects"
        text = f"{which} of the 3MF model that the build does not name {'is' if hidden == 1 else 'are'} left out"
        package.left_out[text] = None
    return parts


def _instances(
    package: _Package, path: str, number: str, matrix: np.ndarray, depth: int
) -> Iterator[tuple[_Object, np.ndarray]]:
    package.visits += 1
    check_parts(package.visits // VISITS_A_PART)
    if depth > MOST_DEPTH:
        raise InvalidInput(f"the components of the 3MF model are nested more than {MOST_DEPTH} deep, or in a circle")
    if path not in package.units:
        names = {name.lstrip("/"): name for name in package.archive.namelist()}
        if path not in names or len(package.units) > MOST_PARTS:
            raise InvalidInput(f"the 3MF package has no model {path[:80]!r}")
        build = list(package.items)
        _read_model(package, names[path])
        package.items = build
    found = package.objects.get((path, number))
    if found is None:
        raise InvalidInput(f"the 3MF model has no object {number[:40]!r}")
    package.shown.add((path, number))
    if len(found.triangles):
        yield found, matrix
    for inner_path, inner, transform in found.components:
        yield from _instances(package, inner_path, inner, matrix @ transform, depth + 1)
