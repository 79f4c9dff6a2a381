"""Pictures of models, without a display: for icons, thumbnails and previews.

A depth buffer in numpy. VTK's wheel draws without a display only where libEGL and a driver are installed, which a bare
image of Python or Debian lacks, and a driver that fails takes the process with it; this needs nothing, draws 30,000
triangles at 128 x 128 in 0.05 s, and gives the same picture everywhere.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

from orthanc_stl.formats.scene import color_of, written_parts
from orthanc_stl.mesh.triangles import vertex_normals
from orthanc_stl.model import Color, Model, Part

SAMPLES = 2
"""Along each side of a pixel: edges are smooth."""

MOST_SAMPLES = 1 << 22
"""Looked at for a part, and as many as four pictures have; beyond, the part is drawn coarser."""

AZIMUTH, ELEVATION = np.radians(25), np.radians(15)
"""The eye is in front of the patient, a little to the patient's left and above."""

MARGIN = 0.04
_PIECE = 1 << 15
_AMBIENT = 0.3
_LIGHT = np.array([-0.35, 0.45, 0.82])
"""From where the light comes, in the picture's directions: right, up, towards the eye."""


def picture(model: Model, width: int, height: int, background: Color | None = None) -> np.ndarray:
    """The model seen from the front, `(height, width, 3) uint8` before `background`, else `(height, width, 4)`.

    Raises InvalidInput for a model without triangles. Sizes are 1 to 4096.
    """
    if not (1 <= width <= 4096 and 1 <= height <= 4096):
        raise ValueError(f"a picture has 1 to 4096 pixels a side, not {width} x {height}")
    parts = written_parts(model)
    size = (height * SAMPLES, width * SAMPLES)
    turned = [part.mesh.vertices.astype(np.float32) @ _axes().T for part in parts]
    places = _fitted(turned, size)
    depth = np.full(size, -np.inf, np.float32)
    colors = np.zeros((*size, 4), np.float32)
    whole = [place for place, part in enumerate(parts) if part.opacity >= 1]
    # What is seen through comes after what is not, the farthest first.
    rest = sorted(set(range(len(parts))) - set(whole), key=lambda place: float(places[place][:, 2].mean()))
    for place in (*whole, *rest):
        own_depth, shade = _drawn(parts[place], places[place], size)
        seen = own_depth > depth
        _blend(colors, seen, shade, parts[place])
        if parts[place].opacity >= 1:
            depth[seen] = own_depth[seen]
    return _finished(colors, width, height, background)


def png(image: np.ndarray) -> bytes:
    """A picture as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def _axes() -> np.ndarray:
    """Rows: the picture's right, its up, and towards the eye, in LPS. Straight on they are left, head and front."""
    sine, cosine = np.sin(AZIMUTH), np.cos(AZIMUTH)
    front = np.array([sine * np.cos(ELEVATION), -cosine * np.cos(ELEVATION), np.sin(ELEVATION)])
    right = np.array([cosine, sine, 0])
    return np.stack([right, np.cross(front, right), front]).astype(np.float32)


def _fitted(turned: list[np.ndarray], size: tuple[int, int]) -> list[np.ndarray]:
    """Places in the picture (x to the right, y down, in samples), with the distance towards the eye as the third."""
    low = np.min([points.min(axis=0) for points in turned], axis=0)
    high = np.max([points.max(axis=0) for points in turned], axis=0)
    extent = np.maximum(high - low, 1e-6)[:2]
    height, width = size
    scale = (1 - 2 * MARGIN) * min(width / extent[0], height / extent[1])
    middle = (low + high) / 2
    factors = np.array([scale, -scale, scale], np.float32)
    shift = np.array([width / 2, height / 2, 0], np.float32)
    return [(points - middle) * factors + shift for points in turned]


