"""Structure sets drawn at random, of kinds that files are of, with what is true of them.

    case = random_case(np.random.default_rng(7))

A body is an outline that goes on from slice to slice, so that its volume is known whatever lies between: the area
times the thickness of its slices. Lengths in mm, times `scale`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from orthanc_stl.mesh.contours.contour import Contour, RoiContours
from testing.solids import roi_of
from tests.mesh.random_outlines import Built, Generator, area, blob, grid, placed, stack, thickness


@dataclass(frozen=True)
class Case:
    """`volume` in mm³; `euler_number` of the whole; `around`: the file's other ROIs, `(contours, points, 3)` each."""

    kind: str
    outlines: list[np.ndarray]
    volume: float
    euler_number: int
    rotation: Rotation
    shift: np.ndarray
    around: Sequence[np.ndarray] = ()
    decimals: int | None = None

    def roi(self) -> RoiContours:
        roi = roi_of(self.outlines, self.rotation, self.shift)
        if self.decimals is None:
            return roi
        rounded = [Contour(np.round(c.points, self.decimals), c.number) for c in roi.contours]
        return RoiContours(roi.number, roi.name, tuple(rounded))

    def surroundings(self) -> list[np.ndarray]:
        return [np.array([self.rotation.apply(c) + self.shift for c in roi]) for roi in self.around]


def plain(rng: Generator) -> Built:
    outline, (planes, _) = blob(rng, rng.uniform(8, 25)), grid(rng)
    return stack(outline, planes), area(outline) * thickness(planes), 2


def missing_slices(rng: Generator) -> Built:
    outline, (planes, _) = blob(rng, rng.uniform(8, 25)), grid(rng, 9, 16)
    absent = {3} if rng.random() < 0.5 else {2, 5}
    kept = [z for k, z in enumerate(planes) if k not in absent]
    return stack(outline, kept), area(outline) * thickness(kept), 2


def two_slices(rng: Generator) -> Built:
    outline, (planes, _) = blob(rng, rng.uniform(8, 25)), grid(rng, 2, 3)
    return stack(outline, planes), area(outline) * thickness(planes), 2


def rounded(rng: Generator) -> Built:
    outline, spacing = blob(rng, rng.uniform(15, 30)), float(rng.choice([2.5, 3, 5]))
    planes = spacing * np.arange(int(rng.integers(5, 12)))
    return stack(outline, planes), area(outline) * thickness(planes), 2


def jitter(rng: Generator) -> Built:
    outline, (planes, spacing) = blob(rng, rng.uniform(8, 25)), grid(rng)
    most = min(0.08, 0.006 * len(planes))  # of few slices nobody can say how thick the uneven ends are
    planes = planes + rng.uniform(-most, most, len(planes)) * spacing
    return stack(outline, planes), area(outline) * thickness(planes), 2


def spacing_changes(rng: Generator) -> Built:
    outline = blob(rng, rng.uniform(8, 25))
    steps = rng.permutation([1.0, 2.0, 5.0, 3.0, 1.25])[: int(rng.integers(2, 4))]
    planes = np.cumsum([0.0, *np.repeat(steps, rng.integers(3, 6, len(steps)))])
    return stack(outline, planes), area(outline) * thickness(planes), 2


def holes(rng: Generator) -> Built:
    outline, (planes, _) = blob(rng, rng.uniform(15, 25), 120), grid(rng)
    inner = outline * rng.uniform(0.3, 0.6)
    body = [*stack(outline, planes), *stack(inner[:: rng.choice((1, -1))], planes)]
    return body, (area(outline) - area(inner)) * thickness(planes), 0


def holes_between(rng: Generator) -> Built:
    """Holes drawn off the planes of their outlines, in all slices, in every second, or in one."""
    outline, (planes, spacing) = blob(rng, rng.uniform(15, 25), 120), grid(rng, 6)
    inner, off = outline * rng.uniform(0.3, 0.7), rng.uniform(-0.34, 0.34) * spacing
    which = [slice(None), slice(0, None, 2), slice(2, 3)][int(rng.integers(0, 3))]
    holed = planes[which]
    runs = {len(planes): 1}.get(len(holed), len(holed))
    first, last = planes[0] in holed, planes[-1] in holed
    tunnels = 1 if runs == 1 and first and last else 0
    cavities = runs - tunnels - (0 if tunnels else int(first) + int(last))
    body = [*stack(outline, planes), *stack(inner, holed + off)]
    volume = area(outline) * thickness(planes) - area(inner) * spacing * len(holed)
    return body, volume, 2 - 2 * tunnels + 2 * cavities


