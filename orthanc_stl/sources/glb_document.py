"""The JSON of a GLB (glTF 2.0): what is claimed in it, what of it is not read, and its materials."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.model import Color, Note, Rank
from orthanc_stl.sources.mesh_parts import check_parts

MOST_JSON = 64 << 20  # bytes of it
MOST_ACCESSOR_VALUES = 1 << 28

_READ = re.compile(r"KHR_(mesh_quantization|materials_\w+|texture_\w+)$|EXT_texture_webp$")
"""Extensions of glTF with which a mesh is what it is without, or which trimesh reads."""

_INSTANCING = "EXT_mesh_gpu_instancing"
_SPECULAR_GLOSSINESS = "KHR_materials_pbrSpecularGlossiness"

_COMPONENTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}

Materials = Mapping[str, tuple[Color | None, float]]
"""Color and opacity by the name of the material."""

_TRIANGLES, _STRIP, _FAN = 4, 5, 6  # modes of a primitive; smaller ones are points and lines


def checked_json(data: bytes | memoryview) -> Mapping[str, Any]:
    """The JSON of a GLB. Raises InvalidInput for outer files, for claims beyond its size, and for circles."""
    head = bytes(data[:20])
    length = int.from_bytes(head[12:16], "little")
    if len(head) < 20 or head[:4] != b"glTF" or int.from_bytes(head[4:8], "little") != 2 or head[16:20] != b"JSON":
        raise InvalidInput("the GLB file is not of glTF 2.0, or has no JSON in it")
    if length > min(len(data) - 20, MOST_JSON):
        raise InvalidInput(f"the GLB file claims {length} bytes of JSON, {len(data) - 20} are there")
    try:
        document = json.loads(bytes(data[20 : 20 + length]))
    except (ValueError, RecursionError):
        raise InvalidInput("the JSON of the GLB file cannot be read") from None
    if not isinstance(document, dict):
        raise InvalidInput("the JSON of the GLB file is no object")
    if any("uri" in buffer for buffer in dicts(document, "buffers")):
        raise InvalidInput("the GLB file has its data in other files, which are not read")
    required = document.get("extensionsRequired") or []
    unread = [str(one)[:60] for one in (required if isinstance(required, list) else []) if not _READ.match(str(one))]
    if "KHR_draco_mesh_compression" in unread:
        raise InvalidInput("the GLB file is compressed by Draco, which is not read: store it without compression")
    if unread:
        raise InvalidInput(f"the GLB file needs the extension {unread[0]}, which is not read: store it without")
    if any("sparse" in accessor for accessor in dicts(document, "accessors")):
        raise InvalidInput("the GLB file has sparse accessors, which are not read: store it without them")
    values = 0
    for accessor in dicts(document, "accessors"):
        count = accessor.get("count")
        if not isinstance(count, int) or count < 0:
            raise InvalidInput("the GLB file has an accessor without a count")
        values += count * _COMPONENTS.get(accessor.get("type", ""), 16)
    if values > MOST_ACCESSOR_VALUES:
        raise TooLarge(f"the GLB file claims {values} values, {MOST_ACCESSOR_VALUES} are the most that are read")
    _check_nodes(document)
    _check_modes(document)
    return document


def dicts(document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects in the list of that name."""
    found = document.get(key) or []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _check_nodes(document: Mapping[str, Any]) -> None:
    """Each node has one parent at most (glTF 2.0, section 3.5.1): no circles, and no multiplication."""
    nodes = dicts(document, "nodes")
    check_parts(len(nodes))
    seen: set[int] = set()
    for node in nodes:
        children = node.get("children") or []
        for child in children if isinstance(children, list) else []:
            if not isinstance(child, int) or child in seen:
                raise InvalidInput("the GLB file has a node with two parents, or a child that is no node")
            seen.add(child)
    if nodes and len(seen) >= len(nodes):
        raise InvalidInput("the nodes of the GLB file go round in a circle")


def left_out_of(document: Mapping[str, Any]) -> tuple[Note, ...]:
    """What of the file no part shows."""
    modes = [primitive.get("mode", _TRIANGLES) for primitive in _primitives(document)]
    thin = sum(mode < _TRIANGLES for mode in modes)
    notes = []
    if thin:
        text = f"{thin} of the {len(modes)} primitives of the GLB file are points or lines, which have no surface"
        notes.append(Note(Rank.LEFT_OUT, "", text))
    if any("skin" in node for node in dicts(document, "nodes")) or any(any(weights) for weights in _weights(document)):
        text = "the GLB file has a skeleton or morph targets, which are not applied: the mesh is read as it is without"
        notes.append(Note(Rank.GUESSED, "", text))
    if not dicts(document, "scenes"):
        text = "the GLB file has no scene, which would say what of it is shown: all of its nodes are read"
        notes.append(Note(Rank.GUESSED, "", text))
    hidden = _hidden(document)
    if hidden:
        which = "a node" if hidden == 1 else f"{hidden} nodes"
        text = f"{which} with a mesh of the GLB file, outside the scene that it shows, {'is' if hidden == 1 else 'are'}"
        notes.append(Note(Rank.LEFT_OUT, "", f"{text} left out"))
    if any(_INSTANCING in (node.get("extensions") or ()) for node in dicts(document, "nodes")):
        text = f"the GLB file repeats meshes at places that are not read ({_INSTANCING}): each is there once"
        notes.append(Note(Rank.LEFT_OUT, "", text))
    return tuple(notes)


