"""What the readers of mesh files give: parts with names and colors, in LPS mm; and the open source that offers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.mesh.report import area_and_volume
from orthanc_stl.mesh.topology import topology_of
from orthanc_stl.mesh.triangles import merged
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Color, Note, Rank, Structure
from orthanc_stl.sources.volume_files import FileSource

FARTHEST = 1e6  # mm from the origin; beyond, float32 vertices have less than 0.1 mm left
MOST_PARTS = 10_000
MAX_TRIANGLES = 10_000_000

RAS_TO_LPS = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class MeshPart:
    """One part of a mesh file. `opacity` is 0..1."""

    name: str
    mesh: Mesh
    color: Color | None = None
    opacity: float = 1.0


def part_of(
    name: str, points: np.ndarray, triangles: np.ndarray, color: Color | None = None, opacity: float = 1.0
) -> MeshPart | None:
    """A part of the points that `triangles` use; None without triangles that have three different corners.

    Raises InvalidInput for indices beyond the points, and for coordinates that are no place.
    """
    triangles = np.asarray(triangles, np.int64).reshape(-1, 3)
    if len(triangles) and (triangles.min() < 0 or triangles.max() >= len(points)):
        raise InvalidInput(f"a triangle names vertex {int(triangles.max())} of {len(points)}")
    distinct = (
        (triangles[:, 0] != triangles[:, 1])
        & (triangles[:, 1] != triangles[:, 2])
        & (triangles[:, 2] != triangles[:, 0])
    )
    used, compact = np.unique(triangles[distinct], return_inverse=True)
    vertices = np.asarray(points)[used].astype(np.float64)
    if not len(vertices):
        return None
    if not np.isfinite(vertices).all() or np.abs(vertices).max() > FARTHEST:
        raise InvalidInput("a vertex is no finite place, or more than a kilometre from the origin")
    mesh = Mesh(vertices.astype(np.float32), compact.reshape(-1, 3).astype(np.int32))
    return MeshPart(name, _joined_along_seams(mesh), color, opacity)


def _joined_along_seams(mesh: Mesh) -> Mesh:
    """With vertices at the same place as one, if that closes the surface: files with normals or texture coordinates
    have a vertex of its own for each side of an edge."""
    if topology_of(mesh.triangles, len(mesh.vertices)).closed:
        return mesh
    joined = merged(mesh.vertices[mesh.triangles])
    flat = (joined.triangles == np.roll(joined.triangles, 1, axis=1)).any(axis=1)
    joined = Mesh(joined.vertices, joined.triangles[~flat])
    return joined if topology_of(joined.triangles, len(joined.vertices)).closed else mesh


def color_of_most(colors: np.ndarray | None) -> tuple[Color | None, float, bool]:
    """Color and opacity that most of `colors` `(n, 4) uint8` have, and whether others have another; None for none."""
    if colors is None or not len(colors):
        return None, 1.0, False
    found, counts = np.unique(colors, axis=0, return_counts=True)
    red, green, blue, alpha = found[int(np.argmax(counts))].tolist()
    return (red, green, blue), alpha / 255, len(found) > 1


def note_on_painted(parts: int) -> tuple[Note, ...]:
    """Of so many parts that have several colors."""
    which = "a part has" if parts == 1 else f"{parts} parts have"
    text = f"{which} several colors in the file; a part has one here, that of most of it"
    return (Note(Rank.LEFT_OUT, "", text),) if parts else ()


def check_triangles(count: int, most: int) -> None:
    if count > most:
        raise TooLarge(f'the file has {count:,} triangles, over the {most:,} of the option "MaxTriangles"')


def check_parts(count: int) -> None:
    if count > MOST_PARTS:
        raise TooLarge(f"the file has {count:,} parts, {MOST_PARTS:,} are the most that are read")


@dataclass(frozen=True)
class OpenMeshes(FileSource):
    """An `OpenSource` of a mesh file: its parts, numbered from 1."""

    parts: Sequence[MeshPart]
    notes: tuple[Note, ...] = ()

    @cached_property
    def structures(self) -> tuple[Structure, ...]:
        return tuple(structure_of(number, part) for number, part in enumerate(self.parts, 1))

    def shape(self, number: int) -> tuple[Mesh, tuple[Note, ...]]:
        if not 1 <= number <= len(self.parts):
            raise InvalidInput(f"the file has no part {number}: it has {len(self.parts)} parts")
        return self.parts[number - 1].mesh, self.notes


def structure_of(number: int, part: MeshPart) -> Structure:
    """`Closed`: each edge has two triangles; the volume is that of a closed part."""
    topology = topology_of(part.mesh.triangles, len(part.mesh.vertices))
    volume = round(area_and_volume(part.mesh)[1] / 1000, 4) if topology.closed else None
    facts = {"Triangles": len(part.mesh.triangles), "VolumeMl": volume, "Closed": topology.closed}
    if part.opacity != 1:
        facts["Opacity"] = round(part.opacity, 4)
    return Structure(number, part.name, part.color, facts=facts)