def steps_in_turns(rng: Generator) -> Built:
    """Slices 1, 1, 2.5 mm apart, again and again."""
    turns = [[1, 2], [1, 1, 2.25], [2.5, 1.25, 1.25], [1, 2, 2.25], [1, 1, 1, 2]]
    steps = turns[int(rng.integers(0, len(turns)))]
    outline, planes = blob(rng, rng.uniform(8, 25)), np.cumsum([0.0, *np.tile(steps, int(rng.integers(2, 8)))])
    return stack(outline, planes), area(outline) * thickness(planes), 2


def thin_wall(rng: Generator) -> Built:
    angles = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    radius, (planes, _) = rng.uniform(15, 30), grid(rng, 4, 9)
    outer, inner = radius * circle, (radius - rng.uniform(0.8, 2.5)) * circle
    return [*stack(outer, planes), *stack(inner, planes)], (area(outer) - area(inner)) * thickness(planes), 0


def parts(rng: Generator) -> Built:
    body, volume, count = [], 0.0, int(rng.integers(2, 5))
    planes, spacing = grid(rng, 8, 14)
    for k in range(count):
        outline = blob(rng, rng.uniform(5, 10))
        first = int(rng.integers(0, 4))
        own = planes[first : first + int(rng.integers(2, 5))]
        body += stack(outline, own, (45 * k, 0))
        volume += area(outline) * len(own) * spacing
    return body, volume, 2 * count


def keyhole(rng: Generator) -> Built:
    angles = np.linspace(0, 2 * np.pi, 100)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    width = float(rng.choice([0, 0.001, 0.02, 0.05, 0.1, 0.3]))
    planes, _ = grid(rng)
    body, volume = [], 0.0
    for z in planes:
        turn = rng.uniform(0, 2 * np.pi)
        first, last = ring.copy(), ring[::-1].copy()
        outline = np.concatenate([20 * first[:-1], 20 * first[-1:] - [[0, width]], 10 * last - [[0, width]]])
        outline[len(first) + len(last) - 1] = [10, 0]
        c, s = np.cos(turn), np.sin(turn)
        body.append(placed(outline @ np.array([[c, s], [-s, c]]), z))
        volume = area(20 * ring[:-1]) - area(10 * ring[:-1])
    return body, volume * thickness(planes), 0


def offset_grids(rng: Generator) -> Built:
    planes, spacing = grid(rng, 4, 10)
    body, volume = [], 0.0
    for k in range(2):
        outline = blob(rng, rng.uniform(8, 15))
        own = planes + k * rng.uniform(0.01, 0.5) * spacing
        body += stack(outline, own, (70 * k, 0))
        volume += area(outline) * thickness(own)
    return body, volume, 4


def drawn_twice(rng: Generator) -> Built:
    angles = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    radius, (planes, _) = rng.uniform(10, 25), grid(rng)
    circle = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    body = stack(circle, planes)
    which = int(rng.integers(0, len(planes)))
    how = rng.integers(0, 3)
    if how == 0:
        body.append(placed(circle[::3], planes[which]))
    elif how == 1:
        c, s = np.cos(0.013), np.sin(0.013)
        body.append(placed((circle @ np.array([[c, s], [-s, c]]))[::2], planes[which]))
    else:
        body[which] = np.concatenate([body[which], body[which]])
    return body, area(circle) * thickness(planes), 2


def thin_vessel(rng: Generator) -> Built:
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    circle = rng.uniform(1.5, 3) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    spacing = float(rng.choice([1, 2, 3]))
    planes = spacing * np.arange(int(rng.integers(6, 16)))
    move = rng.uniform(0, 1.1) * spacing * np.array([np.cos(t := rng.uniform(0, 6)), np.sin(t)])
    body = [placed(circle, z, move * k) for k, z in enumerate(planes)]
    return body, area(circle) * thickness(planes), 2


def two_spacings(rng: Generator) -> Built:
    body, volume = [], 0.0
    for k, spacing in enumerate(rng.permutation([1.0, 2.5, 5.0])[:2]):
        outline = blob(rng, rng.uniform(8, 15))
        planes = rng.uniform(0, spacing) + spacing * np.arange(int(20 / spacing) + 2)
        body += stack(outline, planes, (70 * k, 0))
        volume += area(outline) * thickness(planes)
    return body, volume, 4


