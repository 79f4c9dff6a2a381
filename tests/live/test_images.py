"""Images of series on a real Orthanc: geometry, values of every level, transfer syntaxes, memory."""

from __future__ import annotations

import gzip
import importlib.util
import io
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import UID, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from orthanc_stl.sources.image_values import unpacked
from testing.data import shared_files
from testing.image_phantoms import enhanced, nuclear, single_frame
from testing.server import OrthancServer

IMPLICIT, BIG_ENDIAN = UID("1.2.840.10008.1.2"), UID("1.2.840.10008.1.2.2")


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer() as server:
        yield server


def upload(server: OrthancServer, files: list[bytes]) -> str:
    """The series of these files, stored in a mixed order."""
    for index in np.random.default_rng(5).permutation(len(files)):
        instance = server.upload(files[index])
    series: str = server.get(f"/instances/{instance}").json()["ParentSeries"]
    return series


def described(server: OrthancServer, series: str) -> dict[str, Any]:
    reply = server.get(f"/series/{series}/stl/images")
    assert reply.status == 200, reply.body
    found: dict[str, Any] = reply.json()
    return found


def level(server: OrthancServer, found: dict[str, Any], step: int, stack: int = 0, layout: str = "int16") -> np.ndarray:
    """All slices of a level, asked for as the description allows, (slices, rows, columns)."""
    (one,) = [one for one in found["Stacks"][stack]["Levels"] if one["Step"] == step]
    columns, rows, count = one["Size"]
    parts = []
    for first in range(0, count, one["MaxSlices"]):
        last = min(first + one["MaxSlices"], count) - 1
        path = f"/series/{found['Series']}/stl/images/{stack}/{step}/{first}-{last}?layout={layout}"
        reply = server.get(path, {"Accept-Encoding": "gzip"})
        assert reply.status == 200, reply.body
        assert reply.headers["content-type"] == ["application/octet-stream"]
        assert reply.headers["content-encoding"] == ["gzip"]
        data, shape = gzip.decompress(reply.body), (last - first + 1, rows, columns)
        assert len(data) == one["BytesPerSlice"] * shape[0]
        parts.append(unpacked(data, shape) if layout == "packed" else np.frombuffer(data, "<i2").reshape(shape))
    return np.concatenate(parts)


def values_of(found: dict[str, Any], stored: np.ndarray, stack: int = 0) -> np.ndarray:
    return stored * found["Stacks"][stack]["Slope"] + found["Stacks"][stack]["Intercept"]


def truth(files: list[bytes]) -> list[tuple[float, np.ndarray, pydicom.Dataset]]:
    """By pydicom: place along the normal, values, the image; ascending."""
    slices = []
    for file in files:
        ds = pydicom.dcmread(io.BytesIO(file))
        row, column = np.array(ds.ImageOrientationPatient[:3]), np.array(ds.ImageOrientationPatient[3:])
        at = float(np.cross(row, column) @ np.array(ds.ImagePositionPatient))
        values = ds.pixel_array * float(ds.get("RescaleSlope", 1)) + float(ds.get("RescaleIntercept", 0))
        slices.append((at, values, ds))
    return sorted(slices, key=lambda item: item[0])


