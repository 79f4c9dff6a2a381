"""3D models of structures in medical images: from RT-STRUCT, DICOM SEG, label maps and more to STL, GLB, 3MF, OBJ, PLY.

    >>> import orthanc_stl as stl
    >>> structures = stl.read("rtss.dcm")                                # doctest: +SKIP
    >>> model = structures.mesh(["Heart", "Aorta"], resolution=256)      # doctest: +SKIP
    >>> model["Heart"].volume_ml, model["Heart"].closed                  # doctest: +SKIP
    >>> model.save("heart.glb")                                          # doctest: +SKIP

docs/python.md shows more. The names below are the public ones; they are imported when they are first used, so that
`import orthanc_stl` costs nothing in the Orthanc process.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orthanc_stl.api import (
        Model,
        Structures,
        compare,
        read,
        surface_from_contours,
        surface_from_volume,
    )
    from orthanc_stl.errors import InvalidInput, StlError
    from orthanc_stl.model import Part, Structure

__version__ = "0.1.0"

__all__ = [
    "InvalidInput",
    "Model",
    "Part",
    "StlError",
    "Structure",
    "Structures",
    "__version__",
    "compare",
    "read",
    "surface_from_contours",
    "surface_from_volume",
]

_HOMES = {
    "InvalidInput": "errors",
    "StlError": "errors",
    "Part": "model",
    "Structure": "model",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"orthanc_stl.{_HOMES.get(name, 'api')}"), name)
