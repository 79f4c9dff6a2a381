"""The arrows between packages, and that a new source and a new format need one file and one line each."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from orthanc_stl.conversion.options import SOURCE_OPTIONS
from orthanc_stl.conversion.request import OPTIONS

PACKAGE = Path(__file__).parent.parent / "orthanc_stl"

# What runs in Orthanc's own process, where numpy and pydicom must not be: the worker's side of engine/ is not in it.
IN_ORTHANC = ("plugin", "rest.routes.table", "rest.http.dispatch", "engine.jobs", "engine.pool", "engine.cluster")
HEAVY = {"numpy", "scipy", "vtkmodules", "pydicom", "nibabel", "skimage", "trimesh", "PIL", "lxml", "nrrd"}


def test_imports_follow_the_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    """Those in pyproject.toml: arrows between packages, no circles, what the engine and the geometry may not know."""
    kept = lint_imports(config_filename=str(PACKAGE.parent / "pyproject.toml"), no_cache=True, no_logo=True) == 0
    assert kept, capsys.readouterr().out


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
        "Slight", "Done", "STEADY", "FEW_BLOCKS", "brim", "room", "came", "curled",
    }  # fmt: skip
    for file in sorted(PACKAGE.rglob("*.py")):
        nodes = list(ast.walk(ast.parse(file.read_text("utf-8"))))
        named = {getattr(node, kind, None) for node in nodes for kind in ("name", "id", "arg")}
        assert not named & unusual, file
        documents = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        texts = [node.value for node in nodes if isinstance(node, ast.Constant) and id(node) not in documents]
        came = [text for text in texts if isinstance(text, str) and re.search(r"\bcame\b(?! about)", text)]
        assert not came, file


MOST_LINES, MOST_LINES_OF_A_FUNCTION = 300, 60


def test_files_and_functions_are_short() -> None:
    root = PACKAGE.parent
    folders = ("orthanc_stl", "runtime", "testing", "tests", "benchmarks")
    files = [file for folder in folders for kind in ("py", "js", "mjs") for file in (root / folder).rglob(f"*.{kind}")]
    texts = {str(file.relative_to(root)): file.read_text("utf-8") for file in files}
    assert [name for name, text in texts.items() if text.count("\n") > MOST_LINES] == []
    long = [
        f"{name}: {node.name}"
        for name, text in texts.items()
        if name.endswith(".py")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []


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
