"""The public API for notebooks and scripts: files in, models out. `orthanc_stl` exports it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.choose import Skipped
from orthanc_stl.conversion.options import SOURCE_OPTIONS
from orthanc_stl.conversion.request import OPTIONS, ConversionRequest
from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.registry import WRITERS, how_to_write, writer_of_name
from orthanc_stl.mesh.compare import Comparison
from orthanc_stl.mesh.compare import compare as compare_meshes
from orthanc_stl.mesh.contours import build as contours
from orthanc_stl.mesh.contours.contour import Contour, RoiContours
from orthanc_stl.mesh.progress import Progress, no_progress
from orthanc_stl.mesh.types import Note
from orthanc_stl.mesh.volumes import build as volumes
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.model import Model as BaseModel
from orthanc_stl.model import Part, Structure
from orthanc_stl.sources.base import OpenSource, ReadOptions
from orthanc_stl.sources.registry import open_files

Points = np.ndarray | Sequence[Sequence[float]]
"""`(n, 3)` in LPS mm: an array, or lists."""


@dataclass(frozen=True)
class Model(BaseModel):
    """Parts in one frame of reference, in LPS mm. `model["Heart"]` is a part by its name or number.

    `skipped`: structures that could not be made, with the reason; `notes`: what was changed, guessed or left out,
    `notes_on_choice` when structures were chosen.
    """

    skipped: tuple[Skipped, ...] = ()
    notes_on_choice: tuple[Note, ...] = ()

    @property
    def notes(self) -> tuple[Note, ...]:
        return (*self.notes_on_choice, *(note for part in self.parts for note in part.notes))

    def save(self, path: str | Path, *, compress: bool = False) -> None:
        """Write the file that the suffix names: .stl, .glb, .3mf, .ply, .obj, .obj.zip, .stl.zip.

        `compress`: a smaller .glb, which fewer programs read. Raises InvalidInput for another suffix.
        """
        path = Path(path)
        writer = writer_of_name(path.name)
        if writer is None:
            known = ", ".join(f".{one.suffix}" for one in WRITERS)
            raise InvalidInput(f"{path.name} has no suffix of a format that is written here: {known}")
        path.write_bytes(writer.write(self, how_to_write(writer, compress=compress)))


class Structures:
    """The structures that a file has. Iterating gives each `Structure`."""

    def __init__(self, source: OpenSource, fields: Mapping[str, Any]) -> None:
        self._source = source
        self._fields = dict(fields)

    def __iter__(self) -> Iterator[Structure]:
        return iter(self._source.structures)

    def __len__(self) -> int:
        return len(self._source.structures)

    @property
    def names(self) -> list[str]:
        return [structure.name for structure in self._source.structures]

    def mesh(
        self,
        structures: Sequence[str | int] | str | int | None = None,
        *,
        union: bool = False,
        progress: Progress = no_progress,
        **options: Any,
    ) -> Model:
        """A model of these structures, by name or number (default: all that can be used), a part each.

        `union`: one part of them all. `options`: those of `ConversionRequest`: `resolution`, `smooth`, `end_caps`,
        `tolerance` (mm), `triangles`, `keep_largest`, `min_volume_ml`, `strict`, and those of docs/printing.md:
        `unite`, `subtract`, `intersect`, `fill_cavities`, `smooth_mm`, `margin`, `shell`, `mirror`, `mirror_at`,
        `label`, `cut`, and `scale`, which needs `tags={"ModelModification": "YES"}`.
        Raises InvalidInput for an unknown structure or option, and if nothing can be made.
        """
        known = {"tags", *(option.field for option in OPTIONS)} - {"structures", "all", "separate", "replace"}
        unknown = sorted(options.keys() - known)
        if unknown:
            raise InvalidInput(f"mesh() has no option {unknown[0]!r}; it has {', '.join(sorted(known))}")
        chosen = [structures] if isinstance(structures, str | int) else structures
        request = ConversionRequest(
            structures=tuple(chosen or ()), all=not chosen, separate=not union, fields=self._fields, **options
        )
        result = build_model(self._source, request, progress)
        model = result.model
        return Model(
            model.parts,
            model.title,
            model.frame_of_reference_uid,
            model.parameters,
            skipped=result.skipped,
            notes_on_choice=result.notes,
        )


def read(*paths: str | Path | bytes, **fields: Any) -> Structures:
    """The structures of a file: RT-STRUCT, DICOM SEG, RTDOSE, NIfTI, NRRD, STL, OBJ, PLY, GLB, ...

    Further `paths` are what the first one needs: the RT Plan of a dose, the MTL of an OBJ. Several NIfTI or NRRD files
    are a mask each, a structure named after its file. `fields` are those of the
    kind of file, in the names of the REST API: `Levels=[30, "95%"]`, `LabelNames={"1": "liver"}`, `Threshold=300`.
    Raises InvalidInput for what is none of these or is damaged, and for an unknown field.
    """
    unknown = sorted(fields.keys() - SOURCE_OPTIONS.keys() - {"FileNames"})
    if unknown:
        raise InvalidInput(f"read() has no field {unknown[0]!r}; it has {', '.join(sorted(SOURCE_OPTIONS))}")
    files = [path if isinstance(path, bytes) else Path(path).read_bytes() for path in paths]
    if not files:
        raise InvalidInput("read() needs a path, got none")
    names = ["" if isinstance(path, bytes) else Path(path).name for path in paths]
    named = {"FileNames": names, **fields} if len(files) > 1 and all(names) else fields
    return Structures(open_files(files, ReadOptions(fields=named), name=names[0]), fields)


def surface_from_contours(outlines: Sequence[Points], *, name: str = "structure", **options: Any) -> Part:
    """The closed surface of closed planar polygons, each `(n, 3)` in LPS mm, in any order and direction.

    `options`: `resolution`, `smooth`, `end_caps`. Raises InvalidInput for a wrong shape, and if nothing is enclosed.

    >>> square = [[0, 0], [10, 0], [10, 10], [0, 10]]
    >>> box = surface_from_contours([[(x, y, z) for x, y in square] for z in range(0, 30, 3)], smooth=False)
    >>> round(box.volume_ml, 2), box.closed
    (3.0, True)
    """
    found = [Contour(_points(points, number), number) for number, points in enumerate(outlines, start=1)]
    if not found:
        raise InvalidInput("surface_from_contours() needs at least one polygon, got none")
    surface = contours.surface_from_contours([RoiContours(1, name, tuple(found))], **options)
    return Part(1, name, surface.mesh, surface.report, notes=surface.report.notes)


def surface_from_volume(
    values: np.ndarray, affine: np.ndarray | None = None, *, name: str = "structure", **options: Any
) -> Part:
    """The closed surface of a mask, a label map (`labels=[3]`) or a grey volume (`threshold=300`).

    `values` is (nx, ny, nz) of any real type; `affine` is (4, 4): voxel index to LPS mm (default: voxels of 1 mm).
    Raises InvalidInput for a wrong shape, and if nothing is inside.

    >>> import numpy as np
    >>> cube = np.pad(np.ones((10, 10, 10), np.uint8), 2)
    >>> round(surface_from_volume(cube, smooth=False).volume_ml, 2)
    1.0
    """
    expected = "surface_from_volume() needs a (nx, ny, nz) array of real numbers"
    array = _array(values, expected)
    if array.ndim != 3 or array.dtype.kind not in "buif":
        raise InvalidInput(f"{expected}, got {_shape(array)}")
    expected = "the affine must be an invertible (4, 4) array"
    matrix = np.eye(4) if affine is None else _array(affine, expected, np.float64)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:3, :3])) < 1e-12:
        raise InvalidInput(f"{expected}, got {_shape(matrix)}")
    stored = array.astype(np.uint8) if array.dtype.kind == "b" else array
    surface = volumes.surface_from_volume(Volume(stored, matrix), **options)
    return Part(1, name, surface.mesh, surface.report, notes=surface.report.notes)


def compare(a: Part, b: Part) -> Comparison:
    """Dice, volume difference and surface distances of two closed parts in one frame of reference.

    Raises InvalidInput for a part that is not closed. docs/accuracy.md defines each figure.
    """
    return compare_meshes(a.mesh, b.mesh)


def _points(points: Points, number: int) -> np.ndarray:
    expected = f"polygon {number} must be a list of points (n, 3) in mm"
    array = _array(points, expected, np.float64)
    if array.ndim != 2 or array.shape[1] != 3:
        raise InvalidInput(f"{expected}, got {_shape(array)}")
    return array


def _array(values: Any, expected: str, dtype: Any = None) -> np.ndarray:
    try:
        return np.asarray(values, dtype)
    except (TypeError, ValueError):
        got = f"a {type(values).__name__} of values that are no numbers, or of rows of different lengths"
        raise InvalidInput(f"{expected}, got {got}") from None


def _shape(array: np.ndarray) -> str:
    return f"{array.dtype} of shape {array.shape}"


__all__ = ["Model", "Structures", "compare", "read", "surface_from_contours", "surface_from_volume"]
