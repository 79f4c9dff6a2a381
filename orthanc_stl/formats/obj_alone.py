"""Wavefront OBJ by itself: for programs that take one file. Names stay, colours do not, since they are in the MTL."""

from __future__ import annotations

from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.obj import obj_alone
from orthanc_stl.model import Model


def write(model: Model, options: WriteOptions) -> bytes:
    """Coordinates are written so that they read back the same. Raises InvalidInput for no triangles."""
    return obj_alone(model)
