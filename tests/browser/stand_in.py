"""Answers to the viewer's requests for what a server may not have: structures meshed one by one, and images as numbers.

`stand_in(page, server)` asks the server first: it takes the place only of routes that are not there.
"""

from __future__ import annotations

import json
import re
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import pydicom

from orthanc_stl.dicom.structure_set import StructureSet, read_structure_set
from orthanc_stl.formats.stl import stl_bytes
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.types import Surface
from tests.live.server import OrthancServer

MESH = re.compile(r"/instances/([0-9a-f-]+)/stl/structures/(\d+)(\.stl|/info)(\?|$)")
IMAGES = re.compile(r"/series/([0-9a-f-]+)/stl/images(?:/0/(\d+)/(\d+)-(\d+))?$")


class StandIn:
    def __init__(self, server: OrthancServer) -> None:
        self.server = server
        self.structure_set = cache(self._structure_set)
        self.surface = cache(self._surface)
        self.images = cache(self._images)

    def _structure_set(self, instance: str) -> StructureSet:
        return read_structure_set(self.server.get(f"/instances/{instance}/file").body)

    def _surface(self, instance: str, number: int) -> Surface:
        rois, _ = self.structure_set(instance).contours([number])
        return surface_from_contours(rois, resolution=128)

    def mesh(self, route: Any) -> None:
        found = MESH.search(route.request.url)
        assert found
        try:
            surface = self.surface(found[1], int(found[2]))
        except Exception as error:  # a structure that cannot be meshed is an answer, too
            route.fulfill(status=400, json={"Details": str(error)})
            return
        if found[3] == ".stl":
            route.fulfill(body=bytes(stl_bytes(surface.mesh, "made by a test")), content_type="model/stl")
            return
        report = surface.report
        notes = [{"Rank": 2, "Roi": "", "Text": text} for text in report.warnings]
        facts = {"Triangles": report.triangles, "VolumeMl": report.volume / 1000, "Closed": report.closed}
        route.fulfill(json=facts | {"Warnings": list(report.warnings), "Notes": notes})

    def _images(self, series: str) -> tuple[dict[str, Any], np.ndarray]:
        ids = self.server.get(f"/series/{series}").json()["Instances"]
        files = [pydicom.dcmread(BytesIO(self.server.get(f"/instances/{id}/file").body)) for id in ids]
        row, column = np.reshape(np.array(files[0].ImageOrientationPatient, float), (2, 3))
        normal = np.cross(row, column)
        files.sort(key=lambda file: float(np.dot(normal, np.array(file.ImagePositionPatient, float))))
        places = [np.array(file.ImagePositionPatient, float) for file in files]
        positions = [float(np.dot(normal, place)) for place in places]
        down, across = map(float, files[0].PixelSpacing)
        step = (places[-1] - places[0]) / (len(files) - 1) if len(files) > 1 else normal
        affine = [*np.column_stack([row * across, column * down, step, places[0]]).tolist(), [0, 0, 0, 1]]
        values = (
            np.array(
                [f.pixel_array * float(f.get("RescaleSlope", 1)) + float(f.get("RescaleIntercept", 0)) for f in files]
            )
            .round()
            .astype("<i2")
        )
        rows, columns = values.shape[1:]
        sizes = {1: [columns, rows], 4: [-(-columns // 4), -(-rows // 4)]}
        levels = [
            {"Step": n, "Size": [*sizes[n], len(files)], "BytesPerSlice": 2 * sizes[n][0] * sizes[n][1]} for n in (4, 1)
        ]
        stack = {
            "FrameOfReferenceUID": files[0].FrameOfReferenceUID, "Size": [columns, rows, len(files)], "Affine": affine,
            "Normal": normal.tolist(), "Positions": positions, "Instances": ids, "Units": "HU", "Slope": 1,
            "Intercept": 0, "Window": [40, 400], "Inverted": False, "Levels": levels,
        }  # fmt: skip
        facts = {"Series": series, "Modality": files[0].Modality, "Description": "", "Reason": "", "MaxSlices": 64}
        return facts | {"Stacks": [stack]}, values

    def image(self, route: Any) -> None:
        found = IMAGES.search(route.request.url)
        assert found
        facts, values = self.images(found[1])
        if not found[2]:
            route.fulfill(json=facts)
            return
        step, first, last = int(found[2]), int(found[3]), int(found[4])
        route.fulfill(body=values[first : last + 1, ::step, ::step].tobytes(), content_type="application/octet-stream")


def stand_in(page: Any, server: OrthancServer, structures: str = "", series: str = "") -> StandIn:
    """`structures` and `series`: what is asked about, to see whether the server itself answers."""
    made = StandIn(server)
    if not structures or server.get(f"/instances/{structures}/stl/structures/0/info").body.find(b"structure") < 0:
        page.context.route(MESH, made.mesh)
    if not series or "Stacks" not in json.loads(server.get(f"/series/{series}/stl/images").body or b"{}"):
        page.context.route(IMAGES, made.image)
    return made