def _drawn(part: Part, places: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The depth of the part's nearest surface, -inf where there is none, and how bright it is there."""
    triangles = part.mesh.triangles
    corners = places[triangles]
    light = (_LIGHT / np.linalg.norm(_LIGHT)).astype(np.float32)
    facing = vertex_normals(part.mesh) @ _axes().T @ light
    outward = part.closed and part.volume_ml > 0
    bright = _AMBIENT + (1 - _AMBIENT) * (facing.clip(0) if outward else np.abs(facing))
    if outward:  # what faces away is behind what faces the eye
        a, b = corners[:, 1, :2] - corners[:, 0, :2], corners[:, 2, :2] - corners[:, 0, :2]
        front = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] < 0
        triangles, corners = triangles[front], corners[front]
    coarser = _coarser(corners, size)
    small = (-(-size[0] // coarser), -(-size[1] // coarser))
    corners = corners / np.array([coarser, coarser, 1], np.float32)
    depth = np.full(small[0] * small[1], -np.inf, np.float32)
    shade = np.zeros(small[0] * small[1], np.float32)
    for pixels, near, value in _samples(corners, bright[triangles], small):
        order = np.lexsort((near, pixels))
        last = np.flatnonzero(np.diff(pixels[order], append=-1))
        order = order[last]
        pixels, near, value = pixels[order], near[order], value[order]
        nearer = near > depth[pixels]
        depth[pixels[nearer]], shade[pixels[nearer]] = near[nearer], value[nearer]
    return _enlarged(depth.reshape(small), coarser, size), _enlarged(shade.reshape(small), coarser, size)


def _boxes(corners: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The samples whose centres a triangle may cover: the first (n, 2), and how many (n, 2), both x before y."""
    most = np.array([size[1], size[0]])
    low = np.ceil(corners[:, :, :2].min(axis=1) - 0.5).clip(0, most).astype(np.int64)
    high = np.floor(corners[:, :, :2].max(axis=1) - 0.5).clip(-1, most - 1).astype(np.int64)
    return low, np.maximum(high - low + 1, 0)


def _coarser(corners: np.ndarray, size: tuple[int, int]) -> int:
    """By how much a part is drawn coarser, so that the work on it is bounded whatever its triangles are."""
    _, counts = _boxes(corners, size)
    total = float(counts.prod(axis=1).sum())
    most = MOST_SAMPLES + 4 * size[0] * size[1]
    return 1 if total <= most else min(int(np.ceil(np.sqrt(total / most))), *size)


def _samples(
    corners: np.ndarray, bright: np.ndarray, size: tuple[int, int]
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The samples that triangles cover, in pieces: their places in the flat picture, depth and brightness."""
    low, counts = _boxes(corners, size)
    total = counts.prod(axis=1)
    kept = np.flatnonzero(total)
    ends = np.cumsum(total[kept])
    start = 0
    while start < len(kept):
        done = int(ends[start - 1]) if start else 0
        stop = max(int(np.searchsorted(ends, done + _PIECE, side="right")), start + 1)
        piece = kept[start:stop]
        owner = np.repeat(piece, total[piece])
        within = np.arange(len(owner)) - np.repeat(ends[start:stop] - total[piece] - done, total[piece])
        x = low[owner, 0] + within % counts[owner, 0]
        y = low[owner, 1] + within // counts[owner, 0]
        weights, inside = _weights(corners[owner], x + 0.5, y + 0.5)
        weights, owner = weights[inside], owner[inside]
        near = (weights * corners[owner, :, 2]).sum(axis=1)
        yield (y[inside] * size[1] + x[inside]), near, (weights * bright[owner]).sum(axis=1)
        start = stop


def _weights(corners: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Barycentric coordinates (n, 3) of points in triangles (n, 3, 3), and which of them are inside."""
    a, b, c = (corners[:, place, :2].astype(np.float64) for place in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    second = (x - a[:, 0]) * (c[:, 1] - a[:, 1]) - (y - a[:, 1]) * (c[:, 0] - a[:, 0])
    third = (b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (b[:, 1] - a[:, 1]) * (x - a[:, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.stack([area - second - third, second, third], axis=1) / area[:, None]
    return weights, (weights >= 0).all(axis=1)


def _enlarged(small: np.ndarray, times: int, size: tuple[int, int]) -> np.ndarray:
    return small.repeat(times, 0).repeat(times, 1)[: size[0], : size[1]] if times > 1 else small


def _blend(colors: np.ndarray, seen: np.ndarray, shade: np.ndarray, part: Part) -> None:
    """The part's color over what is there; colors are premultiplied by their alpha."""
    opacity = part.opacity
    color = np.append(np.array(color_of(part), np.float32) / 255, 1).astype(np.float32)
    new = np.tile(color, (int(seen.sum()), 1))
    new[:, :3] *= shade[seen][:, None]
    colors[seen] = new * opacity + colors[seen] * (1 - opacity)


def _finished(colors: np.ndarray, width: int, height: int, background: Color | None) -> np.ndarray:
    """The means of the samples of each pixel."""
    mean = colors.reshape(height, SAMPLES, width, SAMPLES, 4).mean(axis=(1, 3))
    alpha = mean[..., 3:]
    if background is not None:
        behind = np.array(background, np.float32) / 255
        return np.rint((mean[..., :3] + behind * (1 - alpha)) * 255).clip(0, 255).astype(np.uint8)
    plain = np.divide(mean[..., :3], alpha, out=np.zeros_like(mean[..., :3]), where=alpha > 0)
    return np.rint(np.concatenate([plain, alpha], axis=-1) * 255).clip(0, 255).astype(np.uint8)