def branches(rng: Generator) -> Built:
    """A handle with two tines whose planes lie elsewhere, on the handle's own grid or not."""
    spacing = float(rng.choice([2, 3]))
    handle = np.stack([28 * np.cos(t := np.linspace(0, 2 * np.pi, 90, endpoint=False)), 12 * np.sin(t)], axis=1)
    tine = handle / [28 / 8, 12 / 8]
    low = spacing * np.arange(6)
    body, volume = stack(handle, low), area(handle) * (6 * spacing)
    for x, off in ((-15, 0.0), (15, rng.choice([0, 0.06, 0.4]) * spacing)):
        own = low[-1] + spacing + off + spacing * np.arange(6)
        body += stack(tine, own, (x, 0))
        volume += area(tine) * (6 * spacing + off)  # which begins where the handle ends
    return body, volume, 2


def narrow_gap(rng: Generator) -> Built:
    """Two bodies side by side, from a hundredth of a millimetre apart to some."""
    planes, _ = grid(rng)
    width, gap = rng.uniform(8, 20), float(np.exp(rng.uniform(np.log(0.02), np.log(4))))
    block = width * np.array([[-0.5, -0.7], [0.5, -0.7], [0.5, 0.7], [-0.5, 0.7]])
    body = [outline for way in (-1, 1) for outline in stack(block, planes, (way * (width + gap) / 2, 0))]
    return body, 2 * area(block) * thickness(planes), 4


def small_holes(rng: Generator) -> Built:
    """A body with channels of a tenth of a millimetre and wider."""
    outline, (planes, _) = blob(rng, rng.uniform(15, 25), 120), grid(rng)
    channel = np.stack([np.cos(t := np.linspace(0, 2 * np.pi, 24, endpoint=False)), np.sin(t)], axis=1)
    channel *= float(np.exp(rng.uniform(np.log(0.1), np.log(3))))
    places = [(0.0, 0.0), (7.0, 0.0), (-7.0, 0.0)][: int(rng.integers(1, 4))]
    body = [*stack(outline, planes), *(one for at in places for one in stack(channel, planes, at))]
    return body, (area(outline) - len(places) * area(channel)) * thickness(planes), 2 - 2 * len(places)


def hollow(rng: Generator) -> Built:
    """A wall all around a cavity, thick or thin at the sides."""
    outline, (planes, spacing) = blob(rng, rng.uniform(10, 25), 120), grid(rng, 6, 14)
    inner = outline * (1 - float(np.exp(rng.uniform(np.log(0.02), np.log(0.5)))))
    volume = area(outline) * thickness(planes) - area(inner) * spacing * (len(planes) - 2)
    return [*stack(outline, planes), *stack(inner, planes[1:-1])], volume, 4


def specks(rng: Generator) -> Built:
    """A body and specks beside it, of a few tenths of a millimetre and larger."""
    outline, (planes, _) = blob(rng, rng.uniform(10, 25)), grid(rng, 6, 14)
    body, volume = stack(outline, planes), area(outline) * thickness(planes)
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1.0]])
    count = int(rng.integers(1, 6))
    for k in range(count):
        speck = square * float(np.exp(rng.uniform(np.log(0.1), np.log(3))))
        own = planes[k : k + 2]
        body += stack(speck, own, (60, 12 * k))
        volume += area(speck) * thickness(own)
    return body, volume, 2 + 2 * count


KINDS: dict[str, Callable[[Generator], Built]] = {
    function.__name__: function
    for function in (
        plain, missing_slices, two_slices, rounded, jitter, spacing_changes, holes, thin_wall, parts, keyhole,
        offset_grids, drawn_twice, thin_vessel, two_spacings, branches,
        narrow_gap, small_holes, hollow, specks, holes_between, steps_in_turns,
    )
}  # fmt: skip


def random_case(rng: Generator, kind: str | None = None) -> Case:
    name = kind or str(rng.choice(list(KINDS)))
    body, volume, euler_number = KINDS[name](rng)
    tilted = rng.random() < 0.4
    rotation = Rotation.from_euler("xyz", rng.uniform(-180, 180, 3), degrees=True) if tilted else Rotation.identity()
    shift = rng.uniform(-300, 300, 3)
    order = rng.permutation(len(body))
    decimals = 0 if name == "rounded" else [None, 4, 3, 2][int(rng.integers(0, 4))]
    return Case(name, [body[k] for k in order], volume, euler_number, rotation, shift, (), decimals)
