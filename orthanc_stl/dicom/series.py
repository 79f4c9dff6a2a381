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

from orthanc_stl.dicom.source import Reference

# The attributes of an instance that `image_series` looks at, as Orthanc's REST API gives them: texts.
REQUESTED_TAGS = (
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "ImagePositionPatient",
    "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns",
)  # fmt: skip

# How far apart the corners of a volume and of a series may be, and a slice from its place: a NIfTI's affine has
# float32 numbers, DICOM's positions four to six decimals; a slice is thicker by far.
TOLERANCE_MM = 0.1


@dataclass(frozen=True)
class ImageSeries:
    """Parallel, equidistant slices. `affine` takes (column, row, slice) to LPS mm; `shape` is how many there are."""

    frame_of_reference_uid: str
    references: tuple[Reference, ...]
    affine: np.ndarray
    shape: tuple[int, int, int]


def image_series(instances: Iterable[Mapping[str, Any]]) -> list[ImageSeries]:
    """The series that are regular volumes, of the given instances: texts of the `REQUESTED_TAGS` of each.

    Instances that are no images, and series that are no volumes, are left out.
    """
    groups: dict[tuple[str, ...], list[tuple[np.ndarray, Reference]]] = {}
    for tags in instances:
        text = {name: str(tags.get(name, "")).strip("\0 ") for name in REQUESTED_TAGS}
        position = _numbers(text["ImagePositionPatient"], 3)
        if position is not None and text["FrameOfReferenceUID"]:
            reference = Reference(text["SOPClassUID"], text["SOPInstanceUID"], text["SeriesInstanceUID"])
            # One series may hold several volumes: a scout in another plane, another field of view.
            same = ("SeriesInstanceUID", "FrameOfReferenceUID", *REQUESTED_TAGS[5:])
            groups.setdefault(tuple(text[name] for name in same), []).append((position, reference))
    found = (_series(key, slices) for key, slices in groups.items())
    return [series for series in found if series is not None]


def matching(series: Sequence[ImageSeries], affine: np.ndarray, shape: tuple[int, int, int]) -> ImageSeries | None:
    """The first series with the voxels of a volume, however that is turned. `affine` takes its indices to LPS mm."""
    return next((one for one in series if _same_voxels(one, affine, shape)), None)


def _series(key: tuple[str, ...], slices: list[tuple[np.ndarray, Reference]]) -> ImageSeries | None:
    orientation, spacing = _numbers(key[2], 6), _numbers(key[3], 2)
    if orientation is None or spacing is None or not (key[4].isdigit() and key[5].isdigit()) or len(slices) < 2:
        return None
    along_row, along_column = orientation[:3], orientation[3:]
    normal = np.cross(along_row, along_column)
    slices = sorted(slices, key=lambda item: float(item[0] @ normal))
    positions = np.array([position for position, _ in slices])
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    places = positions[0] + np.arange(len(slices))[:, None] * step
    if np.abs(positions - places).max() > TOLERANCE_MM or np.linalg.norm(step) <= TOLERANCE_MM:
        return None
    affine = np.eye(4)
    affine[:3] = np.column_stack((along_row * spacing[1], along_column * spacing[0], step, positions[0]))
    if abs(np.linalg.det(affine)) < 1e-6:
        return None
    references = tuple(reference for _, reference in slices)
    return ImageSeries(key[1], references, affine, (int(key[5]), int(key[4]), len(slices)))


def _same_voxels(series: ImageSeries, affine: np.ndarray, shape: tuple[int, int, int]) -> bool:
    """Whether the corner voxels of both coincide, and the edges between them have as many voxels."""
    corners = np.array(list(itertools.product((0, 1), repeat=3)))
    ours = _placed(affine, corners * (np.array(shape) - 1))
    indices = (ours - series.affine[:3, 3]) @ np.linalg.inv(series.affine[:3, :3]).T
    last = np.array(series.shape) - 1
    nearest = np.where(indices > last / 2, last, 0)
    if np.abs(ours - _placed(series.affine, nearest)).max() > TOLERANCE_MM:
        return False
    edges = nearest[[4, 2, 1]] - nearest[0]  # along our first, second and third index
    straight = (np.count_nonzero(edges, axis=1) <= 1).all() and (np.abs(edges).sum(axis=1) == np.array(shape) - 1).all()
    return bool(straight) and sorted(shape) == sorted(series.shape)


def _placed(affine: np.ndarray, indices: np.ndarray) -> np.ndarray:
    return indices @ affine[:3, :3].T + affine[:3, 3]


def _numbers(text: str, count: int) -> np.ndarray | None:
    try:
        values = np.array([float(part) for part in text.split("\\")])
    except ValueError:
        return None
    return values if len(values) == count and np.isfinite(values).all() and np.abs(values).max() < 1e6 else None
