"""Which image series a volume belongs to, by geometry: a NIfTI does not name its DICOM images.

PS3.3 C.7.6.2.1.1: the centre of the pixel in column i, row j of an image is at `ImagePositionPatient
+ i * PixelSpacing[1] * ImageOrientationPatient[:3] + j * PixelSpacing[0] * ImageOrientationPatient[3:]`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from orthanc_stl.dicom.study_context import Reference

_TEXTS = (
    "SeriesInstanceUID", "SeriesDescription", "SOPClassUID", "FrameOfReferenceUID", "PixelSpacing", "Rows", "Columns",
)  # fmt: skip

TOLERANCE = 0.1
"""A fraction of the smallest side of a voxel: how far apart the corners of a volume and of a series may be, and a slice
from its place. A NIfTI's affine has float32 numbers, DICOM's positions four to six decimals."""


@dataclass(frozen=True)
class ImageSeries:
    """Parallel, equidistant slices. `affine` takes (column, row, slice) to LPS mm; `shape` is how many there are."""

    description: str
    frame_of_reference_uid: str
    references: tuple[Reference, ...]
    affine: np.ndarray
    shape: tuple[int, int, int]


def image_series(candidates: Iterable[Mapping[str, Any]]) -> list[ImageSeries]:
    """The regular volumes among some series, each described by texts as Orthanc gives them.

    A candidate has `SeriesInstanceUID`, `SeriesDescription`, `SOPClassUID`, `FrameOfReferenceUID`, `PixelSpacing`,
    `Rows`, `Columns`, and `Slices`, a list of (SOPInstanceUID, ImagePositionPatient, ImageOrientationPatient). What is
    no volume is left out; of a series that holds several, a scout in another plane say, each is one.
    """
    found = []
    for candidate in candidates:
        text = {name: str(candidate.get(name, "")).strip("\0 ") for name in _TEXTS}
        slices = candidate.get("Slices")
        by_orientation: dict[str, list[tuple[np.ndarray, str]]] = {}
        for uid, at, orientation in slices if isinstance(slices, list) else ():
            position = _numbers(at, 3)
            if position is not None:
                by_orientation.setdefault(str(orientation), []).append((position, str(uid)))
        found += [_series(text, orientation, group) for orientation, group in by_orientation.items()]
    return [series for series in found if series is not None]


def matching(series: Sequence[ImageSeries], affine: np.ndarray, shape: tuple[int, int, int]) -> ImageSeries | None:
    """The first series with the voxels of a volume, however that is turned. `affine` takes its indices to LPS mm."""
    return next((one for one in series if _same_voxels(one, affine, shape)), None)


def _series(text: Mapping[str, str], orientation: str, slices: list[tuple[np.ndarray, str]]) -> ImageSeries | None:
    cosines, spacing = _numbers(orientation, 6), _numbers(text["PixelSpacing"], 2)
    if cosines is None or spacing is None or len(slices) < 2 or not text["FrameOfReferenceUID"]:
        return None
    if not all(text[name].isdecimal() and int(text[name]) > 0 for name in ("Rows", "Columns")):
        return None
    along_row, along_column = cosines[:3], cosines[3:]
    normal = np.cross(along_row, along_column)
    slices = sorted(slices, key=lambda item: float(item[0] @ normal))
    positions = np.array([position for position, _ in slices])
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    places = positions[0] + np.arange(len(slices))[:, None] * step
    smallest = min(float(spacing.min()), float(np.linalg.norm(step)))
    if smallest <= 0 or np.abs(positions - places).max() > TOLERANCE * smallest:
        return None
    affine = np.eye(4)
    affine[:3] = np.column_stack((along_row * spacing[1], along_column * spacing[0], step, positions[0]))
    if abs(np.linalg.det(affine)) < 1e-6 * smallest**3:
        return None
    return ImageSeries(
        text["SeriesDescription"],
        text["FrameOfReferenceUID"],
        tuple(Reference(text["SOPClassUID"], uid, text["SeriesInstanceUID"]) for _, uid in slices),
        affine,
        (int(text["Columns"]), int(text["Rows"]), len(slices)),
    )


def _same_voxels(series: ImageSeries, affine: np.ndarray, shape: tuple[int, int, int]) -> bool:
    """Whether the corner voxels of both coincide, and the edges between them have as many voxels."""
    corners = np.array(list(itertools.product((0, 1), repeat=3)))
    ours = _placed(affine, corners * (np.array(shape) - 1))
    indices = (ours - series.affine[:3, 3]) @ np.linalg.inv(series.affine[:3, :3]).T
    last = np.array(series.shape) - 1
    nearest = np.where(indices > last / 2, last, 0)
    if (
        np.abs(ours - _placed(series.affine, nearest)).max()
        > TOLERANCE * np.linalg.norm(series.affine[:3, :3], axis=0).min()
    ):
        return False
    edges = nearest[[4, 2, 1]] - nearest[0]  # along our first, second and third index
    straight = (np.count_nonzero(edges, axis=1) <= 1).all() and (np.abs(edges).sum(axis=1) == np.array(shape) - 1).all()
    return bool(straight) and sorted(shape) == sorted(series.shape)


def _placed(affine: np.ndarray, indices: np.ndarray) -> np.ndarray:
    return indices @ affine[:3, :3].T + affine[:3, 3]


def _numbers(text: object, count: int) -> np.ndarray | None:
    try:
        values = np.array([float(part) for part in str(text).split("\\")])
    except ValueError:
        return None
    return values if len(values) == count and np.isfinite(values).all() and np.abs(values).max() < 1e6 else None
