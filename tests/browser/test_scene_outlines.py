"""The outline of a structure on each slice lies within half a pixel of the points that were drawn there."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from runtime.phantom.study import study as demo
from testing import phantoms
from testing.data import shared_file
from testing.image_phantoms import enhanced, single_frame
from testing.server import OrthancServer

from .study import WIDE, settle, viewer_ready
from .waiting import eventually

Open = Callable[..., Any]


def contours(file: pydicom.Dataset, roi: int = 0) -> list[np.ndarray]:
    """(n, 3) mm, of one ROI."""
    return [np.reshape(np.array(c.ContourData, float), (-1, 3)) for c in file.ROIContourSequence[roi].ContourSequence]


def distances(points: np.ndarray, loops: list[np.ndarray]) -> np.ndarray:
    """From each point to the nearest place on the loops, mm."""
    starts = np.concatenate(loops)
    ends = np.concatenate([np.roll(loop, -1, axis=0) for loop in loops])
    along = ends - starts
    part = np.einsum("pse,se->ps", points[:, None] - starts[None], along) / np.maximum((along**2).sum(axis=1), 1e-12)
    nearest = starts[None] + np.clip(part, 0, 1)[..., None] * along[None]
    return np.linalg.norm(points[:, None] - nearest, axis=2).min(axis=1)


@pytest.fixture(scope="module", params=["CT", "MR_T1"])
def patient(request: pytest.FixtureRequest, server: OrthancServer) -> tuple[str, pydicom.Dataset, float]:
    """Orthanc's id of the structure set, the file, and the side of a pixel."""
    folder = shared_file(f"rtstruct/mim-ibsi-STS_019/{request.param}")
    images = sorted((folder / "image").glob("*.dcm"))
    for image in images:
        server.upload(image.read_bytes())
    (mask,) = (folder / "mask").glob("*.dcm")
    pixel = float(pydicom.dcmread(images[0], stop_before_pixels=True).PixelSpacing[0])
    return server.upload(mask.read_bytes()), pydicom.dcmread(mask), pixel


def test_outlines_follow_the_contours(open_page: Open, patient: tuple[str, pydicom.Dataset, float]) -> None:
    source, file, pixel = patient
    page = viewer_ready(open_page(f"/stl/app/three.html?source={source}", **WIDE))
    page.evaluate("viewer.loaded")
    worst = farthest(page, contours(file))
    assert len(worst) == 13
    assert max(worst) / pixel < 0.5, "of a pixel; measured: CT 0.18, MR 0.15"


TURN = Rotation.from_euler("xyz", [25, -35, 15], degrees=True).as_matrix()  # columns: row, column, normal
MIDDLE = np.array([30.0, -20.0, 50.0])
EVEN = np.arange(-24, 25, 3.0)
UNEVEN = np.cumsum([-23.0, 3, 2.5, 3.2, 2.8, 3, 2.2, 3.4, 3, 3.1, 2.6, 3, 2.9, 3.3, 2.4, 3, 2.7])


def tilted(seed: str, places: np.ndarray, spacing: tuple[float, float], tags: dict[str, Any]) -> list[bytes]:
    """Images of 64 x 64 that stand across no axis of the body; of "frames", one file with all of them."""
    values = np.full((len(places), 64, 64), 40, np.int16)
    corners = [MIDDLE + TURN @ [-31.5 * spacing[1], -31.5 * spacing[0], place] for place in places]
    orientation = TURN[:, :2].T.ravel()
    if seed == "frames":
        more: dict[str, Any] = {"orientation": orientation, "spacing": spacing, **tags}
        return [enhanced(values, corners, seed=seed, slopes=[1] * len(values), **more)]
    return [
        single_frame(one, corner, number, seed=seed, orientation=orientation, spacing=spacing, **tags)
        for number, (one, corner) in enumerate(zip(values, corners, strict=True), 1)
    ]


