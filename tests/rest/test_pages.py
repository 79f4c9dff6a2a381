"""Static files: what a URL may name, and how a file goes out."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest

from orthanc_stl import errors
from orthanc_stl.rest import static_files
from orthanc_stl.rest.asset_versions import Versions
from orthanc_stl.rest.http.messages import Request
from orthanc_stl.rest.module_graph import modules_of, with_preloads
from orthanc_stl.rest.static_files import WEBASSETS, Pages, asset_answer, content_policy, find_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    served = tmp_path / "served"
    (served / "sub").mkdir(parents=True)
    (served / "page.html").write_text("<p>" + "x" * 2000)
    (served / "sub/code.js").write_text("1")
    (served / ".hidden.js").write_text("secret")
    (served / "data.bin").write_text("not a known type")
    (tmp_path / "secret.js").write_text("secret")
    (served / "link.js").symlink_to(tmp_path / "secret.js")
    (served / "inside.js").symlink_to(served / "sub/code.js")
    (served / "up").symlink_to(tmp_path)
    return served


@pytest.mark.parametrize("name", ["page.html", "sub/code.js", "inside.js"])
def test_files_in_the_folder_are_found(folder: Path, name: str) -> None:
    assert find_file(name, folder).is_file()


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "../secret.js", "sub/../../secret.js", "/etc/passwd", "sub//code.js", "sub", ".hidden.js",
        "link.js", "up/secret.js", "up/served/../secret.js", "data.bin", "page.html\0.js", "page.html\n", "PAGE.HTML",
        "sub\\code.js", "vendor/three/build/../../../package.json", "\ud800.js", "пейдж.html",
        pytest.param("a" * 10_000, id="long"), pytest.param("x/" * 3000, id="deep"),
    ],
)  # fmt: skip
def test_everything_else_is_unknown(folder: Path, name: str) -> None:
    with pytest.raises(errors.NotFound, match="Unknown static asset"):
        find_file(name, folder)


def test_a_page_goes_out_compressed_if_the_browser_takes_it(folder: Path) -> None:
    asset = Pages().asset(folder / "page.html")
    plain = asset_answer(Request("GET", "/"), asset, compress=True)
    small = asset_answer(Request("GET", "/", headers={"accept-encoding": "gzip, br"}), asset, compress=True)
    assert gzip.decompress(bytes(small.body)) == plain.body == asset.body
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.headers["ETag"] != plain.headers["ETag"]
    off = asset_answer(Request("GET", "/", headers={"accept-encoding": "gzip"}), asset, compress=False)
    assert "Content-Encoding" not in off.headers


def test_a_page_known_to_the_browser_is_a_304(folder: Path) -> None:
    asset = Pages().asset(folder / "page.html")
    etag = asset_answer(Request("GET", "/"), asset, compress=True).headers["ETag"]
    for header in (etag, f'"other", {etag}', f"W/{etag}"):
        known = asset_answer(Request("GET", "/", headers={"if-none-match": header}), asset, compress=True)
        assert (known.status, known.body) == (304, b"")


def test_a_changed_file_is_read_again(folder: Path) -> None:
    served = Pages()
    before = served.asset(folder / "sub/code.js")
    assert served.asset(folder / "sub/code.js") is before
    (folder / "sub/code.js").write_text("2")
    os.utime(folder / "sub/code.js", ns=(1, 1))
    assert served.asset(folder / "sub/code.js").body == b"2"


def addresses(page: bytes) -> list[str]:
    """Of a page's files, below /stl/app/."""
    return [found.decode() for found in re.findall(rb'"\.\./app/(~[^"]*[^"/])"', page)]


@pytest.mark.parametrize(
    ("folder", "name"),
    [*(("app", path.name) for path in (WEBASSETS / "app").glob("*.html")), ("nexus", "threejs.html"),
     ("hop", "3DHOP_all_tools.html")],
)  # fmt: skip
def test_what_a_page_names_has_a_version_and_is_kept_without_asking_again(folder: str, name: str) -> None:
    pages = Pages()
    page = pages.answer(Request("GET", "/"), folder, name)
    assert page.headers["Cache-Control"] == "no-cache"
    named = addresses(bytes(page.body))
    assert len(named) == len(re.findall(rb'(?:src|href)="|": "\.[^"]*[^"/]"', bytes(page.body))) > 3
    for address in named:
        answer = pages.answer(Request("GET", "/"), "app", address)
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "max-age=31536000, immutable")


def test_the_policy_has_the_import_map_with_the_versions() -> None:
    page = Pages().answer(Request("GET", "/"), "app", "three.html")
    assert b"~" in re.findall(rb"importmap(.*?)</script>", bytes(page.body), re.DOTALL)[0]
    assert page.headers["Content-Security-Policy"] == content_policy(bytes(page.body))


def test_the_version_changes_with_any_file(folder: Path) -> None:
    versions, files = Versions(), [folder / "page.html", folder / "sub/code.js"]
    before = versions.current(files)
    assert versions.current(files) == before == Versions().current(files)
    (folder / "sub/code.js").write_text("2")
    os.utime(folder / "sub/code.js", ns=(1, 1))
    assert versions.current(files) != before


FILES = {
    "app/page.js": b"import {\n  a,\n  b,\n} from './sub/two.js';\nimport * as X from 'lib';\nimport 'more/1.js';",
    "app/sub/two.js": b"export { c } from '../three.js';\nconst later = () => import('./later.js'); // from 'never.js'",
    "app/three.js": b"import { d } from './page.js';\nimport 'unknown';",
    "nexus/lib.js": b"",
    "nexus/more/1.js": b"",
}


