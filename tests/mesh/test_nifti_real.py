"""NIfTI files made by others: each becomes a closed surface, or is refused for a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from orthanc_stl.dicom.structure_set import read_structure_set
from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.types import Mesh, Surface
from testing.data import needs_shared_data, shared_file, shared_files
from testing.nifti_phantoms import model_from_nifti

pytestmark = needs_shared_data

REFUSED = {
    "empty_mask.nii.gz": "no voxel that is not zero",
    "example4d.nii.gz": "128 x 96 x 24 x 2",
    "example_nifti2.nii.gz": "32 x 20 x 12 x 2",
    "functional.nii": "17 x 21 x 3 x 20",
    "5D_small.nii": "1 x 2 x 3 x 1 x 3",
    "invalid.nii.gz": "Not a NIfTI file",
    "not-nifti.nii": "Not a NIfTI file",
}
GREY = {"anatomical.nii", "reoriented_anat_moved.nii", "someones_epi.nii.gz", "big.nii.gz", "little.nii.gz"}
FILES = [file for file in shared_files("nifti/*/*") if file.name.endswith((".nii", ".nii.gz"))]
MASKS = [file for file in FILES if file.name not in REFUSED.keys() | GREY]
BESIDE_STRUCTURES = [*shared_files("rtstruct/*/*/mask.nii.gz"), *shared_files("rtstruct/*/Mask.nii.gz")]


def loaded(file: Path) -> Any:
    return nibabel.load(file)


def test_the_list_is_whole() -> None:
    assert {file.name for file in FILES} >= REFUSED.keys() | GREY
    assert len(BESIDE_STRUCTURES) == 4


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    (file,) = (file for file in FILES if file.name == name)
    with pytest.raises(InvalidInput, match=REFUSED[name]):
        model_from_nifti(file.read_bytes())


@pytest.mark.parametrize("name", sorted(GREY))
def test_grey_volumes(name: str) -> None:
    (file,) = (file for file in FILES if file.name == name)
    model, to_lps, shape = model_from_nifti(file.read_bytes(), smooth=False)
    data = np.squeeze(loaded(file).get_fdata())
    assert model.report.closed
    assert "half of their range" in model.report.warnings[0]
    assert shape == data.shape
    indices = ((model.mesh.vertices - to_lps[:3, 3]) @ np.linalg.inv(to_lps[:3, :3]).T).T
    indices = indices[:, ((indices >= 0) & (indices <= np.array(shape)[:, None] - 1)).all(axis=0)]
    at_vertices = map_coordinates(data, indices, order=1)
    assert np.abs(at_vertices - (data.min() + data.max()) / 2).max() < 0.01 * np.ptp(data)


@pytest.mark.slow
@pytest.mark.parametrize("file", [*MASKS, *BESIDE_STRUCTURES], ids=lambda file: "/".join(file.parts[-3:]))
def test_masks_have_the_volume_of_their_voxels_at_their_place(file: Path) -> None:
    image = loaded(file)
    mask = np.squeeze(np.asanyarray(image.dataobj)) > 0
    model, to_lps, _ = model_from_nifti(file.read_bytes())
    assert model.report.closed
    assert model.report.volume == pytest.approx(np.count_nonzero(mask) * abs(np.linalg.det(to_lps)), rel=0.005)
    if not model.report.warnings:
        np.testing.assert_allclose(to_lps, np.diag([-1, -1, 1, 1]) @ image.affine, atol=1e-3)
    indices = (model.mesh.vertices - to_lps[:3, 3]) @ np.linalg.inv(to_lps[:3, :3]).T
    ends = [np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))[[0, -1]] for axis in range(3)]
    room = np.array(model.report.voxel) / np.linalg.norm(to_lps[:3, :3], axis=0) + 0.5
    for axis, (first, last) in enumerate(ends):
        assert abs(indices[:, axis].min() - (first - 0.5)) <= room[axis]
        assert abs(indices[:, axis].max() - (last + 0.5)) <= room[axis]


def test_the_volumes_that_the_phantoms_study_states() -> None:
    """mim-ibsi-STS_019: 17.351, 17.316 and 17.172 mL."""
    found = [
        model_from_nifti(shared_file(f"rtstruct/mim-ibsi-STS_019/{kind}/mask.nii.gz").read_bytes())[0].report.volume
        / 1000
        for kind in ("CT", "MR_T1", "PET")
    ]
    assert found == pytest.approx([17.351, 17.316, 17.172], rel=0.001)


def spread(mesh: Mesh, count: int = 100_000) -> np.ndarray:
    """Points (count, 3) spread over the surface by area."""
    corners = mesh.vertices[mesh.triangles].astype(float)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    rng = np.random.default_rng(0)
    chosen = corners[rng.choice(len(area), count, p=area / area.sum())]
    a, b = np.sqrt(rng.random((count, 1))), rng.random((count, 1))
    return chosen[:, 0] * (1 - a) + chosen[:, 1] * a * (1 - b) + chosen[:, 2] * a * b


def apart(one: Surface, other: Surface, side: np.ndarray) -> np.ndarray:
    """How far apart two surfaces are, in both directions, in voxels of `side` (mm along x, y, z)."""
    first, second = spread(one.mesh) / side, spread(other.mesh) / side
    return np.concatenate([cKDTree(second).query(first)[0], cKDTree(first).query(second)[0]])


STRUCTURES = [
    *((f"mim-ibsi-STS_019/{kind}", "mask.nii.gz", "mask/RS.dcm", None) for kind in ("CT", "MR_T1", "PET")),
    ("aria16-body-cord", "Mask.nii.gz", "RS_Body_SpinalCord.dcm", "BODY"),
    ("aria16-body-cord", "Mask.nii.gz", "RS_Body_SpinalCord.dcm", "SpinalCord"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "mask", "structures", "name"), STRUCTURES)
def test_the_mesh_of_the_mask_is_that_of_the_structure(
    folder: str, mask: str, structures: str, name: str | None
) -> None:
    """Within one voxel; a mask of aria16-body-cord has the outline's pixels added, so a corner of one is let pass."""
    structure_set = read_structure_set(shared_file(f"rtstruct/{folder}/{structures}").read_bytes())
    roi = next(roi for roi in structure_set.rois if name in (None, roi.name))
    contours, _ = structure_set.contours([roi.number])
    drawn = surface_from_contours(contours, surroundings=structure_set.surroundings([roi.number]))
    labels = {None: None, "BODY": [1, 2], "SpinalCord": [1]}[name]
    masked, _, _ = model_from_nifti(shared_file(f"rtstruct/{folder}/{mask}").read_bytes(), labels=labels)
    voxel = np.abs(np.array(masked.report.voxel))
    if name is None:  # cells between the slices are finer than the voxels
        voxel = np.linalg.norm(loaded(shared_file(f"rtstruct/{folder}/{mask}")).affine[:3, :3], axis=0)
    far = apart(masked, drawn, voxel)
    assert far.mean() < 0.25
    assert np.quantile(far, 0.99) < 0.85
    assert far.max() < (1.0 if name != "SpinalCord" else 1.2)