@pytest.mark.parametrize(
    ("seed", "places", "spacing", "photometric"),
    [
        ("tilted", EVEN, (1.5, 1.5), "MONOCHROME2"),
        ("uneven", UNEVEN, (1.37, 0.93), "MONOCHROME1"),
        ("frames", UNEVEN, (0.93, 1.37), "MONOCHROME2"),
    ],
    ids=["single frames", "uneven slices, oblong pixels, MONOCHROME1", "frames of one file"],
)
def test_outlines_follow_the_contours_of_a_tilted_volume(
    open_page: Open,
    server: OrthancServer,
    seed: str,
    places: np.ndarray,
    spacing: tuple[float, float],
    photometric: str,
) -> None:
    """A ball that was drawn on images of any direction and spacing."""
    study = phantoms.Study(seed=seed)
    tags = {"PatientID": "PHANTOM", "StudyInstanceUID": study.uid("study"), "FrameOfReferenceUID": study.uid("frame 0"),
            "PhotometricInterpretation": photometric}  # fmt: skip
    for file in tilted(seed, places, spacing, tags):
        server.upload(file)
    rings = [phantoms.circle(np.sqrt(24**2 - place**2), place) for place in places if abs(place) < 24]
    drawn = [ring @ TURN.T + MIDDLE for ring in rings]
    roi = phantoms.Roi("Ball", [phantoms.Contour(points) for points in drawn])
    source = server.upload(phantoms.structure_set([roi], study))
    page = viewer_ready(open_page(f"/stl/app/three.html?source={source}", **WIDE))
    page.evaluate("viewer.loaded")
    worst = farthest(page, drawn)
    assert len(worst) == len(drawn) - 2
    assert max(worst) < min(spacing) / 2


@pytest.mark.slow
def test_outlines_follow_the_contours_of_the_demo(open_page: Open, server: OrthancServer) -> None:
    """All points of all structures, between the first and the last slice of each. Pixels of 2 mm."""
    for _, file in demo():
        file.save_as(buffer := io.BytesIO(), enforce_file_format=True)
        source = server.upload(buffer.getvalue())  # the structure set comes last
    page = viewer_ready(open_page(f"/stl/app/three.html?source={source}", **WIDE))
    page.evaluate("viewer.loaded")
    positions = active_image(page)["positions"]
    drawn = {str(roi + 1): contours(file, roi) for roi in range(7)}
    heights = {part: sorted({float(points[0, 2]) for points in each})[1:-1] for part, each in drawn.items()}
    over, looked = [], 0
    for index, height in enumerate(positions):
        page.evaluate("index => viewer.showSlice({ index })", index)
        outlines = page.evaluate("viewer.outlines()")
        for part in [part for part, between in heights.items() if height in between]:
            points = np.concatenate([each for each in drawn[part] if each[0, 2] == height])
            off = distances(points, [np.array(loop) for loop in outlines[part]])
            over += [(part, *point) for point in points[off >= 1].round(1)]
            looked += len(points)
    assert looked > 25_000
    assert over == [], "measured: at most 0.9 mm"


def farthest(page: Any, drawn: list[np.ndarray]) -> list[float]:
    """mm: the largest distance of a drawn point to the outline, on each slice between the first and the last."""
    image = active_image(page)
    normal, positions = np.array(image["normal"]), np.array(image["positions"])
    at = [int(np.abs(positions - points[0] @ normal).argmin()) for points in drawn]
    worst = []
    for index in sorted(set(at))[1:-1]:  # at its ends a structure is half a slice thick, or ends there
        points = np.concatenate([each for each, place in zip(drawn, at, strict=True) if place == index])
        page.evaluate("index => viewer.showSlice({ index })", index)
        (loops,) = page.evaluate("viewer.outlines()").values()
        worst.append(float(distances(points, [np.array(loop) for loop in loops]).max()))
    return worst


def active_image(page: Any) -> Any:
    """The series that is shown, once it was found."""
    look = "viewer.images().find((image) => image.active) ?? null"
    return eventually(page, lambda: page.evaluate(look), lambda image: image is not None)


def test_the_outline_is_drawn_where_the_patient_is(
    open_page: Open, patient: tuple[str, pydicom.Dataset, float]
) -> None:
    """On the screen: the pixels of the outline's colour in the axial view, back in mm."""
    source, file, _ = patient
    page = viewer_ready(open_page(f"/stl/app/three.html?source={source}", **WIDE))
    page.evaluate("viewer.loaded")
    (part,) = page.evaluate("viewer.parts()")
    page.evaluate("id => viewer.setPart(id, { color: [255, 0, 255] })", part["id"])
    image = active_image(page)
    positions, normal = np.array(image["positions"]), np.array(image["normal"])
    points = max(contours(file), key=len)
    page.evaluate("index => viewer.showSlice({ index })", int(np.abs(positions - points[0] @ normal).argmin()))
    (loops,) = page.evaluate("viewer.outlines()").values()
    low, high = (getattr(np.concatenate(loops), name)(axis=0)[:2] for name in ("min", "max"))
    settle(page)
    shot = page.locator(".view-plane canvas").first.screenshot()
    red, green, blue = np.moveaxis(np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int), -1, 0)
    rows, columns = np.nonzero((red > 180) & (blue > 180) & (green < 120))
    assert float(np.ptp(columns)) / float(np.ptp(rows)) == pytest.approx((high - low)[0] / (high - low)[1], rel=0.03)
