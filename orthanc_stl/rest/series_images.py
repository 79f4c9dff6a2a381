"""What is known of the images of a series, read once from Orthanc and kept while the series stays as it is."""

from __future__ import annotations

import hashlib
import math
import threading
from array import array
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from orthanc_stl import errors
from orthanc_stl.dicom.image_frames import MOST_FRAMES, NO_IMAGES, Frame, frames_of
from orthanc_stl.dicom.image_series import Encoding, Stack, encoding_of, stacks_of
from orthanc_stl.dicom.pixel_record import unpack
from orthanc_stl.rest.image_pixels import pixel_pieces
from orthanc_stl.rest.orthanc import ORTHANC_ID, Orthanc
from orthanc_stl.sources.image_header import unit_of

MOST_STACKS = 64
"""Told of: a radial series has one for each image."""

KEPT_FRAMES = MOST_FRAMES
"""Of all series together, besides the latest: what is known of a frame takes about a kilobyte."""

KEPT_WINDOWS = 512

UNSETTLED = timedelta(seconds=2)
"""Orthanc tells in which second a series changed last. Until then it may change again and that would not show: be
deleted, and stored anew with other images."""

CT_WINDOW = (40.0, 400.0)
SAMPLES = 20_000
"""Pixels of the middle slice that a window is worked out from, where the images name none."""


@dataclass(frozen=True)
class SeriesImages:
    """The stacks of a series, each with how its values are kept.

    `version` is another when a file of the series has changed. `state` is what Orthanc said of the series then; empty
    if that may stay the same while the series changes. `reason` says why there are no stacks.
    """

    series: str
    version: str
    state: str
    modality: str
    description: str
    series_instance_uid: str
    reason: str
    stacks: tuple[tuple[Stack, Encoding], ...]

    @property
    def frames(self) -> int:
        """How many frames all stacks have."""
        return sum(len(stack.frames) for stack, _ in self.stacks)

    @property
    def unit(self) -> str:
        return unit_of(self.modality, self.stacks[0][0].frames[0].unit if self.stacks else "")

    def stack(self, number: int) -> tuple[Stack, Encoding]:
        """Raises NotFound, with the reason if there are no stacks at all."""
        if self.reason:
            raise errors.InvalidInput(self.reason)
        if number >= len(self.stacks):
            raise errors.NotFound(f"series {self.series} has {len(self.stacks)} stacks of images, no number {number}")
        return self.stacks[number]


class SeriesImagesCache:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, SeriesImages] = OrderedDict()
        self._windows: dict[tuple[str, str, int], tuple[float, float]] = {}

    def get(self, orthanc: Orthanc, series: str) -> SeriesImages:
        """Raises NotFound if Orthanc has no such series."""
        asked = datetime.now(UTC)
        described = _series(orthanc, series)
        state = f"{described['LastUpdate']} {len(described['Instances'])}"
        with self._lock:
            known = self._known.get(series)
        if known is None or known.state != state:
            settled = state if _is_settled(described["LastUpdate"], asked) else ""
            files = {one["ID"]: one["FileUuid"] for one in orthanc.get_json(f"/series/{series}/instances")}
            version = _version(files)
            if known is None or known.version != version:
                known = read_series_images(orthanc, described, list(files), version)
            known = replace(known, state=settled)
        with self._lock:
            self._known[series] = known
            self._known.move_to_end(series)
            while len(self._known) > 1 and sum(one.frames for one in self._known.values()) > KEPT_FRAMES:
                self._known.popitem(last=False)
        return known

    def window(self, orthanc: Orthanc, images: SeriesImages, number: int) -> tuple[float, float]:
        """Center and width that show a stack: the images' own, else of its middle slice."""
        key = (images.series, images.version, number)
        with self._lock:
            known = self._windows.get(key)
        if known is None:
            known = window_of(orthanc, images, number)
        with self._lock:
            if len(self._windows) >= KEPT_WINDOWS:
                self._windows.clear()
            self._windows[key] = known
        return known