def _hidden(document: Mapping[str, Any]) -> int:
    """How many nodes have a mesh, and are not in the scene that is shown: the one named, else the first."""
    nodes, scenes = dicts(document, "nodes"), dicts(document, "scenes")
    shown = document.get("scene", 0)
    if not isinstance(shown, int) or not 0 <= shown < len(scenes):
        return 0
    seen: set[int] = set()
    left = _indices(scenes[shown], "nodes")
    while left:
        place = left.pop()
        if 0 <= place < len(nodes) and place not in seen:
            seen.add(place)
            left += _indices(nodes[place], "children")
    return sum("mesh" in node for place, node in enumerate(nodes) if place not in seen)


def top_nodes(document: Mapping[str, Any]) -> list[int]:
    """The nodes that are no other's child."""
    nodes = dicts(document, "nodes")
    children = {child for node in nodes for child in _indices(node, "children")}
    return [place for place in range(len(nodes)) if place not in children]


def _indices(owner: Mapping[str, Any], key: str) -> list[int]:
    found = owner.get(key)
    return [one for one in found if isinstance(one, int)] if isinstance(found, list) else []


def picture_note(document: Mapping[str, Any]) -> tuple[Note, ...]:
    """For readers that give a part one color."""
    textures = len(_textures(document))
    text = f"{textures} of the materials of the GLB file have a picture, which is left out: a part has one color"
    return (Note(Rank.LEFT_OUT, "", text),) if textures else ()


def textured_primitives(document: Mapping[str, Any]) -> int:
    """How many have triangles and a material with a picture."""
    materials = dicts(document, "materials")
    textured = {place for place, material in enumerate(materials) if _texture(material)}
    return sum(
        one.get("mode", _TRIANGLES) >= _TRIANGLES and one.get("material") in textured for one in _primitives(document)
    )


def pictures_left_out(document: Mapping[str, Any]) -> list[str]:
    """Of pictures that lie on the surface in another way than is read."""
    moved = [
        one
        for one in _textures(document)
        if one.get("texCoord") or "KHR_texture_transform" in (one.get("extensions") or ())
    ]
    text = f"{len(moved)} of the pictures of the GLB file are moved (KHR_texture_transform, or a second set of places),"
    return [f"{text} which is not read: their colors are at wrong places"] if moved else []


def _primitives(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [primitive for mesh in dicts(document, "meshes") for primitive in dicts(mesh, "primitives")]


def _weights(document: Mapping[str, Any]) -> list[Sequence[float]]:
    """Of morph targets, where a mesh or a node has some."""
    owners = [*dicts(document, "meshes"), *dicts(document, "nodes")]
    return [owner["weights"] for owner in owners if isinstance(owner.get("weights"), list)]


def _texture(material: Mapping[str, Any]) -> dict[str, Any] | None:
    rough = material.get("pbrMetallicRoughness")
    found = rough.get("baseColorTexture") if isinstance(rough, dict) else None
    return found if isinstance(found, dict) else None


def _textures(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [found for material in dicts(document, "materials") if (found := _texture(material))]


def _check_modes(document: Mapping[str, Any]) -> None:
    for primitive in _primitives(document):
        mode = primitive.get("mode", _TRIANGLES)
        if mode == _FAN:
            raise InvalidInput("the GLB file has fans of triangles, which are not read: store it as triangles")
        if not isinstance(mode, int) or not 0 <= mode <= _STRIP:
            raise InvalidInput(f"the GLB file has a primitive of the mode {str(mode)[:20]}, which glTF does not have")


def materials_of(document: Mapping[str, Any]) -> Materials:
    """Base colors by the name of the material: linear in the file, sRGB here; None for one without.

    A name that several materials of different colors have is left out.
    """
    found: dict[str, tuple[Color | None, float]] = {}
    several: set[str] = set()
    for material in dicts(document, "materials"):
        factor = _base_color_factor(material)
        each: tuple[Color | None, float] = None, 1.0
        if isinstance(factor, list) and len(factor) == 4 and all(isinstance(v, (int, float)) for v in factor):
            red, green, blue = (srgb(float(value)) for value in factor[:3])
            opaque = material.get("alphaMode", "OPAQUE") == "OPAQUE"  # then glTF's readers pass the alpha over
            each = (red, green, blue), 1.0 if opaque else min(max(float(factor[3]), 0.0), 1.0)
        name = str(material.get("name", ""))
        if found.setdefault(name, each) != each:
            several.add(name)
    return {name: each for name, each in found.items() if name not in several}


def _base_color_factor(material: Mapping[str, Any]) -> Any:
    """The extension of older files goes before what stands beside it for readers that lack it."""
    extensions = material.get("extensions")
    glossy = extensions.get(_SPECULAR_GLOSSINESS) if isinstance(extensions, dict) else None
    if isinstance(glossy, dict):
        return glossy.get("diffuseFactor")
    rough = material.get("pbrMetallicRoughness")
    return rough.get("baseColorFactor") if isinstance(rough, dict) else None


def srgb(linear: float) -> int:
    """A part of linear light, 0..1, as a byte of sRGB (IEC 61966-2-1)."""
    value = min(max(linear, 0.0), 1.0)
    return round(255 * (value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055))
