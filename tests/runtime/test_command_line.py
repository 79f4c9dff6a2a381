"""`orthanc-stl convert` and `structures`: the conversions without a server, as a person calls them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

from orthanc_stl import __version__
from orthanc_stl.api import Model
from orthanc_stl.formats.stl import read_stl
from runtime.common import REPOSITORY
from runtime.phantom.study import study
from testing.nifti_phantoms import folder_of_masks
from testing.scenes import part, sphere

COMMAND = [sys.executable, "-P", "-m", "orthanc_stl"]


@pytest.fixture(scope="module")
def rtss(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("phantom") / "structures.dcm"
    next(dataset for _, dataset in study() if dataset.Modality == "RTSTRUCT").save_as(file, enforce_file_format=True)
    return file


def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=120, check=False)


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr of a call that failed."""
    assert done.returncode == 1, done
    (line,) = done.stderr.splitlines()
    return line


def commands_of(program: list[str]) -> set[str]:
    """As its help has them."""
    done = subprocess.run([*program, "--help"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return set(re.findall(r"^    ([a-z-]+) ", done.stdout, re.MULTILINE))


def test_the_program_of_the_source_tree_and_that_of_the_package_have_the_same_commands() -> None:
    both = commands_of(COMMAND), commands_of([sys.executable, "-P", "-m", "runtime"])
    assert both[0] == both[1] >= {"run", "demo", "convert", "print-check", "plugin-path"}


def test_the_package_hands_over_to_the_source_tree_that_it_lies_in() -> None:
    assert sentence(call("run", "--port", "0")).startswith("orthanc-stl: port 0 cannot be used")


def test_a_package_without_the_source_tree_says_where_the_command_works(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "orthanc_stl", tmp_path / "orthanc_stl", ignore=shutil.ignore_patterns("webassets"))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "orthanc_stl", "demo", "--port", "8043"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert sentence(done).startswith('orthanc-stl: "demo" works with a private Orthanc that the source tree sets up')


def test_structures_are_listed(rtss: Path) -> None:
    done = call("structures", rtss)
    names = [line.split()[1] for line in done.stdout.splitlines()]
    assert {"Body", "Heart"} <= set(names)
    assert [roi["Name"].split()[0] for roi in json.loads(call("structures", rtss, "--json").stdout)] == names


def test_a_reader_that_has_seen_enough_is_no_error(rtss: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*COMMAND, "structures", rtss], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_several_structures_in_one_model(rtss: Path, tmp_path: Path) -> None:
    volumes = {}
    for names in (["Heart"], ["Lung_L"], ["Heart", "Lung_L"]):
        options = [word for name in names for word in ("--roi", name)]
        out = tmp_path / "out.stl"
        done = call("convert", "rtstruct", rtss, *options, "--resolution", "128", "-o", out)
        assert done.returncode == 0, done
        assert ", closed" in done.stderr
        volumes[tuple(names)] = float(done.stderr.split(" mL")[0].split()[-1])
        assert f": {len(read_stl(out.read_bytes()).triangles)} triangles" in done.stderr
    *single, both = volumes.values()
    assert both == pytest.approx(sum(single), rel=0.02)
    assert [file.name for file in tmp_path.iterdir()] == ["out.stl"]


def test_the_options_are_those_of_the_server(rtss: Path, tmp_path: Path) -> None:
    made = []
    for options in ([], ["--no-smooth"], ["--no-end-caps"], ["--resolution", "64"]):
        assert call("convert", "rtstruct", rtss, "--roi", "Heart", *options, "-o", tmp_path / "o.stl").returncode == 0
        made.append((tmp_path / "o.stl").read_bytes())
    assert len(set(made)) == len(made)


def test_a_label_of_a_nifti_volume(tmp_path: Path) -> None:
    volume = np.zeros((20, 20, 20), np.uint8)
    volume[5:15, 5:15, 5:15] = 5
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / "labels.nii.gz")
    done = call("convert", "nifti", tmp_path / "labels.nii.gz", "--label", "5", "--no-smooth", "-o", tmp_path / "o.stl")
    assert done.returncode == 0, done
    assert float(done.stderr.split(" mL")[0].split()[-1]) == pytest.approx(1.0, rel=0.05)


def test_several_masks_are_a_structure_each(tmp_path: Path) -> None:
    for place, name in enumerate(("liver", "spleen")):
        volume = np.zeros((20, 20, 20), np.uint8)
        volume[5:15, 5:15, 2 + 9 * place : 9 + 9 * place] = 1
        nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / f"{name}.nii.gz")
    masks = sorted(tmp_path.glob("*.nii.gz"))
    assert [line.split()[1:3] for line in call("structures", *masks).stdout.splitlines()] == [
        ["liver", "0.700"], ["spleen", "0.700"],
    ]  # fmt: skip
    done = call("convert", *masks, "-o", tmp_path / "all.glb")
    assert done.returncode == 0, done
    assert [call("structures", tmp_path / "all.glb").stdout.split()[n] for n in (1, 5)] == ["liver", "spleen"]