def read_series_images(
    orthanc: Orthanc, described: Mapping[str, Any], instances: Sequence[str], version: str
) -> SeriesImages:
    """`described`: the series as Orthanc describes it; `instances`: those of `version`, as more may have come since.

    One instance after the other is read, without its pixels.
    """
    tags, reason, frames = described["MainDicomTags"], "", list[Frame]()
    modality = str(tags.get("Modality", ""))
    if modality in NO_IMAGES:
        reason = f"it holds {NO_IMAGES[modality]}, no images"
    elif len(instances) > MOST_FRAMES:
        reason = f"it has {len(instances):,} instances, more than {MOST_FRAMES:,}"
    for instance in () if reason else instances:
        try:
            frames += frames_of(instance, orthanc.get_json(f"/instances/{instance}/simplified-tags"))
        except (errors.InvalidInput, errors.TooLarge) as error:
            reason = reason or str(error)
        if len(frames) > MOST_FRAMES:
            reason, frames = f"it has more than {MOST_FRAMES:,} frames", []
            break
    stacks = stacks_of(frames)[:MOST_STACKS]
    if frames and not stacks:
        reason = "its slices do not lie behind each other"
    return SeriesImages(
        series=described["ID"],
        version=version,
        state="",
        modality=modality,
        description=str(tags.get("SeriesDescription", "")),
        series_instance_uid=str(tags.get("SeriesInstanceUID", "")),
        reason="" if stacks else f"The series cannot be shown as a volume: {reason or 'it has no images'}.",
        stacks=tuple((stack, encoding_of(stack, unit_of(modality, stack.frames[0].unit) == "HU")) for stack in stacks),
    )


def window_of(orthanc: Orthanc, images: SeriesImages, number: int) -> tuple[float, float]:
    stack, _ = images.stack(number)
    middle = stack.frames[len(stack.frames) // 2]
    if middle.window is not None:
        return middle.window
    if images.modality == "CT":
        return CT_WINDOW
    try:
        (piece,) = pixel_pieces(orthanc, [middle])
        pixels = unpack(bytes(piece.load()), middle.path)
    except errors.InvalidInput:
        return CT_WINDOW
    if pixels.kind == "j2k":
        return half_range(middle)
    kind = {"u1": "B", "<u2": "H", "<i2": "h", "<u4": "I"}[pixels.kind]
    found = array(kind, bytes(pixels.data))
    sample = sorted(found[:: max(1, math.ceil(len(found) / SAMPLES))])
    low, high = (sample[int(share * (len(sample) - 1))] * middle.slope + middle.intercept for share in (0.01, 0.995))
    return (low + high) / 2, abs(high - low) or 1.0


def half_range(frame: Frame) -> tuple[float, float]:
    """The middle of what a frame's bits can hold, for pixels that are not decoded here."""
    center = 0.0 if frame.signed else (1 << (frame.bits_stored - 1)) * frame.slope
    return center + frame.intercept, (1 << (frame.bits_stored - 1)) * abs(frame.slope)


def _is_settled(last_update: str, asked: datetime) -> bool:
    """`last_update`: a time as Orthanc told it when `asked`, in UTC. One of another server's clock may lie ahead."""
    changed = datetime.strptime(last_update, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return asked - changed > UNSETTLED


def _version(files: Mapping[str, str]) -> str:
    """A name of all `files`, by the instances of a series: they have new names whenever they are stored."""
    return hashlib.sha256(" ".join(sorted(files.values())).encode()).hexdigest()


def _series(orthanc: Orthanc, series: str) -> dict[str, Any]:
    missing = errors.NotFound(f"no series {series[:80]} is stored in Orthanc")
    if not ORTHANC_ID.fullmatch(series):
        raise missing
    try:
        found: dict[str, Any] = orthanc.get_json(f"/series/{series}")
    except errors.NotFound:
        raise missing from None
    return found
