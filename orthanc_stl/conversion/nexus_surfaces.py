"""What Nexus models are built of: stored models with the colors of their parts, and painted files of scanners.

GLB files and zips with an OBJ, its MTL and its textures are read by trimesh. Textures become colors of vertices: the
wheels of pymeshlab have no part that writes JPEG files, so that the pictures in its Nexus files are empty (measured).
Native code gets only files that were made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import trimesh
from PIL import Image

from orthanc_stl.conversion.painted_files import PaintedFile, picture_of, read_painted
from orthanc_stl.errors import InvalidInput, TooLarge, reading
from orthanc_stl.formats.scene import color_of, written_parts
from orthanc_stl.formats.stl import joined
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model
from orthanc_stl.sources.glb_document import Materials
from orthanc_stl.sources.glb_file import METRES_Y_UP_TO_LPS, colors_of_glb, material_of

MOST_TEXTURE_PIXELS = 1 << 26
"""Of a texture: 8192 x 8192."""

REFINED_TRIANGLES = 1_000_000
"""To so many a textured surface is refined, which takes 12 s to build."""

UNKNOWN = (200, 200, 200)
"""The color of what has none."""

_FARTHEST = 1e6


@dataclass(frozen=True)
class _Piece:
    """One mesh with the colors `(n, 4) uint8` of its vertices, or with their places in a picture."""

    mesh: Mesh
    colors: np.ndarray
    places: np.ndarray | None = None
    image: np.ndarray | None = None


def surface_of_model(model: Model) -> tuple[Mesh, np.ndarray | None]:
    """All parts as one surface, with the colors of its vertices; None for a single part, which needs none."""
    parts = written_parts(model)
    mesh = joined([part.mesh for part in parts])
    if len(parts) == 1:
        return mesh, None
    each = np.array([[*color_of(part), round(part.opacity * 255)] for part in parts], np.uint8)
    return mesh, each.repeat([len(part.mesh.vertices) for part in parts], axis=0)


@reading("the painted file")
def surface_of_file(
    content: bytes | bytearray | memoryview, max_triangles: int
) -> tuple[Mesh, np.ndarray, tuple[str, ...]]:
    """The surface of a GLB file in LPS mm, or of a zip with an OBJ in the OBJ's coordinates.

    With it, the colors of its vertices, and what was changed. A texture becomes colors of vertices, of which there are
    more than in the file where its triangles are coarser than the picture. Raises InvalidInput for another or damaged
    file, TooLarge for more triangles, pixels or unpacked bytes than are allowed.
    """
    file = read_painted(bytes(content))
    pieces = _pieces(file, max_triangles)
    if not pieces:
        raise InvalidInput("the file has no triangle")
    pieces, notes = _refined(pieces, min(max_triangles, REFINED_TRIANGLES))
    mesh = joined([piece.mesh for piece in pieces])
    return mesh, np.concatenate([_colors(piece) for piece in pieces]), (*file.lost, *notes)


def _refined(pieces: list[_Piece], most: int) -> tuple[list[_Piece], tuple[str, ...]]:
    """The pieces with each triangle in four, as often as the pictures need it and `most` allows."""
    texels = max((_texels(piece) for piece in pieces), default=0.0)
    if not texels:
        return pieces, ()
    while texels > 1 and 4 * sum(len(piece.mesh.triangles) for piece in pieces) <= most:
        pieces = [_in_four(piece) for piece in pieces]
        texels /= 2
    vertices = sum(len(piece.mesh.vertices) for piece in pieces)
    return pieces, (
        f"The texture became the colors of {vertices} vertices, since Nexus models are built here without pictures;"
        f" an edge between two of them is {max(texels, 0.1):.1f} pixels of the texture long",
    )


def _texels(piece: _Piece) -> float:
    """The length of an edge in pixels of the picture, 0 without one."""
    if piece.places is None or piece.image is None:
        return 0.0
    corners = piece.places[piece.mesh.triangles] * piece.image.shape[1::-1]
    return float(np.median(np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)))


def _in_four(piece: _Piece) -> _Piece:
    attributes = {"colors": piece.colors.astype(np.float64)}
    if piece.places is not None:
        attributes["places"] = piece.places
    vertices, faces, more = trimesh.remesh.subdivide(
        piece.mesh.vertices.astype(np.float64), piece.mesh.triangles, vertex_attributes=attributes
    )
    mesh = Mesh(vertices.astype(np.float32), faces.astype(np.int32))
    return _Piece(mesh, np.rint(more["colors"]).astype(np.uint8), more.get("places"), piece.image)


def _colors(piece: _Piece) -> np.ndarray:
    """The picture's pixels where the vertices are, counted from its lower left corner, and repeated beyond it."""
    if piece.places is None or piece.image is None:
        return piece.colors
    height, width = piece.image.shape[:2]
    x = np.floor(piece.places[:, 0] * width).astype(np.int64) % width
    y = np.floor((1 - piece.places[:, 1]) * height).astype(np.int64) % height
    return np.column_stack([piece.image[y, x], np.full(len(x), 255, np.uint8)])


