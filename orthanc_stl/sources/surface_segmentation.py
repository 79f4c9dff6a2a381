"""Surface Segmentation: segments that are surfaces already.

PS3.3 A.57, C.8.23 (Surface Segmentation), C.27 (Surface Mesh): points are x, y, z in mm of the frame of reference; the
index of the first point is 1. Lists of 32 bits (OL) took the place of those of 16 bits (OW) in 2016; both are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orthanc_stl.dicom.color import rgb_of
from orthanc_stl.errors import InvalidInput, reading
from orthanc_stl.formats.stl import joined
from orthanc_stl.mesh.polygons import triangulated
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Color, Note, Rank, Structure
from orthanc_stl.sources import kinds
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.dicom_object import DicomObject, Item, OfDicomObject, numbering_notes, read_object
from orthanc_stl.sources.mesh_parts import MAX_TRIANGLES, MeshPart, check_parts, check_triangles, part_of, structure_of

_SEGMENTS, _SURFACES = 0x00620002, 0x00660002
_NUMBER, _LABEL, _DESCRIPTION = 0x00620004, 0x00620005, 0x00620006
_CATEGORY, _ANATOMY = 0x00620003, 0x0062000F
_REFERENCED_SURFACES, _REFERENCED_SURFACE, _SURFACE_NUMBER = 0x0066002B, 0x0066002C, 0x00660003
_OPACITY, _CIELAB = 0x0066000C, 0x0062000D
_POINTS, _COORDINATES, _DOUBLE_COORDINATES = 0x00660011, 0x00660016, 0x00660022
_PRIMITIVES = 0x00660013
_TRIANGLES, _OLD_TRIANGLES = 0x00660041, 0x00660023
_STRIPS, _FANS, _FACETS = 0x00660026, 0x00660027, 0x00660034
_LIST, _OLD_LIST = 0x00660040, 0x00660029


@dataclass(frozen=True)
class OpenSurfaces(OfDicomObject):
    """An `OpenSource` of a Surface Segmentation."""

    source: DicomObject
    max_triangles: int

    @cached_property
    @reading("the Surface Segmentation")
    def structures(self) -> tuple[Structure, ...]:
        found: dict[int, Structure] = {}
        for item in self.source.items(_SEGMENTS):
            number = item.unsigned(_NUMBER)
            if number and number not in found:
                check_parts(len(found) + 1)
                found[number] = self._structure(item, number)
        return tuple(found.values())

    @reading("the Surface Segmentation")
    def shape(self, number: int) -> tuple[Mesh, tuple[Note, ...]]:
        for item in self.source.items(_SEGMENTS):
            if item.unsigned(_NUMBER) == number:
                part, notes = self._part(item)
                return part.mesh, (*notes, *self._numbering_notes)
        known = ", ".join(str(structure.number) for structure in self.structures) or "none"
        raise InvalidInput(f"the surface segmentation has no segment {number}; it has {known}")

    @property
    def title(self) -> str:
        return kinds.SURFACE_SEGMENTATION.title

    @cached_property
    def _numbering_notes(self) -> tuple[Note, ...]:
        numbered = (item for item in self.source.items(_SURFACES) if item.unsigned(_SURFACE_NUMBER))
        return (
            *numbering_notes(self.source.items(_SEGMENTS), _NUMBER, "the Segment Sequence"),
            *numbering_notes(numbered, _SURFACE_NUMBER, "the Surface Sequence"),
        )

    @cached_property
    def _surfaces(self) -> dict[int, Item]:
        surfaces: dict[int, Item] = {}
        for place, item in enumerate(self.source.items(_SURFACES), 1):
            check_parts(place)
            surfaces.setdefault(item.unsigned(_SURFACE_NUMBER) or place, item)
        return surfaces

    def _structure(self, item: Item, number: int) -> Structure:
        name = item.text(_LABEL) or item.text(_DESCRIPTION) or f"segment {number}"
        category, anatomy = item.code(_CATEGORY), item.code(_ANATOMY)
        try:
            part, _ = self._part(item)
        except InvalidInput as error:
            return Structure(number, name, category=category, anatomy=anatomy, reason=str(error))
        facts = structure_of(number, part).facts
        return Structure(number, name, part.color, category=category, anatomy=anatomy, facts=facts)

    def _part(self, segment: Item) -> tuple[MeshPart, tuple[Note, ...]]:
        """The surfaces of one segment, each once, as one mesh, with the color and opacity of the first."""
        referenced = (item.unsigned(_REFERENCED_SURFACE) for item in segment.items(_REFERENCED_SURFACES))
        numbers = list(dict.fromkeys(referenced))
        parts, notes = [], []
        for number in numbers:
            surface = self._surfaces.get(number or 0)
            if surface is None:
                raise InvalidInput(f"it refers to surface {number}, which is not there")
            part = _surface_part(surface, self.max_triangles)
            if part is None:
                notes.append(Note(Rank.LEFT_OUT, "", f"surface {number} has points or lines only, no triangles"))
            else:
                parts.append(part)
        if not parts:
            raise InvalidInput("it has no surface with triangles")
        first = parts[0]
        mesh = joined([part.mesh for part in parts])
        return MeshPart("", mesh, first.color, first.opacity), tuple(notes)


class SurfaceSegmentation:
    """The source of Surface Segmentations."""

    def recognises(self, beginning: bytes) -> bool:
        return False

    @reading("the Surface Segmentation")
    def open(self, files: Sequence[bytes | memoryview], options: ReadOptions) -> OpenSurfaces:
        source = read_object(files[0], kinds.SURFACE_SEGMENTATION.sop_classes, "a Surface Segmentation")
        if _SEGMENTS not in source or _SURFACES not in source:
            raise InvalidInput("this Surface Segmentation has no segments, or no surfaces")
        return OpenSurfaces(source, options.limits.get("max_triangles", MAX_TRIANGLES))


def _surface_part(surface: Item, max_triangles: int) -> MeshPart | None:
    points = surface.first(_POINTS)
    coordinates = points.array(_COORDINATES, "f4").astype(np.float64)
    if not len(coordinates):
        coordinates = points.array(_DOUBLE_COORDINATES, "f8")
    if len(coordinates) % 3:
        raise InvalidInput(f"a surface has {len(coordinates)} coordinates, which is no multiple of three")
    places = coordinates.reshape(-1, 3)
    corners = [corners for corners in _corner_lists(surface.first(_PRIMITIVES), places) if len(corners)]
    total = sum(map(len, corners))
    check_triangles(total, max_triangles)
    if not total:
        return None
    triangles = np.concatenate(corners).astype(np.int64) - 1
    opacity = surface.array(_OPACITY, "f4")
    shown = float(np.clip(opacity[0], 0, 1)) if len(opacity) and np.isfinite(opacity[0]) else 1.0
    return part_of("", places, triangles, _color(surface), shown)


def _color(surface: Item) -> Color | None:
    """By the white point D50 of the standard: these objects have no custom of another one."""
    lab = surface.array(_CIELAB, "u2")
    return rgb_of((int(lab[0]), int(lab[1]), int(lab[2]))) if len(lab) == 3 else None


def _corner_lists(primitives: Item, places: np.ndarray) -> Iterator[np.ndarray]:
    """Triangles `(n, 3)` of indices from 1, of each kind of primitive."""
    for tag, kind in ((_TRIANGLES, "u4"), (_OLD_TRIANGLES, "u2")):
        listed = primitives.array(tag, kind)
        yield listed[: len(listed) // 3 * 3].reshape(-1, 3)
    for sequence, triangles_of in ((_STRIPS, _strip), (_FANS, _fan)):
        yield from map(triangles_of, _point_lists(primitives, sequence))
    yield _facets([listed for listed in _point_lists(primitives, _FACETS) if len(listed) > 2], places)


def _point_lists(primitives: Item, sequence: int) -> Iterator[np.ndarray]:
    for item in primitives.items(sequence):
        listed = item.array(_LIST, "u4")
        yield listed if len(listed) else item.array(_OLD_LIST, "u2")


def _strip(listed: np.ndarray) -> np.ndarray:
    """Each triangle takes two points of the one before; every other one is turned round (PS3.3 C.27.4.1)."""
    triangles = np.stack((listed[:-2], listed[1:-1], listed[2:]), axis=1) if len(listed) > 2 else np.zeros((0, 3), int)
    triangles[1::2] = triangles[1::2, ::-1]
    return triangles


def _fan(listed: np.ndarray) -> np.ndarray:
    """All triangles share the first point."""
    if len(listed) < 3:
        return np.zeros((0, 3), int)
    return np.stack((np.full(len(listed) - 2, listed[0]), listed[1:-1], listed[2:]), axis=1)


def _facets(polygons: list[np.ndarray], places: np.ndarray) -> np.ndarray:
    """Of polygons, convex or not."""
    if not polygons:
        return np.zeros((0, 3), int)
    corners: np.ndarray = np.concatenate(polygons).astype(np.int64)
    if corners.min() < 1 or corners.max() > len(places):
        raise InvalidInput(f"a facet names point {int(corners.max())} of {len(places)}")
    triangles, _ = triangulated(places, corners - 1, np.array([len(one) for one in polygons]))
    return triangles + 1
