"""What a listing tells of a structure set."""

from __future__ import annotations

from typing import Any

from orthanc_stl.dicom.structure_set import StructureSet


def listing(structures: StructureSet) -> list[dict[str, Any]]:
    """All that is known of each ROI, as `GET /instances/{id}/stl/structures` answers."""
    return [roi.as_json() for roi in structures.rois]
