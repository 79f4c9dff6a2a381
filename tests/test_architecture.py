"""The arrows between packages, and that a new source and a new format need one file and one line each."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orthanc_stl.conversion.options import SOURCE_OPTIONS
from orthanc_stl.conversion.request import OPTIONS

PACKAGE = Path(__file__).parent.parent / "orthanc_stl"

# A package may import those of lower rank, and itself. `errors`, `settings` and `__version__` are for all.
RANK = {
    "mesh": 0,
    "model": 1,
    "dicom": 2,
    "formats": 3,
    "sources": 4,
    "conversion": 5,
    "engine": 6,
    "nexus": 7,
    "tasks": 8,
    "rest": 8,
}
FOR_ALL = {"errors", "__version__"}

# What runs in Orthanc's own process, where numpy and pydicom must not be: the worker's side of engine/ is not in it.
IN_ORTHANC = ("plugin", "rest.routes.table", "rest.http.dispatch", "engine.jobs", "engine.pool", "engine.cluster")
HEAVY = {"numpy", "scipy", "vtkmodules", "pydicom", "nibabel", "skimage", "trimesh", "PIL", "lxml", "nrrd"}


def imports() -> Iterator[tuple[str, str, str]]:
    """File, its package, and the package of each of our modules that it imports, also within functions."""
    for file in sorted(PACKAGE.rglob("*.py")):
        own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in names:
                parts = name.split(".")
                if parts[0] == "orthanc_stl" and len(parts) > 1:
                    yield str(file.relative_to(PACKAGE)), own, parts[1]


def test_arrows_point_one_way() -> None:
    wrong = {
        f"{file}: {own} imports {other}"
        for file, own, other in imports()
        if own in RANK and other in RANK and own != other and RANK[other] >= RANK[own]
    }
    assert not wrong, "\n".join(sorted(wrong))


def test_geometry_knows_no_configuration_and_no_server() -> None:
    wrong = {
        f"{file} imports {other}" for file, own, other in imports() if own == "mesh" and other not in {"mesh", *FOR_ALL}
    }
    assert not wrong, "\n".join(sorted(wrong))


def test_messages_of_the_geometry_name_no_options() -> None:
    """Whoever calls it from Python has no `EndCaps`, and its volumes need not be NIfTI."""
    keys = "|".join([*(option.key for option in OPTIONS), *SOURCE_OPTIONS, "NIfTI"])
    named = []
    for file in sorted((PACKAGE / "mesh").rglob("*.py")):
        nodes = list(ast.walk(ast.parse(file.read_text("utf-8"))))
        documents = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
                named += [f"{file.name}: {key}" for key in re.findall(rf"\b({keys})\b", node.value)]
    assert named == []


def test_the_engine_knows_nothing_of_what_it_carries() -> None:
    wrong = {
        f"{file} imports {name}"
        for file, own, name in imports()
        if own == "engine" and name not in {"engine", *FOR_ALL} and (file, name) != ("engine/executor.py", "mesh")
    }  # what the executor has of mesh/ is the type of a progress report
    assert not wrong, "\n".join(sorted(wrong))


def test_only_the_script_imports_orthanc() -> None:
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert "orthanc" not in names, file


@pytest.mark.parametrize("module", IN_ORTHANC)
def test_nothing_heavy_is_in_orthancs_process(module: str) -> None:
    code = f"import sys, orthanc_stl.{module}; print(sorted({HEAVY} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_public_names_are_there() -> None:
    import orthanc_stl

    assert all(getattr(orthanc_stl, name) is not None for name in orthanc_stl.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = orthanc_stl.nothing


def test_names_are_those_of_the_field() -> None:
    """Names of version 0.1 for which there are usual ones: island, VOLUME_PRECISION, smooth_and_orient, got 1."""
    unusual = {
        "Turns", "bury", "verdict", "Lonely", "BRIM", "NEARLY", "LITTLE", "also", "finished",
        "Slight", "Done", "FEW_BLOCKS", "brim", "room", "came", "curled",
    }  # fmt: skip
    for file in sorted(PACKAGE.rglob("*.py")):
        nodes = list(ast.walk(ast.parse(file.read_text("utf-8"))))
        named = {getattr(node, kind, None) for node in nodes for kind in ("name", "id", "arg")}
        assert not named & unusual, file
        documents = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        texts = [node.value for node in nodes if isinstance(node, ast.Constant) and id(node) not in documents]
        came = [text for text in texts if isinstance(text, str) and re.search(r"\bcame\b(?! about)", text)]
        assert not came, file


PLACES = (PACKAGE.parent, PACKAGE, PACKAGE / "mesh", PACKAGE / "mesh/contours", PACKAGE / "engine")


@pytest.mark.parametrize(
    "document", ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/adding-a-format.md", "docs/decisions"]
)
def test_files_that_the_documents_name_are_there(document: str) -> None:
    path = PACKAGE.parent / document
    for file in path.glob("*.md") if path.is_dir() else [path]:
        named = re.findall(r"`([\w./-]+(?:\.py|\.json|\.md|/))`", file.read_text("utf-8"))
        missing = [name for name in named if not any((place / name).exists() for place in PLACES)]
        assert named or path.is_dir()
        assert not missing, f"{file.name}: {missing}"


def test_tests_and_benchmarks_share_only_the_package_testing() -> None:
    root = PACKAGE.parent
    for own, others in (("tests", "benchmarks"), ("benchmarks", "tests"), ("testing", "tests|benchmarks")):
        pattern = re.compile(rf"^\s*(from|import) ({others})\b|\"({others})\.[a-z_.]+\"", re.MULTILINE)
        wrong = [file.name for file in (root / own).rglob("*.py") if pattern.search(file.read_text("utf-8"))]
        assert not wrong, f"{own} imports {others} in {', '.join(wrong)}"
