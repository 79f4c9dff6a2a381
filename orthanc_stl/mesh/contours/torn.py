"""The surface in pieces and openings, compared with the stack of slices that it is made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.parts import Chain
from orthanc_stl.mesh.contours.slices import Suggested, suggested
from orthanc_stl.mesh.pieces import shells_of
from orthanc_stl.mesh.topology import Topology, components_of, topology_of
from orthanc_stl.mesh.triangles import chosen_part
from orthanc_stl.mesh.types import Mesh, Rank

TOUCHING = 0.002
"""In sides of a voxel: areas that are no farther apart may be one. With 0.02, bodies 0.01 mm apart were joined
silently."""

STRAY = 1.0
"""In voxels: a piece more than there should be, and smaller than that, was torn off by the grid."""


def without_strays(mesh: Mesh, topology: Topology, wanted: Suggested, voxel: float) -> tuple[Mesh, Topology, int]:
    """The mesh without the smallest pieces, of less than a voxel (mm³), that it has more than it should have.

    Gives its topology and the number of its pieces too; cavities are no pieces.
    """
    if components_of(mesh.triangles, len(mesh.vertices)).max(initial=0) == 0:
        return mesh, topology, 1
    of_triangle, volumes = shells_of(mesh)
    pieces = int(np.count_nonzero(volumes >= 0))
    if pieces <= wanted.pieces:
        return mesh, topology, pieces
    outward = np.flatnonzero(volumes >= 0)
    smallest = outward[np.argsort(volumes[outward], kind="stable")][: pieces - wanted.pieces]
    stray = smallest[volumes[smallest] < STRAY * voxel]
    if not len(stray):
        return mesh, topology, pieces
    mesh = chosen_part(mesh, ~np.isin(of_triangle, stray))
    return mesh, topology_of(mesh.triangles, len(mesh.vertices)), pieces - len(stray)


def compare_topology(
    name: str, found: Suggested, wanted: Suggested, chains: Sequence[Chain], side: float, findings: Findings
) -> None:
    """A sentence if a surface is torn, or closed, where its contours are not. `side` (mm) is that of a voxel.

    `name` is that of the ROI, empty for several. Of areas that touch nobody can say whether they are one.
    """
    if found == wanted:
        return
    joined = suggested(chains, TOUCHING * side / 2)
    pieces, euler_numbers = {wanted.pieces, joined.pieces}, {wanted.euler_number, joined.euler_number}
    if _within(found.pieces, pieces) and _within(found.euler_number, euler_numbers):
        return
    of = f'of ROI "{name}"' if name else "of the ROIs"
    text = f"the surface {of} has {_told(found)}, its contours suggest {_told(wanted)}: {_what(found, wanted)}"
    findings.sentence(Rank.CHANGED_SHAPE, name, text)


def _within(value: int, values: set[int]) -> bool:
    return min(values) <= value <= max(values)


def _told(of: Suggested) -> str:
    return f"{of.pieces} piece{'s' * (of.pieces != 1)} and Euler number {of.euler_number}"


def _what(found: Suggested, wanted: Suggested) -> str:
    if found.pieces > wanted.pieces:
        return "where it is thin it is torn"
    if found.pieces < wanted.pieces:
        return "parts are lost, or joined where they are near each other"
    if found.euler_number < wanted.euler_number:
        return "it has openings that they do not have, or lacks cavities that they have"
    return "openings that they have are closed, or cavities came about"
