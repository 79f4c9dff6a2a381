"""Every source is at every place: command line, Orthanc Explorer, pages, the reference with an example, the mutants.

That each is converted on a cluster stands in `tests/engine/test_cluster.py`, that its examples run in
`tests/live/test_docs.py`, that its button leads to its structures in `tests/browser/test_explorer_buttons.py`.
"""

from __future__ import annotations

import ast
import io
import json
import re
from pathlib import Path

import pydicom
import pytest

import orthanc_stl as stl
from orthanc_stl.cli import main
from orthanc_stl.dicom import sop_classes
from orthanc_stl.dicom.sop_classes import STORED_MODALITIES
from orthanc_stl.rest.routes.sources import table
from orthanc_stl.sources.kinds import KINDS, SHOWN_MODALITIES, Kind
from tests.sources import test_mutants as mutants

REPOSITORY = Path(__file__).parents[2]
WEBASSETS = REPOSITORY / "orthanc_stl" / "webassets"
APP = WEBASSETS / "app"

EXAMPLES = {
    "rtstruct": "$INSTANCE", "seg": "$SEG", "rtdose": "$DOSE", "surface-segmentation": "$SURFACES",
    "encapsulated": "$STORED", "nifti": "mask.nii.gz", "nrrd": "organs.nrrd", "mesh": "kidneys.glb",
    "images": "$SERIES",
}  # fmt: skip
"""What an example of docs/rest.md names, by the key of the source that it is of."""

UPLOADED = {"SEG": "seg", "DOSE": "rtdose", "SURFACES": "surfaces", "STORED": "encapsulated"}
"""Variables of the examples, and which of the files of test_mutants.py they stand for when the page is run."""

IN_EXPLORER = ("seg", "seg-labelmap", "rtdose", "surfaces", "encapsulated", "encapsulated-obj")
"""Those whose button in Orthanc Explorer is clicked; RT-STRUCT and images have tests of their own."""

every_source = pytest.mark.parametrize("kind", KINDS, ids=[kind.key for kind in KINDS])


def sample(key: str, folder: Path) -> list[Path]:
    """The files of a small one of a source."""
    name, (_, made) = next((name, entry) for name, entry in mutants.FILES.items() if entry[0] == key and name != "mtl")
    suffix = next((kind.suffixes[0] for kind in KINDS if kind.key == key and kind.suffixes), ".dcm")
    files = []
    around = mutants.AROUND.get(name)
    for place, data in enumerate(around(made()) if around else [made()]):
        files.append(folder / f"{key}{place}{suffix}")
        files[-1].write_bytes(data)
    return files


@every_source
def test_the_command_line_lists_and_converts_it(kind: Kind, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(file) for file in sample(kind.key, tmp_path)]
    assert main(["structures", *files, "--json"]) == 0
    usable = [one["Name"] for one in json.loads(capsys.readouterr().out) if one["Usable"]]
    asked = ["--threshold", "-500"] if kind.key == "images" else []
    assert usable or asked
    out = tmp_path / "model.glb"
    assert main(["convert", *files, "-o", str(out), "--resolution", "32", "--tolerance", "0", *asked]) == 0
    assert all(part.volume_ml > 0 for part in stl.read(out).mesh(resolution=32))


@every_source
def test_the_reference_has_an_example_of_it(kind: Kind) -> None:
    page = (REPOSITORY / "docs" / "rest.md").read_text("utf-8")
    fences = re.findall(r"^```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert any(EXAMPLES[kind.key] in fence and "/stl/encode" in fence for fence in fences)


@every_source
def test_orthanc_explorer_and_the_pages_take_it(kind: Kind) -> None:
    """Objects by their class or the modality of their series, as /stl/sources has them, files by their endings."""
    assert bool(kind.modalities) == bool(kind.sop_classes or kind.key == "images")
    words = [json.loads((APP / "words" / f"{language}.json").read_text("utf-8")) for language in ("de", "fr")]
    assert not kind.modalities or all(kind.label in table for table in words)
    assert next(one for one in table()["Sources"] if one["Key"] == kind.key)["Suffixes"] == kind.suffixes


def test_pages_have_sop_classes_from_the_server_alone() -> None:
    scripts = (file for file in WEBASSETS.rglob("*.js") if "node_modules" not in file.parts)
    assert [file.name for file in scripts if "1.2.840.10008" in file.read_text("utf-8")] == []


def test_sop_classes_stand_in_one_place() -> None:
    """In code; what a docstring says of one is no second truth."""
    places = set()
    for file in (REPOSITORY / "orthanc_stl").rglob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text("utf-8"))))
        documents = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        texts = [node for node in nodes if isinstance(node, ast.Constant) and id(node) not in documents]
        places |= {file.name for text in texts if "1.2.840.10008.5.1.4.1.1" in str(text.value)}
    assert places == {"sop_classes.py"}


def test_pages_have_modalities_from_the_server_alone() -> None:
    """Of structures, models and images; what a page says of them in a sentence is no comparison."""
    known = {modality for kind in KINDS for modality in kind.modalities} | {*STORED_MODALITIES, *SHOWN_MODALITIES}
    literal = re.compile(rf"""(['"`])({"|".join(sorted(known))})\1""")
    scripts = (file for file in APP.rglob("*.js") if "node_modules" not in file.parts)
    assert [f"{file.name}: {found[2]}" for file in scripts for found in literal.finditer(file.read_text("utf-8"))] == []


def test_the_route_has_the_modalities() -> None:
    answer = table()
    kinds = {one["Key"]: one["Modalities"] for one in answer["Sources"]}
    assert kinds["encapsulated"] == ("M3D",)
    assert answer["StoredModalities"] == ("M3D", "OT")
    assert set(kinds["images"]) < set(answer["ShownModalities"])
    assert not {"M3D", "SEG", "RTSTRUCT", "RTDOSE"} & set(answer["ShownModalities"])


def test_the_route_has_the_classes_that_are_read_and_stored() -> None:
    answer = table()
    assert [(one["Key"], one["SOPClasses"]) for one in answer["Sources"]] == [
        (kind.key, kind.sop_classes) for kind in KINDS
    ]
    stored = {name: getattr(sop_classes, f"ENCAPSULATED_{name}") for name in ("STL", "OBJ", "MTL")}
    assert answer["Stored"] == stored | {"Nexus": sop_classes.RAW_DATA}
    assert answer["NexusCreator"] == sop_classes.NEXUS_CREATOR


def test_every_class_has_its_button_clicked_and_every_kind_its_example_run() -> None:
    files = [pydicom.dcmread(io.BytesIO(mutants.FILES[name][1]())) for name in IN_EXPLORER]
    others = [kind for kind in KINDS if kind.sop_classes and kind.key != "rtstruct"]
    assert {file.SOPClassUID for file in files} == {one for kind in others for one in kind.sop_classes}
    assert {file.Modality for file in files} == {one for kind in others for one in kind.modalities}
    assert {mutants.FILES[name][0]: f"${variable}" for variable, name in UPLOADED.items()} == {
        kind.key: EXAMPLES[kind.key] for kind in others
    }


@every_source
def test_it_is_damaged_500_times(kind: Kind) -> None:
    assert kind.key in {key for key, _ in mutants.FILES.values()}
    assert mutants.MUTANTS >= 500
