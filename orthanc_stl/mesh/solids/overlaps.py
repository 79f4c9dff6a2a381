"""Bodies of one mesh that lie in each other: its volume counts what they share several times."""

from __future__ import annotations

import manifold3d
import numpy as np

from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.mesh.intersections import overlapping_boxes
from orthanc_stl.mesh.pieces import pieces_of
from orthanc_stl.mesh.solids.booleans import manifold_of, middle_of
from orthanc_stl.mesh.triangles import chosen_part
from orthanc_stl.mesh.types import Mesh

OVERLAP = 1e-3
"""A fraction of the volume: less of it may be shared by rounding, of bodies that touch."""

MOST_BODIES = 500
"""Whose boxes overlap: more are not looked at, as their union would take seconds."""


def sentence_on_overlaps(mesh: Mesh) -> str:
    """What is to be told of a closed mesh whose bodies overlap; empty if they do not, or if it cannot be known."""
    total, counted_again = _volumes(mesh)
    if counted_again <= OVERLAP * total:
        return ""
    return (
        f"bodies of the surface lie in each other: {counted_again / 1000:.4g} of its {total / 1000:.4g} mL are counted "
        "more than once"
    )


def _volumes(mesh: Mesh) -> tuple[float, float]:
    """mm³: of all bodies by themselves, and how much of that their union has not."""
    pieces = pieces_of(mesh)
    total = sum(piece.volume for piece in pieces)
    if len(pieces) < 2:
        return total, 0.0
    corners = [mesh.vertices[mesh.triangles[piece.triangles]].reshape(-1, 3) for piece in pieces]
    boxes = np.array([(points.min(axis=0), points.max(axis=0)) for points in corners])
    try:
        near = np.unique(overlapping_boxes(boxes[:, 0], boxes[:, 1]))
    except TooLarge:
        return total, 0.0
    if not 1 < len(near) <= MOST_BODIES:
        return total, 0.0
    origin, bodies = middle_of([mesh]), []
    for place in near.tolist():
        chosen = np.zeros(len(mesh.triangles), bool)
        chosen[pieces[place].triangles] = True
        try:
            bodies.append(manifold_of(chosen_part(mesh, chosen), origin))
        except InvalidInput:  # a body inside out, of which something else is told
            return total, 0.0
    alone = sum(body.volume() for body in bodies)
    return total, alone - manifold3d.Manifold.batch_boolean(bodies, manifold3d.OpType.Add).volume()
