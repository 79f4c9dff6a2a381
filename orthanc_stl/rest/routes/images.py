"""The images of a series as volumes, in pieces and coarse first, for planes through a scene."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

from orthanc_stl import errors
from orthanc_stl.dicom.image_frames import Frame
from orthanc_stl.dicom.image_series import Encoding, Stack
from orthanc_stl.engine.jobs import Order
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http import ranges
from orthanc_stl.rest.http.messages import Answer, Request, json_answer
from orthanc_stl.rest.image_pixels import pixel_pieces
from orthanc_stl.rest.running import wait_for
from orthanc_stl.rest.series_images import SeriesImages

MOST_BYTES = 4 << 20
"""Of one request's values: three seconds of a line of 10 Mbit/s, and not half a second of a worker."""

FEW_BYTES = 3 << 20
"""Of the coarsest level: its planes are there within three seconds."""

COARSEST = 16
NO_STEPS_BELOW = 256 << 10
"""In bytes: a volume that has no more comes at once."""

LAYOUTS = ("int16", "packed")


def images(app: App, request: Request) -> Answer:
    """GET /series/{id}/stl/images: where the stacks of a series lie, and in what pieces their values can be had."""
    found = app.images.get(app.orthanc, request.groups[0])
    stacks = [_stack_json(app, found, number) for number in range(len(found.stacks))]
    answer = {
        "Series": found.series,
        "Modality": found.modality,
        "Description": found.description,
        "Reason": found.reason,
        "MaxSlices": min((level["MaxSlices"] for stack in stacks for level in stack["Levels"]), default=0),
        "Layouts": list(LAYOUTS),
        "Stacks": stacks,
    }
    return json_answer(answer)


def slices(app: App, request: Request) -> Answer:
    """GET /series/{id}/stl/images/{stack}/{step}/{first}-{last}: values of a level, int16 little-endian, x fastest."""
    series, *numbers = request.groups
    number, step, first, last = (int(digits) for digits in numbers)
    layout = request.query.get("layout", LAYOUTS[0])
    if layout not in LAYOUTS:
        raise errors.InvalidField(f"layout must be one of {', '.join(LAYOUTS)}, but is {layout[:40]!r}")
    found = app.images.get(app.orthanc, series)
    stack, encoding = found.stack(number)
    _check(stack, step, first, last)
    gzip = app.pages.compress and "gzip" in request.headers.get("accept-encoding", "")
    name = f"{series}/{number}/{step}/{first}-{last}/{layout}/{gzip}"
    etag = f'"{hashlib.sha256(f"{name} {found.version}".encode()).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
    if ranges.matches(request.headers.get("if-none-match", ""), etag):
        return Answer(status=304, headers=headers)

    def load() -> memoryview:
        return memoryview(_values(app, request, stack, encoding, (step, first, last), layout, gzip))

    body = load() if step == 1 else app.image_levels.get(name, found.version, load)
    if gzip:
        headers["Content-Encoding"] = "gzip"
    return Answer(body, "application/octet-stream", headers=headers)


def steps_of(size: Sequence[int]) -> tuple[int, ...]:
    """Of the levels, coarse first. A voxel of a level is the mean of step x step x step."""
    if 2 * math.prod(size) <= NO_STEPS_BELOW:
        return (1,)
    coarsest = 4
    while 2 * math.prod(level_size(size, coarsest)) > FEW_BYTES and coarsest < COARSEST:
        coarsest *= 2
    return tuple(coarsest >> i for i in range(coarsest.bit_length()))


def level_size(size: Sequence[int], step: int) -> list[int]:
    return [math.ceil(n / step) for n in size]


def _stack_json(app: App, found: SeriesImages, number: int) -> dict[str, Any]:
    stack, encoding = found.stack(number)
    first = stack.frames[0]
    return {
        "FrameOfReferenceUID": first.frame_of_reference_uid,
        "Size": list(stack.size),
        "Affine": stack.affine,
        "Normal": list(stack.normal),
        "Positions": list(stack.positions),
        "Even": stack.even,
        "Instances": [frame.path for frame in stack.frames],
        "Units": found.unit,
        "Slope": encoding.slope,
        "Intercept": encoding.intercept,
        "Window": list(app.images.window(app.orthanc, found, number)),
        "Inverted": first.inverted,
        "Levels": [_level_json(stack, step) for step in steps_of(stack.size)],
    }


def _level_json(stack: Stack, step: int) -> dict[str, Any]:
    size = level_size(stack.size, step)
    per_slice = 2 * size[0] * size[1]
    affine = stack.affine
    for row in affine[:3]:  # the centre of the first block, and steps from block to block
        row[3] += (step - 1) / 2 * math.fsum(row[:3])
        row[:3] = [step * value for value in row[:3]]
    return {
        "Step": step,
        "Size": size,
        "BytesPerSlice": per_slice,
        "MaxSlices": most_slices(per_slice),
        "Affine": affine,
    }


def most_slices(bytes_per_slice: int) -> int:
    return max(1, MOST_BYTES // bytes_per_slice)


def _check(stack: Stack, step: int, first: int, last: int) -> None:
    steps = steps_of(stack.size)
    if step not in steps:
        raise errors.NotFound(f"the stack has levels of step {', '.join(map(str, steps))}, and none of {step}")
    columns, rows, count = level_size(stack.size, step)
    if not first <= last < count:
        raise errors.OutOfRange(f"slices {first}-{last} were asked for, of 0-{count - 1} of the level")
    most = most_slices(2 * columns * rows)
    if last - first >= most:
        raise errors.TooLarge(f"{last - first + 1} slices were asked for at once, and {most} are the most (MaxSlices)")


def _values(
    app: App, request: Request, stack: Stack, encoding: Encoding, piece: tuple[int, int, int], layout: str, gzip: bool
) -> bytes:
    step, first, last = piece
    chosen = [sources_of(slice_, step, len(stack.frames)) for slice_ in range(first, last + 1)]
    frames = [stack.frames[index] for indices in chosen for index in indices]
    order = Order(
        task="image_slices",
        options={
            "columns": stack.size[0],
            "rows": stack.size[1],
            "step": step,
            "encoding": [encoding.slope, encoding.intercept],
            "slices": [len(indices) for indices in chosen],
            "frames": [frame_options(frame) for frame in frames],
            "layout": layout,
            "gzip": gzip,
        },
        fetch=lambda: pixel_pieces(app.orthanc, frames),
        finish=lambda result: result.blobs[0],
        interactive=True,
        client=request.client,
        about=f"/series/{request.groups[0]}",
    )
    values: bytes = wait_for(app, order)
    return values


def frame_options(frame: Frame) -> list[Any]:
    """What a worker has to know of a frame besides its pixels: its name for messages, slope, intercept."""
    return [frame.path, frame.slope, frame.intercept]


def sources_of(slice_: int, step: int, count: int) -> range:
    """The slices that one of a level is the mean of: of 4 the two in the middle, whose mean lies in the same place.

    That halves what has to be decoded for a first look.
    """
    start, stop = slice_ * step, min((slice_ + 1) * step, count)
    if step > 2 and stop - start == step:
        middle = start + step // 2
        return range(middle - 1, middle + 1)
    return range(start, stop)
