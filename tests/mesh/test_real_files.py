"""The ROIs of real files, of many vendors: each gives a closed mesh, or a reason."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.dicom.structure_set import StructureSet, read_structure_set
from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.types import Surface
from testing.data import FOLDER, shared_file, shared_files
from testing.real_files import ECLIPSE, planned_volumes

STRUCTURE_SETS = [file for file in shared_files("rtstruct/*/**/*.dcm") if "/image/" not in str(file)]
IMAGES = ("ct", "CT_", "000")


def names() -> list[str]:
    files = [file for file in STRUCTURE_SETS if not file.name.lower().startswith(tuple(map(str.lower, IMAGES)))]
    return [str(file.relative_to(FOLDER)) for file in files]


@pytest.mark.parametrize("name", names())
@pytest.mark.slow
def test_every_roi_gives_a_closed_mesh_or_a_reason(name: str) -> None:
    structures = read_structure_set(shared_file(name).read_bytes())
    for roi in structures.rois:
        model = _model(structures, roi.number)
        if isinstance(model, str):
            assert len(model) > 20, roi.name
        else:
            assert model.report.closed, roi.name
            assert model.report.volume > 0, roi.name
            assert all(f'"{roi.name}"' in warning for warning in model.report.warnings)


def _model(structures: StructureSet, number: int) -> Surface | str:
    """The model, or the reason why there is none."""
    try:
        chosen, _ = structures.contours([number])
        return surface_from_contours(chosen, surroundings=structures.surroundings([number]), resolution=48)
    except InvalidInput as reason:
        return str(reason)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "millilitres", "within"), [("CT", 17.351, 0.005), ("MR_T1", 17.316, 0.005), ("PET", 17.172, 0.01)]
)
def test_volume_of_the_mask_beside_it(name: str, millilitres: float, within: float) -> None:
    data = shared_file(f"rtstruct/mim-ibsi-STS_019/{name}/mask/RS.dcm").read_bytes()
    structures = read_structure_set(data)
    chosen, _ = structures.contours([structures.rois[0].number])
    for resolution in (128, 256):
        report = surface_from_contours(chosen, resolution=resolution).report
        assert report.volume / 1000 == pytest.approx(millilitres, rel=within)


@pytest.mark.slow
def test_volumes_of_a_planning_system() -> None:
    for name in ECLIPSE:
        shared_file(name)
    volumes = np.array([(ours, theirs) for _, ours, theirs in planned_volumes(128)])
    errors = np.abs(volumes[:, 0] / volumes[:, 1] - 1)
    assert len(errors) >= 12
    assert np.median(errors) < 0.005
    assert errors.max() < 0.035


PRINTED = {
    "BODY": 13944.423,
    "Lt Lung": 2008.949,
    "Heart": 437.462,
    "Breast": 396.229,
    "Tumor Bed Block": 62.883,
    "Tumor Bed": 12.809,
    "Borders": 0.745,
    "Nodes": 0.566,
    "Scar": 0.343,
}
"""mL, of the dose-volume histograms of rtdose/dicompyler, by the planning system itself."""

# Percent that ours differ: without and with EndCaps. docs/accuracy.md tells why BODY, and the three of few slices, do.
DIFFERENCES = {
    "BODY": (5.7, 6.7),
    "Lt Lung": (-0.4, -0.2),
    "Heart": (-0.8, 0.4),
    "Breast": (-0.1, 0.9),
    "Tumor Bed Block": (-0.4, 1.3),
    "Tumor Bed": (-0.6, 2.5),
    "Borders": (-14, 69),
    "Nodes": (-3.3, 16),
    "Scar": (39, 43),
}


@pytest.mark.slow
def test_volumes_that_a_planning_system_printed() -> None:
    structures = read_structure_set(shared_file("rtstruct/eclipse-dicompyler/rtss.dcm").read_bytes())
    rois = {roi.name: roi.number for roi in structures.rois if roi.usable}
    for name, printed in PRINTED.items():
        chosen, _ = structures.contours([rois[name]])
        around = structures.surroundings([rois[name]])
        for end_caps, expected in zip((False, True), DIFFERENCES[name], strict=True):
            model = surface_from_contours(chosen, surroundings=around, resolution=128, end_caps=end_caps)
            ours = model.report.volume / 1000
            assert 100 * (ours / printed - 1) == pytest.approx(expected, abs=0.5 if abs(expected) < 10 else 3), name
