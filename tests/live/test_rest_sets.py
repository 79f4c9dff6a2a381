"""Several models of one request, as a client asks for them, replaces them, cancels them and sees their pictures."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from PIL import Image

from testing import phantoms
from testing.server import OrthancServer

OBJECT = {"ID", "ParentPatient", "ParentSeries", "ParentStudy", "Path", "Status"}
"""What an answer of one model says of the object."""

NAMES = {1: "Left ball", 2: "Right ball", 3: "Cylinder"}
COLORS = {1: (255, 0, 0), 2: (0, 0, 255), 3: (0, 255, 0)}


@dataclass
class Source:
    """A structure set of three ROIs, in a study of its own that is deleted after the test."""

    server: OrthancServer
    instance: str
    study: str

    def encode(self, route: str = "/stl/encode", **fields: Any) -> dict[str, Any]:
        reply = self.server.post(route, {"Instance": self.instance, "Resolution": 32} | fields)
        assert reply.status == 200, reply.body
        answer: dict[str, Any] = reply.json()
        return answer

    def models(self) -> set[str]:
        """The instances of the study but the structure set."""
        found = self.server.get(f"/studies/{self.study}/instances").json()
        return {one["ID"] for one in found} - {self.instance}

    def series_number(self, answer: dict[str, Any]) -> int:
        tags = self.server.get(f"/series/{answer['ParentSeries']}").json()["MainDicomTags"]
        return int(tags["SeriesNumber"])


@pytest.fixture
def source(orthanc: OrthancServer) -> Iterator[Source]:
    rois = [
        phantoms.ball(NAMES[1], 20, (30, 0, 0), colour=COLORS[1]),
        phantoms.ball(NAMES[2], 15, (-30, 0, 0), colour=COLORS[2]),
        phantoms.cylinder(NAMES[3], 12, range(-9, 10, 3), colour=COLORS[3]),
    ]
    instance = orthanc.upload(phantoms.structure_set(rois, phantoms.Study(seed="sets")))
    study = orthanc.get(f"/instances/{instance}/study").json()["ID"]
    yield Source(orthanc, instance, study)
    orthanc.delete(f"/studies/{study}")


def ids(answer: dict[str, Any]) -> list[str]:
    return [model["ID"] for model in answer["Models"]]


def test_separate_on_the_route_of_the_original(source: Source) -> None:
    """Its first object is answered as the one of a request without `Separate`; beside it the list of all."""
    one = source.encode("/stl/encode-rtstruct", RoiNames=[NAMES[1]])
    answer = source.encode("/stl/encode-rtstruct", All=True, Separate=True)
    assert one.keys() >= OBJECT
    assert answer.keys() >= one.keys()
    assert {key: answer[key] for key in ("ParentPatient", "ParentStudy", "Status", "Triangles", "VolumeMl")} == {
        key: one[key] for key in ("ParentPatient", "ParentStudy", "Status", "Triangles", "VolumeMl")
    }
    assert answer["Path"] == f"/instances/{answer['ID']}"
    assert ids(answer)[0] == answer["ID"]
    assert [(model["Number"], model["Name"]) for model in answer["Models"]] == list(NAMES.items())
    assert source.models() == {one["ID"], *ids(answer)}
    assert len(set(ids(answer))) == 3
    assert {source.server.get(f"/instances/{id}").json()["ParentSeries"] for id in ids(answer)} == {
        answer["ParentSeries"]
    }


def test_named_structures_of_the_original_route_become_one_each(source: Source) -> None:
    answer = source.encode("/stl/encode-rtstruct", RoiNames=[NAMES[3], NAMES[2]], Separate=True)
    assert {model["Name"] for model in answer["Models"]} == {NAMES[2], NAMES[3]}
    assert source.models() == set(ids(answer))
    assert answer["Skipped"] == []


def test_without_replace_a_new_series_comes_beside_the_old_one(source: Source) -> None:
    first, second = (source.encode(All=True, Separate=True) for _ in range(2))
    assert source.models() == {*ids(first), *ids(second)}
    assert len(source.models()) == 6
    assert source.series_number(second) == source.series_number(first) + 1


def test_replace_takes_the_place_of_the_same_structures_only(source: Source) -> None:
    union = source.encode(Structures=[1, 2])
    first = source.encode(All=True, Separate=True)
    second = source.encode("/stl/encode-rtstruct", Structures=[1, 3], Separate=True, Replace=True)
    left, right, cylinder = ids(first)
    assert source.models() == {union["ID"], right, *ids(second)}
    for old in (left, cylinder):
        assert source.server.get(f"/instances/{old}").status == 404
    assert [source.server.get(f"/instances/{new}/stl").status for new in ids(second)] == [200, 200]
    numbers = [source.series_number(answer) for answer in (union, first, second)]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    third = source.encode(All=True, Separate=True, Replace=True)
    assert source.models() == {union["ID"], *ids(third)}
    assert source.server.get(f"/series/{first['ParentSeries']}").status == 404


def test_pictures_of_a_set_have_the_colors_of_its_structures(source: Source) -> None:
    """As `stl/preview` and as the icon that is in the object."""
    for model in source.encode(All=True, Separate=True)["Models"]:
        channel = COLORS[model["Number"]].index(255)
        reply = source.server.get(f"{model['Path']}/stl/preview?width=64")
        assert (reply.status, reply.headers["content-type"]) == (200, ["image/png"])
        pixels = np.asarray(Image.open(io.BytesIO(reply.body)))
        assert_of_one_color(pixels[pixels[..., 3] == 255][:, :3], channel)
        assert_of_one_color(icon(source.server, model["Path"])[64, 60:68], channel)


def assert_of_one_color(pixels: np.ndarray, channel: int) -> None:
    """The most frequent hue of pixels `(n, 3)` is that of the channel, brightest and by far."""
    middle = np.median(pixels, axis=0)
    assert len(pixels) > 7
    assert middle[channel] > 100
    assert np.delete(middle, channel).max() < 40


def icon(server: OrthancServer, path: str) -> np.ndarray:
    """The Icon Image Sequence of an instance as Orthanc serves it: `(128, 128, 3)`."""
    item = f"{path}/content/0088-0200/0"
    rows, columns = (int.from_bytes(server.get(f"{item}/0028-00{tag}").body, "little") for tag in ("10", "11"))
    palette = [np.frombuffer(server.get(f"{item}/0028-120{tag}").body, np.uint8) for tag in (1, 2, 3)]
    numbers = np.frombuffer(server.get(f"{item}/7fe0-0010").body, np.uint8).reshape(rows, columns)
    return np.stack([colors[numbers] for colors in palette], axis=-1)


def test_progress_by_structure_and_cancel_leaves_nothing(source: Source) -> None:
    body = {"Instance": source.instance, "All": True, "Separate": True, "Resolution": 256, "Tolerance": 0}
    job = source.server.post("/stl/encode", body | {"Asynchronous": True}).json()["Path"]
    seen: list[dict[str, Any]] = [source.server.get(job).json()]
    while seen[-1]["State"] in ("Pending", "Running") and not seen[-1].get("Parts", {}).get("Done"):
        time.sleep(0.005)
        seen.append(source.server.get(job).json())
    assert seen[-1]["Parts"]["Count"] == 3
    names = ", ".join(seen[-1]["Parts"]["AtWork"])
    assert f"({seen[-1]['Parts']['Done']} of 3 done{': ' * bool(names)}{names})" in seen[-1]["Step"]
    named = {name for one in seen for name in one.get("Parts", {}).get("AtWork", [])}
    assert named
    assert named <= set(NAMES.values())
    assert source.server.delete(job).json()["State"] == "Cancelled"
    ended = source.server.get(job).json()
    assert (ended["State"], ended.get("Answer")) == ("Cancelled", None)
    assert source.models() == set()
    assert source.encode(Structures=[1])["Triangles"] > 0
    assert len(source.models()) == 1