def test_a_page_names_all_its_modules_once() -> None:
    """Those of a circle, of an import map and of several lines, not what is imported later; its own first."""
    page = (
        b'<head><script type="importmap">{"imports": {"lib": "../nexus/lib.js", "more/": "../nexus/more/"}}</script>'
        b'<script type="module" src="page.js"></script>\n  </head>'
    )
    named = ["app/page.js", "app/sub/two.js", "nexus/lib.js", "nexus/more/1.js", "app/three.js"]
    assert modules_of(page, "app", FILES.__getitem__) == named
    links = re.findall(rb'modulepreload" href="../(.*?)"', with_preloads(page, "app", FILES.__getitem__))
    assert [link.decode() for link in links] == named


@pytest.mark.parametrize("page", ["three.html", "generate.html"])
def test_a_page_is_there_without_the_npm_parts(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static_files, "NPM", tmp_path)
    answer = Pages().answer(Request("GET", "/"), "app", page)
    assert answer.status == 200
    assert b"modulepreload" in answer.body


def test_a_version_of_another_release_is_served_but_not_kept() -> None:
    answer = Pages().answer(Request("GET", "/"), "app", "~0123456789abcdef/app/three.js")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")


def test_a_file_that_changed_after_its_page_was_given_is_not_kept_as_of_the_old_version(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the old release, installed again, would be shown with a file of the new one."""
    app = folder / "app"
    app.mkdir()
    (app / "page.html").write_text('<script src="code.js"></script>')
    (app / "code.js").write_text("1")
    monkeypatch.setattr(static_files, "WEBASSETS", folder)
    pages = Pages()

    def asked_again() -> tuple[bytes, str]:
        answer = pages.answer(Request("GET", "/"), "app", address)
        return bytes(answer.body), answer.headers["Cache-Control"]

    (address,) = addresses(bytes(pages.answer(Request("GET", "/"), "app", "page.html").body))
    assert asked_again() == (b"1", "max-age=31536000, immutable")
    (app / "code.js").write_text("2")
    os.utime(app / "code.js", ns=(1, 1))
    assert asked_again() == (b"2", "no-cache")


@pytest.mark.parametrize("name", ["app/three.html", "explorer.js", "app/../explorer.js", "x/three.js"])
def test_pages_and_what_lies_elsewhere_have_no_address_with_a_version(name: str) -> None:
    with pytest.raises(errors.NotFound):
        Pages().answer(Request("GET", "/"), "app", f"~0123456789abcdef/{name}")


def test_the_policy_lets_no_foreign_and_no_inline_script_run() -> None:
    page = b'<script type="importmap">{"imports": {}}</script><script>alert(1)</script>'
    scripts = next(part for part in content_policy(page).split("; ") if part.startswith("script-src"))
    assert "unsafe-inline" not in scripts
    assert scripts.count("'sha256-") == 1


def test_pages_are_framed_by_our_own_and_by_the_origins_that_are_named() -> None:
    assert content_policy(b"").endswith("frame-ancestors 'self'")
    assert content_policy(b"", ["https://a.example"]).endswith("frame-ancestors 'self' https://a.example")


def test_every_vendor_prefix_leads_into_the_npm_parts() -> None:
    for target in static_files.VENDOR.values():
        assert (static_files.NPM / target).resolve().is_relative_to(static_files.NPM.resolve())


ORIGINAL_NAMES = {
    "app/basic-viewer/es-module-shims.js": b"import maps",
    "app/basic-viewer/three.module.min.js": b"REVISION",
    "app/basic-viewer/three.core.js": b"REVISION",
    "app/basic-viewer/OrbitControls.js": b"class OrbitControls",
    "app/basic-viewer/STLLoader.js": b"class STLLoader",
    "app/o3dv/o3dv.min.js": b"EmbeddedViewer",
    "nexus/threejs.html": b"threejs.js",
    "3dhop/3DHOP_all_tools.html": b"all_tools.js",
    "nexus/js/nexus.js": None,
    "nexus/js/three.min.js": None,
    "nexus/js/corto.js": None,
    "3dhop/js/presenter.js": None,
    "3dhop/stylesheet/3dhop.css": None,
    "3dhop/skins/backgrounds/light.jpg": None,
}
"""Names below /stl/ of the original plugin's files, and a word of what answers; None for what docs/migration.md calls
gone without the option 3DHOP.Path."""


@pytest.mark.parametrize("name", ORIGINAL_NAMES)
def test_a_name_of_the_original_plugin_answers_as_the_migration_page_says(name: str) -> None:
    assert mentioned(name)
    word = ORIGINAL_NAMES[name]
    viewer, _, file = name.partition("/")
    folder = WEBASSETS / viewer.replace("3dhop", "hop")
    if word is None:
        with pytest.raises(errors.NotFound):
            find_file(file, folder)
    else:
        assert word in find_file(file, folder).read_bytes()


def mentioned(name: str) -> bool:
    """Whether docs/migration.md has the name, its folder with a star, or its end."""
    page = (Path(__file__).parents[2] / "docs/migration.md").read_text()
    folders = [part for part in ("basic-viewer/*", "o3dv/*", "stylesheet/*", "skins/*", "3dhop/js/*") if part in page]
    end = "/".join(name.split("/")[1:])
    return end in page or any(part[:-1] in name for part in folders)
