"""A GLB as trimesh reads it rightly: positions that are normalized integers (KHR_mesh_quantization) as floats, and with
a scene.

glTF 2.0, section 3.6.2.2 (accessor data types) and 3.11 (normalized integers), 4.4 (chunks of a GLB).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from orthanc_stl.errors import InvalidInput
from orthanc_stl.sources.glb_document import dicts, top_nodes

_KINDS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2"}
_FLOAT = 5126
_HEAD = 12  # bytes before the chunks, each with 8 more before its content


def for_trimesh(data: bytes | memoryview, document: Mapping[str, Any]) -> bytes | memoryview:
    """The file, with floats at its end for positions that are normalized integers, and a scene of all nodes that are
    no other's child if it has no scene (glTF 2.0 allows that); as it is, if it has neither.

    `document`: its JSON. Raises InvalidInput for such positions that lie beyond the file's data.
    """
    accessors, views = dicts(document, "accessors"), dicts(document, "bufferViews")
    primitives = (one for mesh in dicts(document, "meshes") for one in dicts(mesh, "primitives"))
    attributes = (one.get("attributes") for one in primitives)
    positions = (one.get("POSITION") for one in attributes if isinstance(one, dict))
    used = {place for place in positions if isinstance(place, int)}
    chosen = [place for place, one in enumerate(accessors) if place in used and one.get("normalized") is True]
    scenes = dicts(document, "scenes")
    if not chosen and scenes:
        return data
    length = int.from_bytes(data[12:16], "little")
    start = _HEAD + 8 + length
    binary = bytes(data[start + 8 : start + 8 + int.from_bytes(data[start : start + 4], "little")])
    pieces = [binary, bytes(-len(binary) % 4)]
    size = sum(map(len, pieces))
    for place in chosen:
        values = _floats(accessors[place], views, memoryview(binary)).tobytes()
        accessors[place] = {
            "bufferView": len(views), "componentType": _FLOAT, "count": accessors[place]["count"], "type": "VEC3",
        }  # fmt: skip
        views.append({"buffer": 0, "byteOffset": size, "byteLength": len(values)})
        pieces.append(values)
        size += len(values)
    shown = {} if scenes else {"scene": 0, "scenes": [{"nodes": top_nodes(document)}]}
    changed = {**document, **shown, "accessors": accessors, "bufferViews": views, "buffers": [{"byteLength": size}]}
    text = json.dumps(changed).encode()
    text += b" " * (-len(text) % 4)
    chunks = _chunk(b"JSON", text) + _chunk(b"BIN\0", b"".join(pieces))
    return b"glTF" + (2).to_bytes(4, "little") + (_HEAD + len(chunks)).to_bytes(4, "little") + chunks


def _floats(accessor: Mapping[str, Any], views: list[dict[str, Any]], binary: memoryview) -> np.ndarray:
    """`(n, 3) float32` of -1 or 0 to 1."""
    component, number, count = accessor.get("componentType"), accessor.get("bufferView"), accessor["count"]
    kind = _KINDS.get(component) if isinstance(component, int) else None
    if kind is None or accessor.get("type") != "VEC3" or not isinstance(number, int) or not 0 <= number < len(views):
        raise InvalidInput("the GLB file has normalized positions that are no triples of integers of 8 or 16 bits")
    size = np.dtype(kind).itemsize
    stride = views[number].get("byteStride", 3 * size)
    at = views[number].get("byteOffset", 0), accessor.get("byteOffset", 0)
    if not all(isinstance(one, int) and one >= 0 for one in (*at, stride)) or stride < 3 * size:
        raise InvalidInput("the GLB file has positions at no place in its data")
    if sum(at) + (count - 1) * stride + 3 * size > len(binary):
        raise InvalidInput(f"the GLB file has {count} positions beyond the end of its data")
    values = np.ndarray((count, 3), kind, binary, sum(at), (stride, size))
    found: np.ndarray = np.maximum(values.astype(np.float32) / np.float32(np.iinfo(kind).max), -1)
    return found


def _chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "little") + kind + content
