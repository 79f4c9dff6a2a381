"""Structure sets of a few contours, one ROI of which has a defect."""

from __future__ import annotations

from typing import Any

from orthanc_stl.dicom.structure_set import read_structure_set
from testing.phantoms import Contour, Roi, ball, circle, cylinder, structure_set

RING = circle(10, 0, points=24)


def small() -> list[Roi]:
    """Body of 5 contours, Sphere of 3."""
    body = cylinder(planes=range(-6, 7, 3), points=24, colour=(0, 255, 0), interpreted_type="EXTERNAL")
    return [body, ball(radius=6, points=24)]


def tiny(name: str = "A", **roi: Any) -> Roi:
    return ball(name, 6, points=24, **roi)


def with_spoiled(*spoiled: Contour | Roi, **options: Any) -> bytes:
    """A structure set of Body and Sphere, and a third ROI (number 3) that has a defect."""
    contours = [one for one in spoiled if isinstance(one, Contour)]
    third = spoiled[0] if isinstance(spoiled[0], Roi) else Roi("Third", contours)
    return structure_set([*small(), third], **options)


def assert_others_are_whole(data: bytes) -> None:
    structures = read_structure_set(data)
    rois, warnings = structures.contours([1, 2])
    assert [len(roi.contours) for roi in rois] == [5, 3]
    assert warnings == []
