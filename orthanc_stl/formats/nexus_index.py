"""The index of a Nexus file (.nxs, .nxz), read far enough to know that the file is whole and that viewers can open it.

The standard library only: Orthanc's own process may use it too. The layout is in docs/nexus-format.md.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from orthanc_stl.errors import InvalidInput

MAGIC = 0x4E787320
VERSION = 2
BLOCK = 256  # offsets count these

_HEADER = struct.Struct("<IIQQ32sIIII4f")
_NODE = struct.Struct("<IHHf4h5fI")
_PATCH = struct.Struct("<III")
_TEXTURE = struct.Struct("<I64s")

_MECO, _CORTO, _DEEPZOOM = 2, 4, 8
_NO_TEXTURE = 0xFFFFFFFF


@dataclass(frozen=True)
class NexusIndex:
    """`vertices` and `triangles` are sums over all levels; `nodes` and `textures` do not count the end markers.

    `size`: bytes up to the end of the last block. `compression`: "", "corto" or "meco".
    """

    vertices: int
    triangles: int
    nodes: int
    textures: int
    compression: str
    size: int


def read_index(data: bytes | bytearray | memoryview) -> NexusIndex:
    """Check a Nexus file and say what is in it.

    Raises `InvalidInput` with the reason: no Nexus file, another version, cut off, kept in several files ("deepzoom"),
    or with an index that contradicts itself.
    """
    view = memoryview(data)
    header = _header(view)
    nodes = list(_NODE.iter_unpack(view[_HEADER.size : header.patches_at]))
    patches = list(_PATCH.iter_unpack(view[header.patches_at : header.textures_at]))
    textures = [offset for offset, _ in _TEXTURE.iter_unpack(view[header.textures_at : header.end])]
    # The last node is an end marker: only its offset and its first patch mean anything.
    offsets = [node[0] for node in nodes]
    blocks = offsets + textures
    _require(blocks == sorted(blocks), "its blocks are out of order")
    _require(blocks[0] * BLOCK >= header.end, "its nodes begin inside the index")
    if blocks[-1] * BLOCK > len(view):
        raise InvalidInput(
            f"This Nexus file is cut off: it has {len(view)} bytes, its index announces {blocks[-1] * BLOCK}"
        )
    for number, (node, following) in enumerate(pairwise(nodes)):
        _check_patches(number, node, patches[node[-1] : following[-1]], following[-1] - node[-1], header)
    return NexusIndex(
        vertices=header.vertices,
        triangles=header.triangles,
        nodes=len(nodes) - 1,
        textures=max(len(textures) - 1, 0),
        compression=header.compression,
        size=blocks[-1] * BLOCK,
    )


@dataclass(frozen=True)
class _Header:
    vertices: int
    triangles: int
    nodes: int
    patches: int
    textures: int
    compression: str

    @property
    def patches_at(self) -> int:
        return _HEADER.size + _NODE.size * self.nodes

    @property
    def textures_at(self) -> int:
        return self.patches_at + _PATCH.size * self.patches

    @property
    def end(self) -> int:
        return self.textures_at + _TEXTURE.size * self.textures


def _header(view: memoryview) -> _Header:
    if len(view) < 4 or struct.unpack_from("<I", view)[0] != MAGIC:
        raise InvalidInput("This is not a valid Nexus file, its magic header is incorrect")
    if len(view) < _HEADER.size:
        raise InvalidInput(f"This Nexus file is cut off: it has {len(view)} bytes, its header alone {_HEADER.size}")
    _, version, vertices, triangles, signature, flags, nodes, patches, textures, *sphere = _HEADER.unpack_from(view)
    if version != VERSION:
        raise InvalidInput(f"This Nexus file is of version {version}, version {VERSION} is expected")
    if flags & _DEEPZOOM:
        raise InvalidInput(
            'This Nexus model is of the kind "deepzoom", whose nodes are files of their own: build it as a single file'
        )
    header = _Header(
        vertices, triangles, nodes, patches, textures, "corto" if flags & _CORTO else "meco" if flags & _MECO else ""
    )
    _require(nodes >= 2, f"it has {nodes} nodes, an end marker among them")
    _require(signature[:2] == b"\x07\x03", "its vertices have no positions")
    _require(all(abs(x) < 1e30 for x in sphere) and sphere[3] > 0, "the sphere around it is none")
    if header.end > len(view):
        raise InvalidInput(f"This Nexus file is cut off: it has {len(view)} bytes, its index alone {header.end}")
    return header


def _check_patches(
    number: int, node: tuple[Any, ...], patches: list[tuple[int, int, int]], announced: int, header: _Header
) -> None:
    _, vertices, triangles, *_rest = node
    _require(0 < announced == len(patches), f"node {number} has no patches, or more than there are")
    before = 0
    for child, end, texture in patches:
        _require(number < child < header.nodes, f"node {number} is refined by node {child}")
        _require(before <= end, f"the patches of node {number} are out of order")
        known = texture == _NO_TEXTURE or texture < max(header.textures - 1, 0)
        _require(known, f"node {number} has texture {texture} of {header.textures - 1}")
        before = end
    _require(before == (triangles or vertices), f"the patches of node {number} do not end where it does")


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise InvalidInput(f"The index of this Nexus file contradicts itself: {what}")
