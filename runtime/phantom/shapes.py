"""The torso as implicit functions: negative inside, positive outside, roughly in mm, of a point in LPS millimetres.

x grows to the patient's left, y to the back, z to the head. This is made to look like anatomy, not to be relied on.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Field = np.ndarray
Shape = Callable[[Field, Field, Field], Field]
EDGE = 4.0  # mm: nobody draws tips that are thinner than a pixel


def ellipsoid(centre: tuple[float, float, float], axes: tuple[float, float, float], turn_degrees: float = 0.0) -> Shape:
    """`turn_degrees` about z, from the patient's left to the back."""
    cosine, sine = np.cos(np.radians(turn_degrees)), np.sin(np.radians(turn_degrees))

    def field(x: Field, y: Field, z: Field) -> Field:
        u, v, w = x - centre[0], y - centre[1], z - centre[2]
        u, v = cosine * u + sine * v, cosine * v - sine * u
        return (np.sqrt((u / axes[0]) ** 2 + (v / axes[1]) ** 2 + (w / axes[2]) ** 2) - 1) * min(axes)

    return field


def tube(points: list[tuple[float, float, float]], radius: float) -> Shape:
    """Around a line through these points."""
    line = np.array(points, dtype=float)

    def field(x: Field, y: Field, z: Field) -> Field:
        nearest = np.full(np.broadcast(x, y, z).shape, np.inf)
        for (ax, ay, az), (dx, dy, dz) in zip(line[:-1], np.diff(line, axis=0), strict=True):
            u, v, w = x - ax, y - ay, z - az
            along = np.clip((u * dx + v * dy + w * dz) / (dx * dx + dy * dy + dz * dz), 0, 1)
            nearest = np.minimum(nearest, (u - along * dx) ** 2 + (v - along * dy) ** 2 + (w - along * dz) ** 2)
        return np.sqrt(nearest) - radius

    return field


def blend(*shapes: Shape, softness: float) -> Shape:
    """Their union, with the creases rounded over `softness` mm."""

    def field(x: Field, y: Field, z: Field) -> Field:
        fields = np.stack([shape(x, y, z) for shape in shapes])
        nearest = fields.min(axis=0)
        return nearest - softness * np.log(np.exp((nearest - fields) / softness).sum(axis=0))

    return field


def common(*shapes: Shape, softness: float) -> Shape:
    """What lies in all of them, with the edges rounded over `softness` mm."""

    def outside(shape: Shape) -> Shape:
        return lambda x, y, z: -shape(x, y, z)

    return outside(blend(*map(outside, shapes), softness=softness))


def without(shape: Shape, *others: Shape, margin: float = 0.0) -> Shape:
    """`shape` less the others, which are widened by `margin` mm, with the edges rounded over EDGE mm."""

    def outside(other: Shape) -> Shape:
        return lambda x, y, z: margin - other(x, y, z)

    return common(shape, *map(outside, others), softness=EDGE)


def remembered(shape: Shape) -> Shape:
    """The same shape, which asked again about the same slice answers from memory: most others are cut by it."""
    last: list[Field] = []

    def field(x: Field, y: Field, z: Field) -> Field:
        if not last or last[0] is not z:
            last[:] = [z, shape(x, y, z)]
        return last[1]

    return field


def _body(x: Field, y: Field, z: Field) -> Field:
    shoulders = 1 / (1 + np.exp(-(z - 95) / 9))
    waist = 1 - 0.10 * np.exp(-(((z + 110) / 60) ** 2))
    width, depth = 168 * waist * (1 - 0.16 * shoulders), 112 * waist * (1 - 0.24 * shoulders)
    breast = 7 * np.exp(-(((np.abs(x) - 62) / 38) ** 2) - ((z - 15) / 38) ** 2)
    radius = (np.abs(x / width) ** 2.5 + np.abs(y / (depth + breast * (y < 0))) ** 2.5) ** (1 / 2.5)
    return (radius - 1) * depth


def _lung(side: int) -> Shape:
    """`side` is +1 for the left lung, -1 for the right: a dome on the diaphragm, hollowed towards the middle."""
    outer = ellipsoid((side * 74, 8, -25), (60, 80, 128))

    def below_diaphragm(x: Field, y: Field, z: Field) -> Field:
        return -92 + (34 if side > 0 else 44) * np.clip(1 - ((x - side * 70) / 66) ** 2 - (y / 92) ** 2, 0, None) - z

    return without(common(outer, below_diaphragm, softness=3 * EDGE), heart, spine, margin=5.0)


def _spine(x: Field, y: Field, z: Field) -> Field:
    height = np.abs((z + 400) % 26 - 13)  # vertebrae are 26 mm apart, waisted, with a disc between them
    body = np.hypot(x / 1.15, y - 58) - (19 - 3.0 * np.cos(height / 13 * np.pi))
    process = ellipsoid((0, 92, 0), (6, 17, 1e6))(x, y, z) + 1.2 * (13 - height)
    arch = np.abs(np.hypot(x, y - 84) - 13) - 4.0
    return np.stack([body, process, arch + 0.5 * (13 - height)]).min(axis=0)


def _ribs(x: Field, y: Field, z: Field) -> Field:
    shell = np.abs(body(x, y, z) + 17) - 4.5
    slope = z - 0.42 * (y - 60) + 400  # ribs fall towards the front
    return np.stack([shell, np.abs(slope % 27 - 13.5) - 5.5, z - 92, -z - 88]).max(axis=0)


def _tumour(x: Field, y: Field, z: Field) -> Field:
    u, v, w = x + 82, y - 2, z - 12
    bumps = 2.2 * np.sin(u / 4.1) * np.sin(v / 4.7 + 1) * np.sin(w / 4.4 + 2)
    return np.sqrt(u * u + v * v + w * w) - 23 + bumps


body: Shape = remembered(_body)
spine: Shape = remembered(_spine)
ribs: Shape = _ribs
cord: Shape = tube([(0, 84, -1000), (0, 84, 1000)], 7.0)
heart: Shape = remembered(
    blend(
        ellipsoid((30, -28, -42), (50, 36, 40), 28),  # left ventricle
        ellipsoid((2, -46, -38), (44, 27, 36), 18),  # right ventricle
        ellipsoid((22, 2, -8), (32, 21, 24), 10),  # left atrium
        ellipsoid((-28, -20, -16), (24, 27, 32)),  # right atrium
        tube([(4, -22, -15), (-7, -26, 15), (-6, -22, 40), (4, -8, 55), (16, 14, 54), (20, 34, 22)], 12.5),  # aorta
        tube([(6, -46, -20), (14, -40, 8), (20, -22, 26), (34, -8, 30)], 11),  # pulmonary artery
        tube([(-28, -16, -10), (-24, -14, 55)], 9),  # upper vena cava
        softness=3.0,
    )
)
tumour_cavity: Shape = ellipsoid((-80, 0, 12), (11, 9, 11))
tumour: Shape = without(_tumour, tumour_cavity)
lung_left: Shape = remembered(_lung(+1))
lung_right: Shape = remembered(without(_lung(-1), _tumour))
