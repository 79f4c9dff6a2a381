"""Limits that a mesh would go over, with the figures. The geometry names no options: who calls knows their names."""

from __future__ import annotations

from orthanc_stl.errors import TooLarge


class OverLimit(TooLarge):
    """`count` is what it would take (about), `limit` what is allowed."""

    what = "elements"

    def __init__(self, count: int | str, limit: int = 0) -> None:
        if isinstance(count, str):  # as a sentence, from another process
            super().__init__(count)
            self.count = self.limit = 0
            return
        super().__init__(f"this takes about {count:,} {self.what}, more than the {limit:,} that are allowed")
        self.count, self.limit = count, limit


class TooManyVoxels(OverLimit):
    what = "voxels"


class TooManyTriangles(OverLimit):
    what = "triangles"


class TooManyContours(OverLimit):
    what = "contours in one plane"


class TooManyContoursOfRoi(OverLimit):
    what = "contours of one ROI"


class TooManyOverlaps(OverLimit):
    what = "points of contours that overlap others of their plane"


class TooManyCrossings(OverLimit):
    what = "points at which the contours of one plane cross themselves or each other"


class TooManyAreas(OverLimit):
    what = "areas between contours of one plane that cross themselves or each other"
