"""Identifiers stand once; nothing is there that nothing uses; no test measures time."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "orthanc_stl"
SOURCES = {str(file.relative_to(ROOT)): file.read_text("utf-8") for file in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(text) for name, text in SOURCES.items()}


def test_identifiers_stand_once() -> None:
    """The UID of RT structure sets stood four times, the pattern of Orthanc's identifiers three times."""
    texts = Counter(
        node.value
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    uids = re.compile(r"1\.2\.840\.10008\.[0-9.]{4,}")
    repeated = [text for text, count in texts.items() if count > 1 and uids.fullmatch(text)]
    assert repeated == []
    assert [name for name, text in SOURCES.items() if "[0-9a-f]{8}" in text] == ["orthanc_stl/rest/orthanc.py"]


OVERRIDES = {"namespaced"}
"""Methods that libraries call."""


def test_nothing_is_defined_that_nothing_uses() -> None:
    """Names of functions and classes that stand nowhere else in the package, not even in what it exports."""
    words = Counter(re.findall(r"\w+", "\n".join(SOURCES.values())))
    defined = {
        node.name
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("__")
    }
    assert {name for name in defined if words[name] == 1} == OVERRIDES


IMPORTED = {"vtk": "vtkmodules", "scikit-image": "skimage", "pynrrd": "nrrd", "pillow": "PIL"}
"""Packages that are imported by another name."""

FOR_PYDICOM = {"pylibjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle"}
"""Decoders that pydicom finds by itself."""


def test_each_dependency_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {re.split("[>=]", line)[0] for line in project["dependencies"]} - FOR_PYDICOM
    nodes = [node for tree in TREES.values() for node in ast.walk(tree)]
    found = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    found |= {(node.module or "").split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {IMPORTED.get(name, name).replace("-", "_") for name in wanted} - found == set()


def test_no_test_measures_time() -> None:
    """`time.monotonic() < deadline` ends a wait for what never comes; a difference of times is for benchmarks."""
    measuring = []
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        tests = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)]
        for test in [test for test in tests if test.name.startswith("test_")]:
            text = ast.unparse(test)
            if re.search(r"\b(perf_counter|process_time|time\.time)\(|monotonic\(\) - ", text):
                measuring.append(f"{file.name}: {test.name}")
    assert measuring == []


AT_ONCE = re.compile(
    r"assert .*[.](count(?=[(][)])|inner_text|all_inner_texts|all_text_contents|input_value)[(][^()]*[)] ==|"
    r"assert (not )?.*[.]is_(visible|hidden|checked|enabled|disabled)[(]|assert .* in \w+[.]inner_text[(][^()]*[)]$"
)


def test_browser_tests_wait_for_what_they_assert() -> None:
    """What a page shows after an action may come later: a look at once failed on slower machines."""
    lines = [
        f"{file.name}:{number}: {line.strip()}"
        for file in sorted((ROOT / "tests/browser").glob("test_*.py"))
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        if AT_ONCE.search(line)
    ]
    assert lines == []


def test_tests_of_the_tasks_need_no_shared_data() -> None:
    assert "testing.data" not in (ROOT / "tests/engine/test_tasks.py").read_text("utf-8")