def test_a_file_for_each_structure_and_a_smaller_one_of_all(tmp_path: Path) -> None:
    """Structures of one name overwrite no other's file."""
    names = ("aux", "PTV 1", "PTV_1")
    scene = Model(tuple(part(n, name, sphere(9 + n, (40 * n, 0, 0), 30)) for n, name in enumerate(names, 1)))
    scene.save(tmp_path / "scene.glb")
    assert call("convert", tmp_path / "scene.glb", "--separate", "-o", tmp_path / "out.stl").returncode == 0
    files = {file.name: len(read_stl(file.read_bytes()).triangles) for file in tmp_path.glob("out*")}
    assert files == dict.fromkeys(("out-_aux.stl", "out-PTV_1.stl", "out-PTV_1_2.stl"), 3480)
    small, large = tmp_path / "small.glb", tmp_path / "large.glb"
    for out, more in ((small, ["--compress"]), (large, [])):
        assert call("convert", tmp_path / "scene.glb", *more, "-o", out).returncode == 0
    assert small.stat().st_size < 0.75 * large.stat().st_size
    assert b"KHR_mesh_quantization" in small.read_bytes()
    wrong = call("convert", tmp_path / "scene.glb", "--compress", "-o", tmp_path / "no.ply")
    assert sentence(wrong) == "orthanc-stl: compress makes files of GLB smaller, not those of PLY"


@pytest.mark.slow
def test_the_117_files_of_totalsegmentator(tmp_path: Path) -> None:
    files = folder_of_masks()
    for name, (data, _) in files.items():
        (tmp_path / name).write_bytes(data)
    listed = call("structures", *(tmp_path / name for name in files))
    assert all(f" {name.removesuffix('.nii.gz')}" in listed.stdout for name in files), listed.stdout
    done = call("convert", *(tmp_path / name for name in files), "-o", tmp_path / "all.glb")
    assert done.returncode == 0, done.stderr
    data = (tmp_path / "all.glb").read_bytes()
    document = json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])
    parts = {node["name"] for node in document["nodes"] if "mesh" in node}
    assert parts == {name.removesuffix(".nii.gz") for name in files}


def test_what_cannot_work_is_one_sentence(rtss: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.stl"
    unknown = call("convert", "rtstruct", rtss, "--roi", "Nose", "-o", out)
    assert 'no structure "Nose"; it has 1 "Body"' in sentence(unknown)
    assert "one of these is expected: an RT-STRUCT" in sentence(call("structures", __file__))
    assert "Not a NIfTI file" in sentence(call("convert", "nifti", rtss, "-o", out))
    assert "/no/file: No such file" in sentence(call("structures", "/no/file"))
    nowhere = call("convert", "rtstruct", rtss, "--roi", "Heart", "-o", "/no/folder/o.stl")
    assert sentence(nowhere) == "orthanc-stl: /no/folder/o.stl: No such file or directory"
    for value in ("1", "1025", "fine"):
        wrong = call("convert", "rtstruct", rtss, "--roi", "Heart", "--resolution", value, "-o", out)
        assert wrong.returncode == 2
        assert f"must be a number from 2 to 1024, not {value}" in wrong.stderr
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    pipe = tmp_path / "rtss.dcm"
    os.mkfifo(pipe)
    command: list[str | Path] = [*COMMAND, "convert", "rtstruct", pipe, "--roi", "Heart", "-o", tmp_path / "o.stl"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    with pipe.open("wb"):  # opens once the command reads
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, b"")
    assert list(tmp_path.iterdir()) == [pipe]


def test_it_says_its_version_and_what_orthanc_needs() -> None:
    assert call("--version").stdout == f"{__version__}\n"
    lines = json.loads("{" + call("plugin-path").stdout + "}")
    assert Path(lines["PythonScript"]).read_text().startswith('"""The one script that Orthanc')
    assert lines["Python"] == {"AllowThreads": True}
