"""A body that is united with others, taken away from them or kept of them: as voxels, or as a surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from orthanc_stl.conversion.meshing import inside_of, united
from orthanc_stl.mesh.solids.booleans import united as united_meshes
from orthanc_stl.mesh.types import Mesh, Note, Surface
from orthanc_stl.sources.base import Region, Shape


@dataclass(frozen=True)
class Operand:
    """The `shapes` of structures, their `names`, and what makes their `surfaces`. Voxels and surface are made once, and
    only where they are asked for."""

    names: str
    shapes: tuple[Shape, ...]
    surfaces: Callable[[], list[Surface]]

    @cached_property
    def mask(self) -> Region | None:
        """All of it as voxels of 0 and 1; None if that cannot be."""
        return mask_of(self.shapes)

    @property
    def mesh(self) -> Mesh:
        """The closed surface of all."""
        return self._made[0]

    @property
    def notes(self) -> tuple[Note, ...]:
        """Those on the surface: none if it was not used."""
        return self._made[1] if "_made" in self.__dict__ else ()

    @cached_property
    def _made(self) -> tuple[Mesh, tuple[Note, ...]]:
        surfaces = self.surfaces()
        meshes = [surface.mesh for surface in surfaces]
        mesh = united_meshes(meshes) if len(meshes) > 1 else meshes[0]
        return mesh, tuple(note for surface in surfaces for note in surface.report.notes)


def mask_of(shapes: tuple[Shape, ...]) -> Region | None:
    """Their union as voxels of 0 and 1; None if not all are voxels with labels on one lattice."""
    masks = []
    for shape in shapes:
        if not isinstance(shape, Region) or shape.threshold is not None or shape.upper is not None:
            return None
        masks.append(Region(replace(shape.volume, stored=inside_of(shape), slope=1.0, intercept=0.0), labels=(1,)))
    found = united(masks)
    return found if isinstance(found, Region) else None
