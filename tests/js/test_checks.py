"""The JavaScript under strict TypeScript (types are written as JSDoc) and under ESLint, without any finding."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "orthanc_stl/webassets"
TOOLS = ROOT / "tests/js/tools"
JS_TOOLS = Path(os.environ.get("ORTHANC_STL_JS_TOOLS", "none"))
NPM = Path(os.environ.get("ORTHANC_STL_NPM", "none"))
WIDEST = 120

needs_tools = pytest.mark.skipif(
    shutil.which("node") is None or not (JS_TOOLS / "typescript").is_dir(),
    reason="node or the folder that ORTHANC_STL_JS_TOOLS names is missing",
)


def _node(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["node", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


def _scripts(*folders: Path) -> list[Path]:
    return sorted(
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in {".js", ".mjs"} and not {"node_modules", "vendor"} & set(path.parts)
    )


@needs_tools
def test_types(tmp_path: Path) -> None:
    three = JS_TOOLS / "@types/three"
    paths = {
        "three": [str(three)],
        "three/addons/*": [str(three / "examples/jsm/*")],
        "three-mesh-bvh": [str(NPM / "three-mesh-bvh")],
    }
    project = {
        "extends": str(TOOLS / "tsconfig.json"),
        "compilerOptions": {"paths": paths},
        "files": [str(TOOLS / "globals.d.ts"), *map(str, _scripts(PAGES))],
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(project))
    done = _node(JS_TOOLS / "typescript/bin/tsc", "--pretty", "false", "--project", tmp_path)
    findings = re.findall(r"^\S.*error TS\d+: .*$", done.stdout, re.MULTILINE)
    assert done.returncode == 0 or findings, done.stdout + done.stderr
    assert not findings, "\n".join(findings)


@needs_tools
def test_eslint() -> None:
    config = TOOLS / "eslint.config.js"
    scripts = _scripts(PAGES, ROOT / "tests")
    done = _node(JS_TOOLS / "eslint/bin/eslint.js", "--config", config, "--max-warnings", "0", *scripts)
    assert done.returncode == 0, done.stdout + done.stderr


def test_line_lengths() -> None:
    wide = [
        f"{path.relative_to(ROOT)}:{number}: {len(line)} characters"
        for path in _scripts(PAGES, ROOT / "tests")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > WIDEST
    ]
    assert not wide, "\n".join(wide)


def test_models_of_every_kind_have_one_stage_one_section_and_one_measure() -> None:
    """The scene, and Nexus models, which stream: both pages have the same camera, plane and points."""
    texts = [path.read_text("utf-8") for path in _scripts(PAGES)]
    once = ("new THREE.PerspectiveCamera(", "new THREE.WebGLRenderer(", "class Measure ", "class SectionPlane ")
    assert [sum(text.count(words) for text in texts) for words in once] == [1] * len(once)
    nexus = "".join(path.read_text("utf-8") for path in _scripts(PAGES / "nexus/view"))
    used = ("stage", "measure", "section-plane")
    assert all(f"app/viewer/{name}.js'" in nexus for name in used)
