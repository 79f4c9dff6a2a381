"""GLB: glTF 2.0 in one binary file (https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html).

The meshes are in LPS mm. One root node has the matrix to what glTF wants, metres with +Y up and the patient's face to
+Z; a program that wants the patient's coordinates leaves that node out. Colors are linear, as glTF has them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from orthanc_stl import __version__
from orthanc_stl.errors import TooLarge
from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.scene import color_of, linear, plain, written_parts
from orthanc_stl.mesh.triangles import vertex_normals
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model, Note, Part

# (x, y, z) of LPS mm -> (x, z, -y) / 1000, written column by column.
TO_METRES_Y_UP = [0.001, 0, 0, 0, 0, 0, -0.001, 0, 0, 0.001, 0, 0, 0, 0, 0, 1]

QUANTIZATION = "KHR_mesh_quantization"
STEPS = 65535
"""Steps along the longest side of a part that is quantized: 3 µm for 20 cm."""

ROUGHNESS = 0.6

_BYTE, _UNSIGNED_SHORT, _UNSIGNED_INT, _FLOAT = 5120, 5123, 5125, 5126
_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_MOST_SHORT = 65535
"""Vertices that indices of 16 bits can name: 65535 itself is forbidden (glTF 3.7.2.1, primitive restart)."""

_MOST_BYTES = 0xFFFFFFFF


def write(model: Model, options: WriteOptions) -> bytes:
    """`options.compress`: positions of 16 bits and normals of 8 (KHR_mesh_quantization), about half the bytes.

    Raises InvalidInput for a model without triangles, TooLarge for more than 4 GiB.
    """
    parts = written_parts(model)
    document = _Document()
    for part in parts:
        document.add(part, compress=options.compress)
    return document.content(model, required=[QUANTIZATION] if options.compress else [])


def colored_glb(part: Part, colors: np.ndarray, distances: np.ndarray, told: Sequence[Note] = ()) -> bytes:
    """One part with a color `(n, 3) uint8` (sRGB) and a distance `(n,)` (mm) for each vertex, which programs find as
    `COLOR_0` and `_DISTANCE`. `told` become the `notes` among the extras of its node."""
    (written,) = written_parts(Model((part,)))
    document = _Document()
    document.add(written, compress=False)
    values = np.ones((len(colors), 4), "<f4")
    values[:, :3] = np.array([linear((value, value, value))[0] for value in range(256)])[colors]
    attributes = document.meshes[0]["primitives"][0]["attributes"]
    attributes["COLOR_0"] = document.attribute(values, "VEC4")
    attributes["_DISTANCE"] = document.attribute(distances.astype("<f4"), "SCALAR")
    document.materials[0]["pbrMetallicRoughness"]["baseColorFactor"] = [1, 1, 1, 1]
    document.nodes[0]["extras"]["notes"] = [note.as_json() | {"Text": plain(note.text)} for note in told]
    return document.content(Model((written,)), required=[])


@dataclass
class _Document:
    """The tables of a glTF file, and the pieces of its buffer."""

    nodes: list[dict[str, Any]] = field(default_factory=list)
    meshes: list[dict[str, Any]] = field(default_factory=list)
    materials: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    pieces: list[memoryview] = field(default_factory=list)
    size: int = 0

    def add(self, part: Part, *, compress: bool) -> None:
        node: dict[str, Any] = {"name": part.name, "mesh": len(self.meshes), "extras": _facts(part)}
        normals = vertex_normals(part.mesh)
        if compress:
            positions, node["translation"], scale = _quantized(part.mesh)
            node["scale"] = [scale] * 3
            attributes = {"POSITION": self._positions(positions), "NORMAL": self._normals(normals)}
        else:
            attributes = {
                "POSITION": self._positions(part.mesh.vertices.astype("<f4", copy=False)),
                "NORMAL": self._accessor(normals.astype("<f4", copy=False), _FLOAT, "VEC3", _ARRAY_BUFFER),
            }
        short = len(part.mesh.vertices) <= _MOST_SHORT
        indices = part.mesh.triangles.reshape(-1).astype("<u2" if short else "<u4")
        kind = _UNSIGNED_SHORT if short else _UNSIGNED_INT
        primitive = {
            "attributes": attributes,
            "indices": self._accessor(indices, kind, "SCALAR", _ELEMENT_ARRAY_BUFFER),
            "material": len(self.materials),
        }
        self.materials.append(_material(part))
        self.meshes.append({"name": part.name, "primitives": [primitive]})
        self.nodes.append(node)

    def attribute(self, values: np.ndarray, kind: str) -> int:
        """An accessor of floats, one `kind` ("SCALAR", "VEC4") for each vertex."""
        return self._accessor(values, _FLOAT, kind, _ARRAY_BUFFER)

    def _positions(self, values: np.ndarray) -> int:
        """An accessor of positions, which has their smallest and largest, as glTF wants it."""
        low, high = values[:, :3].min(axis=0).tolist(), values[:, :3].max(axis=0).tolist()
        kind = _FLOAT if values.dtype.kind == "f" else _UNSIGNED_SHORT
        return self._accessor(values, kind, "VEC3", _ARRAY_BUFFER, {"min": low, "max": high})

    def _normals(self, normals: np.ndarray) -> int:
        """Normals of 8 bits; the fourth byte only fills up."""
        small = np.zeros((len(normals), 4), np.int8)
        np.rint(normals * 127, out=normals)
        small[:, :3] = normals
        return self._accessor(small, _BYTE, "VEC3", _ARRAY_BUFFER, {"normalized": True})

    def _accessor(
        self, values: np.ndarray, component: int, kind: str, target: int, more: dict[str, Any] | None = None
    ) -> int:
        data = memoryview(np.ascontiguousarray(values)).cast("B")
        view = {"buffer": 0, "byteOffset": self.size, "byteLength": data.nbytes, "target": target}
        if component in (_BYTE, _UNSIGNED_SHORT) and kind == "VEC3":
            view["byteStride"] = values.itemsize * 4  # an attribute begins at a multiple of four bytes
        self.accessors.append(
            {"bufferView": len(self.views), "componentType": component, "count": len(values), "type": kind}
            | (more or {})
        )
        self.views.append(view)
        padding = -data.nbytes % 4
        self.pieces += [data, memoryview(bytes(padding))]
        self.size += data.nbytes + padding
        return len(self.accessors) - 1

    def content(self, model: Model, required: list[str]) -> bytes:
        root = len(self.nodes)
        self.nodes.append(
            {
                "name": plain(model.title) or "Model",
                "matrix": TO_METRES_Y_UP,
                "children": list(range(root)),
                "extras": {"units": "mm", "space": "LPS", "FrameOfReferenceUID": plain(model.frame_of_reference_uid)},
            }
        )
        document: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": f"orthanc-stl {__version__}"},
            "scene": 0,
            "scenes": [{"nodes": [root]}],
            "nodes": self.nodes,
            "meshes": self.meshes,
            "materials": self.materials,
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": self.size}],
        }
        if required:
            document |= {"extensionsUsed": required, "extensionsRequired": required}
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 4)
        total = 12 + 8 + len(text) + 8 + self.size
        if total > _MOST_BYTES:
            raise TooLarge(f"a GLB file of {total} bytes; the format holds at most {_MOST_BYTES}")
        return b"".join(
            [b"glTF", _u32(2), _u32(total), _u32(len(text)), b"JSON", text, _u32(self.size), b"BIN\0", *self.pieces]
        )


def _facts(part: Part) -> dict[str, Any]:
    facts: dict[str, Any] = {"number": part.number, "volumeMl": round(part.volume_ml, 4)}
    return facts | ({"kind": part.kind} if part.kind else {})


def _material(part: Part) -> dict[str, Any]:
    material: dict[str, Any] = {
        "name": part.name,
        "pbrMetallicRoughness": {
            "baseColorFactor": [*linear(color_of(part)), round(part.opacity, 6)],
            "metallicFactor": 0,
            "roughnessFactor": ROUGHNESS,
        },
    }
    if part.opacity < 1:
        material["alphaMode"] = "BLEND"
    if not part.closed:
        material["doubleSided"] = True
    return material


def _quantized(mesh: Mesh) -> tuple[np.ndarray, list[float], float]:
    """Positions (n, 4) in steps, of which the fourth only fills up; where they begin, and the length of a step."""
    low = mesh.vertices.min(axis=0).astype(np.float64)
    step = float(np.ptp(mesh.vertices, axis=0).max()) / STEPS or 1.0
    positions = np.zeros((len(mesh.vertices), 4), "<u2")
    positions[:, :3] = np.rint((mesh.vertices - low) / step).clip(0, STEPS)
    return positions, low.tolist(), step


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "little")