def _pieces(file: PaintedFile, max_triangles: int) -> list[_Piece]:
    scene, turned = file.scene, METRES_Y_UP_TO_LPS if file.metres_y_up else np.eye(4)
    found: list[_Piece] = []
    total = 0
    for node in scene.graph.nodes_geometry:
        matrix, name = scene.graph[node]
        mesh = scene.geometry[name]
        if not isinstance(mesh, trimesh.Trimesh) or not len(mesh.faces):
            continue
        total += len(mesh.faces)
        if total > max_triangles:
            raise TooLarge(f'The model has {total} triangles or more, the option "MaxTriangles" allows {max_triangles}')
        found.append(_piece(mesh, turned @ np.asarray(matrix, float), file))
    return found


def _piece(mesh: Any, matrix: np.ndarray, file: PaintedFile) -> _Piece:
    with np.errstate(all="ignore"):  # what overflows is refused below
        points = np.asarray(mesh.vertices, float) @ matrix[:3, :3].T + matrix[:3, 3]
    faces = np.asarray(mesh.faces, np.int64)
    if faces.min() < 0 or faces.max() >= len(points):
        raise InvalidInput(f"a triangle names vertex {int(faces.max())} of {len(points)}")
    if not np.isfinite(points).all() or np.abs(points).max() > _FARTHEST:
        raise InvalidInput("a vertex is no finite place, or more than a million units from the origin")
    if np.linalg.det(matrix[:3, :3]) < 0:
        faces = faces[:, ::-1]
    placed = Mesh(points.astype(np.float32), faces.astype(np.int32))
    visual = mesh.visual
    image = picture_of(visual)
    places = getattr(visual, "uv", None)
    plain = np.tile(_color(mesh, file.materials), (len(points), 1))
    if image is not None and places is not None and len(places) == len(points):
        near = np.nan_to_num(np.asarray(places, np.float64)[:, :2]).clip(-_FARTHEST, _FARTHEST)
        return _Piece(placed, plain, near, _pixels(image))
    painted = colors_of_glb(mesh) if file.metres_y_up else _vertex_colors(mesh)
    return _Piece(placed, plain if painted is None else painted)


def _vertex_colors(mesh: Any) -> np.ndarray | None:
    """Of an OBJ: in its vertices, after their places."""
    return np.asarray(mesh.visual.vertex_colors, np.uint8) if mesh.visual.kind in ("vertex", "face") else None


def _color(mesh: Any, materials: Materials) -> np.ndarray:
    """Of a mesh without colors of its vertices."""
    diffuse = getattr(getattr(mesh.visual, "material", None), "diffuse", None)
    if diffuse is not None:  # of an OBJ
        return np.array([*np.asarray(diffuse)[:3], 255], np.uint8)
    color, opacity, _ = material_of(mesh, materials)
    return np.array([*(color or UNKNOWN), round(opacity * 255)], np.uint8)


def _pixels(image: Image.Image) -> np.ndarray:
    """A picture, `(height, width, 3) uint8`."""
    if image.width * image.height > MOST_TEXTURE_PIXELS:
        raise TooLarge(
            f"a texture has {image.width} x {image.height} pixels, {MOST_TEXTURE_PIXELS} are the most that are read"
        )
    try:
        return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:  # as Pillow says that a picture is damaged
        raise InvalidInput(f"a texture cannot be read: {str(error)[:100]}") from None
