"""Nexus files of known meshes, uncompressed, and DICOM objects that hold them, written without the package's help."""

from __future__ import annotations

import io
import math
import struct
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

BLOCK = 256
RAW_DATA = "1.2.840.10008.5.1.4.1.1.66"


@dataclass(frozen=True)
class Node:
    """`vertices` (n, 3), `triangles` (m, 3); `patches`: (child, end), at the finest level with the number of nodes.

    Without triangles it is of a cloud, whose patches count vertices. `padding`: bytes of nothing after the data.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    error: float
    patches: tuple[tuple[int, int], ...]
    padding: int = 0


def box(size: tuple[float, float, float] = (10.0, 20.0, 40.0), centre: tuple[float, float, float] = (0, 0, 0)) -> Node:
    """A box of 8 corners and 12 triangles whose normals point outwards."""
    corners = np.array([[x, y, z] for z in (-0.5, 0.5) for y in (-0.5, 0.5) for x in (-0.5, 0.5)]) * size + centre
    quads = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    triangles = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    return Node(corners, np.array(triangles), 1.0, ((1, 12),))


def sphere(rings: int, segments: int, radius: float = 50.0) -> tuple[np.ndarray, np.ndarray]:
    polar, turn = np.linspace(0, math.pi, rings + 1)[1:-1], np.arange(segments) * 2 * math.pi / segments
    t, p = (grid.ravel() for grid in np.meshgrid(polar, turn, indexing="ij"))
    around = np.column_stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)])
    vertices = np.vstack([[0, 0, 1], around, [0, 0, -1]]) * radius
    s = np.arange(segments)
    after = (s + 1) % segments
    ring = [np.column_stack([np.zeros_like(s), 1 + s, 1 + after])]
    for r in range(rings - 2):
        a, b = 1 + r * segments, 1 + (r + 1) * segments
        ring += [np.column_stack([a + s, b + s, b + after]), np.column_stack([a + s, b + after, a + after])]
    last = 1 + (rings - 2) * segments
    ring.append(np.column_stack([np.full_like(s, len(vertices) - 1), last + after, last + s]))
    return vertices, np.vstack(ring)


def levels(sizes: list[tuple[int, int]], radius: float = 50.0) -> list[Node]:
    """A sphere in several resolutions, from coarse to fine, one node each. The error is an edge, as in real files."""
    nodes = []
    for number, (rings, segments) in enumerate(sizes):
        vertices, triangles = sphere(rings, segments, radius)
        error = radius * math.pi / rings
        nodes.append(Node(vertices, triangles, error, ((number + 1, len(triangles)),)))
    return nodes


def cloud(points: np.ndarray) -> Node:
    return Node(points, np.zeros((0, 3), int), 1.0, ((1, len(points)),))


def write_nexus(nodes: list[Node], *, padding: int = 0) -> bytes:
    """A file with positions and, for meshes, normals and triangles. `padding`: as of each node."""
    is_mesh = len(nodes[0].triangles) > 0
    blocks = [_padded(_node_bytes(node, is_mesh) + bytes(node.padding + padding)) for node in nodes]
    patches = [patch for node in nodes for patch in node.patches]
    index_end = 88 + 44 * (len(nodes) + 1) + 12 * len(patches)
    offset = -(-index_end // BLOCK)
    table, first = b"", 0
    for node, block in zip(nodes, blocks, strict=True):
        x, y, z, r = _sphere_around(node.vertices)
        table += struct.pack("<IHHf", offset, len(node.vertices), len(node.triangles), node.error)
        table += struct.pack("<4h5fI", 0, 0, 0, 0, x, y, z, r, r, first)
        offset, first = offset + len(block) // BLOCK, first + len(node.patches)
    table += struct.pack("<IHHf4h5fI", offset, 32764, 7, -1, 1, 2, 3, 4, 0, 0, 0, -1, -1, first)
    for child, end in patches:
        table += struct.pack("<III", child, end, 0xFFFFFFFF)
    counts = sum(len(node.vertices) for node in nodes), sum(len(node.triangles) for node in nodes)
    header = struct.pack("<IIQQ", 0x4E787320, 2, *counts)
    header += (bytes([7, 3, 3, 3]) if is_mesh else bytes([7, 3, 0, 0])) + bytes(12)
    header += (bytes([4, 3]) if is_mesh else bytes(2)) + bytes(14)
    header += struct.pack("<IIII4f", 0, len(nodes) + 1, len(patches), 0, *_sphere_around(nodes[0].vertices))
    return _padded(header + table) + b"".join(blocks)


def nexus_dicom(
    content: bytes, *, creator: str = "OrthancSTL", sop_class: str = RAW_DATA, uids: tuple[str, ...] = ()
) -> bytes:
    """A DICOM file that holds a model as the original plugin keeps it. `uids`: of study, series and instance."""
    study, series, instance = uids or tuple(generate_uid() for _ in range(3))
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, instance
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study, series
    ds.PatientID, ds.PatientName, ds.Modality = "nexus", "Nexus^Test", "OT"
    ds.CreatorVersionUID = "1.2.826.0.1.3680043.8.498.90514926286349109728701975613711986292"
    block = ds.private_block(0x4205, creator, create=True)
    block.add_new(0x01, "OB", content + bytes(len(content) % 2))
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = UID(sop_class), UID(instance)
    file = io.BytesIO()
    ds.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _node_bytes(node: Node, is_mesh: bool) -> bytes:
    if not is_mesh:
        return node.vertices.astype("<f4").tobytes()
    faces = node.vertices[node.triangles]
    across = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
    normals = np.zeros_like(node.vertices)
    for corner in range(3):
        np.add.at(normals, node.triangles[:, corner], across)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    parts = node.vertices.astype("<f4"), (normals * 32766).astype("<i2"), node.triangles.astype("<u2")
    return b"".join(part.tobytes() for part in parts)


def _sphere_around(vertices: np.ndarray) -> tuple[float, float, float, float]:
    centre = (vertices.min(0) + vertices.max(0)) / 2
    return (*centre, float(np.linalg.norm(vertices - centre, axis=1).max()))


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)
