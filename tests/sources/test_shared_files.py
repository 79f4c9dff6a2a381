"""Every file of the shared data: its truth, or the reason why it is not read."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np
import pytest

from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.registry import open_files
from testing.data import shared_files

FOLDERS = ("seg", "rtdose", "segnrrd", "surfaces", "nifti", "mesh", "encapsulated")

FILES = [path for folder in FOLDERS for path in shared_files(f"{folder}/**/*") if path.is_file()]

Facts = dict[int, tuple[Any, Any]]
"""Voxels and mL of each structure, by its number."""

BALLS: Facts = {1: (11232, 33.696), 2: (2392, 7.176)}
CUT_BALLS: Facts = {1: (11232, 33.696), 2: (1162, 3.486)}
LIVER: Facts = {1: (107098, 70.3619)}
OVERLAPS: Facts = {1: (9602, 6.3084), 2: (11888, 7.8103), 3: (10743, 7.058), 4: (6693, 4.3972), 5: (4713, 3.0964)}

TRUTHS: dict[str, Facts] = {
    "dcmqi/liver.dcm": LIVER,
    "dcmqi/partial_overlaps.dcm": OVERLAPS,
    "dcmqi/partial_overlaps-1.nrrd": {n: OVERLAPS[n] for n in (1, 4, 5)},
    "dcmqi/sparse-labelmap-noppv.dcm": {1: (630, 0.7717)},
    "dcmqi/23x38x3/label.seg.dcm": {1: (322, 0.3944)},
    **{f"pydicom-liver/liver{n}.dcm": LIVER for n in ("", "_deflate", "_expb", "_nonbyte_aligned", "_rle")},
    "highdicom/seg_image_ct_binary.dcm": {1: (638, 0.1901)},
    "highdicom/seg_image_ct_binary_fractional.dcm": {1: (638, 0.1901)},
    "highdicom/seg_image_ct_true_fractional.dcm": {1: (638, 0.1901)},
    "highdicom/seg_image_ct_binary_overlap.dcm": {1: (64, 0.0191), 2: (16, 0.0048)},
    **{f"made/seg_binary_{n}.dcm": BALLS for n in ("all_frames", "overlap_axial", "overlap_sagittal")},
    **{f"made/seg_fractional_{n}.dcm": BALLS for n in ("jls", "rle")},
    **{f"made/seg_labelmap_{n}.dcm": CUT_BALLS for n in ("raw", "rle")},
    "made/seg_labelmap_uint16_number300.dcm": {1: CUT_BALLS[1], 300: CUT_BALLS[2]},
    "surfaces/encapsulated_obj.dcm": {1: (None, 33.2219), 2: (None, 7.1759)},
    "surfaces/surface_segmentation_balls.dcm": {1: (None, 33.2219), 2: (None, 7.1759)},
    "surfaces/surface_segmentation_tetrahedron.dcm": {1: (None, 0.2434)},
}

REASONS = {
    "seg_image_cr_": "of a projection image, or of none: its frames have no plane in the patient",
    "seg_image_sm_": "of slide microscopy: its frames are tiles of a slide",
    "seg_image_grayscale_labeled": "of the type LABELED; BINARY, FRACTIONAL or LABELMAP is expected",
    "rtdose_1frame": "a single plane, which encloses nothing",
    "rtplan": "an object of the class RT Plan Storage",
    "encapsulated_mtl": "an object of the class Encapsulated MTL Storage",
    "_empty_encapsulated": "no document in it",
    "empty_bin.stl": "no triangle",
}


def counted(path: Path) -> Facts:
    """Voxels and mL of each label by nibabel or pynrrd."""
    data: Any
    if path.suffix == ".nrrd":
        data, header = nrrd.read(str(path))
        side = header["space directions"]
    else:
        image: Any = nibabel.load(path)
        data, side = np.asanyarray(image.dataobj), image.affine[:3, :3]
    labels, counts = np.unique(data[data != 0], return_counts=True)
    millilitres = abs(float(np.linalg.det(side))) / 1000
    pairs = zip(labels.tolist(), counts.tolist(), strict=True)
    return {label: (count, pytest.approx(count * millilitres, abs=1e-3)) for label, count in pairs}


def told(path: Path) -> tuple[Facts, list[str]]:
    """Voxels and mL of what can be used, each with a shape; and the reasons of what cannot, or of the whole file."""
    data = path.read_bytes()
    if path.name.endswith(".dcm.gz"):
        data = gzip.decompress(data)
    try:
        source = open_files([data], ReadOptions(), name=path.name)
        found = {s.number: (s.facts.get("Voxels"), s.facts.get("VolumeMl")) for s in source.structures if s.usable}
        for number in found:
            source.shape(number)
    except (InvalidInput, TooLarge) as error:
        return {}, [str(error)]
    return found, [structure.reason for structure in source.structures if not structure.usable]


@pytest.mark.parametrize("path", FILES, ids=["/".join(path.parts[-3:]) for path in FILES])
def test_a_file_gives_its_truth_or_its_reason(path: Path) -> None:
    found, reasons = told(path)
    place = path.as_posix()
    assert all(len(reason) > 15 and "Error" not in reason for reason in reasons), reasons
    assert found or reasons
    for end, truth in TRUTHS.items():
        if place.endswith(end):
            assert found == truth
    if place.endswith((".nii", ".nii.gz", ".nrrd")) and any(voxels for voxels, _ in found.values()):
        assert found == counted(path)  # grey volumes have no count of voxels
    for part, reason in REASONS.items():
        if part in path.name:
            assert not found
            assert re.search(re.escape(reason), reasons[0])


def test_the_tables_are_of_files_that_are_there() -> None:
    if not FILES:
        pytest.skip("the shared data are not here")
    for end in TRUTHS:
        assert any(path.as_posix().endswith(end) for path in FILES), end
    for part in REASONS:
        assert any(part in path.name for path in FILES), part