@pytest.mark.parametrize("modality", ["CT", "MR_T1", "PET"])
def test_real_series_are_where_and_what_they_say(server: OrthancServer, modality: str) -> None:
    files = [file.read_bytes() for file in shared_files(f"rtstruct/mim-ibsi-STS_019/{modality}/image/*.dcm")]
    if not files:
        pytest.skip("the images of STS_019 are not here")
    found = described(server, upload(server, files))
    expected = truth(files)
    assert found["Reason"] == ""
    assert found["Modality"] == modality[:2] if modality != "PET" else "PT"
    (stack,) = found["Stacks"]
    values = np.stack([values for _, values, _ in expected])
    assert stack["Size"] == list(values.shape[::-1])
    assert np.allclose(stack["Positions"], [at for at, _, _ in expected], atol=1e-6)
    assert stack["FrameOfReferenceUID"] == expected[0][2].FrameOfReferenceUID
    assert stack["Units"] == {"CT": "HU", "PET": "GML"}.get(modality, "")
    uids = [server.get(f"/instances/{name}").json()["MainDicomTags"]["SOPInstanceUID"] for name in stack["Instances"]]
    assert uids == [ds.SOPInstanceUID for _, _, ds in expected]
    affine = np.array(stack["Affine"])
    for index in (0, -1):
        at = affine @ [0, 0, index % len(expected), 1]
        assert np.allclose(at[:3], [float(x) for x in expected[index][2].ImagePositionPatient], atol=1e-6)
    spacing = expected[0][2].PixelSpacing
    assert np.allclose(np.linalg.norm(affine[:3, :2], axis=0), [float(spacing[1]), float(spacing[0])])
    step = 0 if modality == "CT" else stack["Slope"] / 2
    for layout in ("int16", "packed"):
        assert np.abs(values_of(found, level(server, found, 1, layout=layout)) - values).max() <= step * 1.001
    low, high = stack["Window"][0] - stack["Window"][1] / 2, stack["Window"][0] + stack["Window"][1] / 2
    shown = (values[len(values) // 2] >= low) & (values[len(values) // 2] <= high)
    assert shown.mean() > 0.3  # a window in which there is something to see


def test_coarse_levels_are_means_of_blocks_and_lie_in_their_middle(server: OrthancServer) -> None:
    k, j, i = np.mgrid[:50, :118, :122]
    values = (3 * i + 5 * j + 7 * k).astype(np.int16)
    files = [single_frame(one, (10, 20, 2.5 * z), z, seed="ramp", spacing=(0.7, 0.9)) for z, one in enumerate(values)]
    found = described(server, upload(server, files))
    (stack,) = found["Stacks"]
    assert [one["Step"] for one in stack["Levels"]] == [4, 2, 1]
    assert stack["Levels"][0]["Size"] == [31, 30, 13]
    # On a ramp the mean of a block is the value in its middle, and that is where the level's affine puts it.
    for one in stack["Levels"]:
        coarse = level(server, found, one["Step"])
        where = np.linalg.inv(stack["Affine"]) @ np.array(one["Affine"])
        full = [size // one["Step"] for size in stack["Size"]]  # blocks that are full
        z, y, x = np.mgrid[: full[2], : full[1], : full[0]]
        at = np.einsum("ij,jzyx->izyx", where[:3, :3], np.stack([x, y, z])) + where[:3, 3, None, None, None]
        expected = 3 * at[0] + 5 * at[1] + 7 * at[2]
        assert np.abs(coarse[: full[2], : full[1], : full[0]] - expected).max() <= 0.5


def test_every_transfer_syntax_that_orthanc_decodes_and_jpeg_2000(server: OrthancServer) -> None:
    rng = np.random.default_rng(7)
    values = (rng.normal(0, 300, (6, 40, 50))).astype(np.int16)
    syntaxes = {"implicit": IMPLICIT, "big": BIG_ENDIAN, "rle": RLELossless, "j2k": JPEG2000Lossless}
    if importlib.util.find_spec("jpeg_ls"):
        syntaxes["jls"] = JPEGLSLossless
    if shutil.which("dcmcjpeg"):
        syntaxes["jpeg"] = JPEGLosslessSV1
    for name, syntax in syntaxes.items():
        files = [single_frame(one, (0, 0, z), z, seed=name) for z, one in enumerate(values)]
        files = [transcoded(file, syntax) for file in files]
        found = described(server, upload(server, files))
        assert (level(server, found, 1) == values).all(), name


def transcoded(file: bytes, syntax: UID) -> bytes:
    if syntax == JPEGLosslessSV1:  # the usual one of CT, which pydicom does not write
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "in.dcm").write_bytes(file)
            subprocess.run(["dcmcjpeg", "+e1", "+un", "in.dcm", "out.dcm"], cwd=folder, check=True)
            return (Path(folder) / "out.dcm").read_bytes()
    ds = pydicom.dcmread(io.BytesIO(file))
    out = io.BytesIO()
    if syntax.is_compressed:
        ds.compress(syntax, generate_instance_uid=False)
    elif syntax == BIG_ENDIAN:
        ds.PixelData = ds.pixel_array.astype(">i2").tobytes()
    ds.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(out, ds, implicit_vr=syntax == IMPLICIT, little_endian=syntax != BIG_ENDIAN, force_encoding=True)
    return out.getvalue()


def test_multi_frame_tilted_uneven_and_inverted(server: OrthancServer) -> None:
    rng = np.random.default_rng(11)
    values = rng.integers(-1000, 2000, (7, 20, 24), dtype=np.int16)
    places = np.cumsum([0, 2, 2, 3, 1, 2, 2.5])
    positions = [np.array([-5.0, -4 + 0.3 * z, z]) for z in places]
    order = rng.permutation(len(values))
    file = enhanced(values[order], [positions[index] for index in order], seed="live", slopes=[1] * 7)
    found = described(server, upload(server, [file]))
    (stack,) = found["Stacks"]
    assert [name.split("/")[1:] for name in stack["Instances"]] == [
        ["frames", str(list(order).index(index))] for index in range(7)
    ]
    assert np.allclose(stack["Positions"], places)
    assert not stack["Even"]
    assert np.allclose(np.array(stack["Affine"]) @ [0, 0, 6, 1], [*positions[-1], 1])
    assert (level(server, found, 1) == values).all()
    assert stack["Window"] == [50, 350]

    inverted = [single_frame(one, positions[z], z, seed="inverted", PhotometricInterpretation="MONOCHROME1")
                for z, one in enumerate(values)]  # fmt: skip
    found = described(server, upload(server, inverted))
    assert found["Stacks"][0]["Inverted"] is True
    assert (level(server, found, 1) == values).all()

    counts = rng.integers(0, 60_000, (5, 16, 16), dtype=np.uint16)
    found = described(server, upload(server, [nuclear(counts, (0, 0, 9), 4.0, seed="live nm")]))
    assert found["Stacks"][0]["Positions"] == [9, 13, 17, 21, 25]
    assert (values_of(found, level(server, found, 1)) == counts).all()


def test_pieces_are_kept_by_browsers_and_small(server: OrthancServer) -> None:
    values = np.zeros((40, 300, 300), np.int16)
    series = upload(server, [single_frame(one, (0, 0, z), z, seed="pieces") for z, one in enumerate(values)])
    found = described(server, series)
    path = f"/series/{series}/stl/images/0"
    plain = server.get(f"{path}/1/3-5")
    assert plain.headers.get("content-encoding") is None
    assert len(plain.body) == 3 * 300 * 300 * 2
    etag = plain.headers["etag"][0]
    assert "private" in plain.headers["cache-control"][0]
    again = server.get(f"{path}/1/3-5", {"If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")
    assert server.get(f"{path}/1/3-5", {"Accept-Encoding": "gzip"}).headers["etag"][0] != etag
    most = found["MaxSlices"]
    assert most == (4 << 20) // (300 * 300 * 2)
    for wrong, status in (
        ("1/5-3", 400), ("1/0-40", 400), (f"1/0-{most}", 413), ("3/0-1", 404), ("1/0-0?layout=png", 400),
    ):  # fmt: skip
        reply = server.get(f"{path}/{wrong}")
        assert reply.status == status, wrong
        assert reply.json()["Details"]
    assert server.get(f"/series/{series}/stl/images/1/1/0-0").status == 404
    assert server.get(f"/series/{'0' * 8}-{'-'.join(['0' * 8] * 4)}/stl/images").status == 404
    # Another image, and the pieces are others.
    server.upload(single_frame(values[0], (0, 0, 40), 40, seed="pieces"))
    assert described(server, series)["Stacks"][0]["Size"] == [300, 300, 41]
    assert server.get(f"{path}/1/3-5").headers["etag"][0] != etag


def test_what_is_no_volume_says_why(server: OrthancServer) -> None:
    color = np.zeros((3, 8, 8), np.uint8)
    cases: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("nowhere", {"ImagePositionPatient": ""}, "where in the patient"),
        ("color", {"PhotometricInterpretation": "PALETTE COLOR"}, "in color"),
        ("seg", {"Modality": "SEG"}, "a segmentation"),
    )
    for seed, more, words in cases:
        files = [single_frame(one, (0, 0, z), z, seed=seed, **more) for z, one in enumerate(color)]
        series = upload(server, files)
        found = described(server, series)
        assert found["Stacks"] == []
        assert words in found["Reason"]
        assert found["Reason"].endswith(".")
        assert words in server.get(f"/series/{series}/stl/images/0/1/0-0").json()["Details"]


def test_a_damaged_image_is_named_and_does_not_end_the_worker(server: OrthancServer) -> None:
    values = np.zeros((4, 30, 30), np.int16)
    files = [single_frame(one, (0, 0, z), z, seed="damaged") for z, one in enumerate(values)]
    ds = pydicom.dcmread(io.BytesIO(files[2]))
    ds.PixelData = ds.PixelData[:100]
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    series = upload(server, [*files[:2], out.getvalue(), files[3]])
    workers = server.children()
    reply = server.get(f"/series/{series}/stl/images/0/1/0-3")
    assert reply.status == 400
    assert "cannot be used" in reply.json()["Details"]
    assert server.get(f"/series/{series}/stl/images/0/1/0-1").status == 200
    assert set(workers) <= set(server.children())


def test_another_series_of_the_same_identifier_is_read_anew_within_a_second(server: OrthancServer) -> None:
    """Orthanc tells only in which second a series changed last."""
    slices = np.arange(2 * 4 * 4, dtype=np.int16).reshape(2, 4, 4)
    at = [(0.0, 0.0, z) for z in (0.0, 2.0)]
    moved = [(5.0, 0.0, z) for z in (0.0, 2.0)]
    several = [enhanced(slices, places, seed="again", slopes=[1.0, 1.0]) for places in (at, moved)]
    nm = nuclear(slices.astype(np.uint16), (7.0, 0.0, 0.0), 3.0, seed="again")
    seen = []
    for file in (several[0], nm, several[1], several[0], nm):
        series = upload(server, [file])
        (stack,) = described(server, series)["Stacks"]
        piece = server.get(f"/series/{series}/stl/images/0/1/0-1")
        listed = server.get(f"/series/{series}/stl/structures")
        assert (piece.status, listed.status) == (200, 200), (piece.body, listed.body)
        seen.append((stack["Affine"][0][3], piece.headers["etag"][0]))
        server.delete(f"/series/{series}")
    assert [x for x, _ in seen] == [0, 7, 5, 0, 7]
    assert len({etag for _, etag in seen}) == 5, "a browser would show the images that it has kept"
