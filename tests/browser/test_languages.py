"""The pages in German and French: no English sentence is left."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testing.server import OrthancServer
from tests.nexus_writer import box, write_nexus

from .nexus_pages import PAGES, complete, stored_model
from .study import MARKUP, Stored, viewer_ready
from .waiting import expect

Open = Callable[..., Any]
WORDS = Path(__file__).parents[2] / "orthanc_stl/webassets/app/words"

# All texts of a page, those of closed dialogs and panels included, and those that only screen readers get.
TEXTS = """() => {
  const found = new Set([document.title]);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.closest('script, style, noscript')) found.add(walker.currentNode.data.trim());
  }
  for (const name of ['aria-label', 'title', 'placeholder', 'data-tip']) {
    for (const element of document.body.querySelectorAll(`[${name}]`)) found.add(element.getAttribute(name).trim());
  }
  return [...found];
}"""

# What is the same in every language: names of things, what the study itself is called, and the server's reasons.
NAMES = re.compile(
    r"Ball|Left|Marker|Jane|Phantom|Contours|POINT|<img|CSV|GLB|3MF|OBJ|PLY|STL|Nexus|Online3DViewer|3DHOP|Orthanc|Shift|Ctrl|Alt|Esc"
    r"|cannot be shown as a volume"  # which the server says of a series that other tests attached
    r"|^\.\w[.\w]*(, \.\w[.\w]*)*$"  # endings of files alone
)


def texts(page: Any) -> set[str]:
    return set(page.evaluate(TEXTS))


def english_left(german: set[str], english: set[str]) -> list[str]:
    """What both pages say in words, names aside."""
    words = json.loads((WORDS / "de.json").read_text())
    same = {text for text in german & english if re.search("[A-Za-z]{4}", text) and not NAMES.search(text)}
    return sorted(text for text in same if words.get(bare := re.sub(r" \(.+\)$", "", text)) != bare)


@pytest.mark.parametrize("page", ["three.html?source=", "o3dv.html?instance=", "generate.html?instance="])
def test_no_english_is_left(open_page: Open, stored: Stored, page: str) -> None:
    of = stored.model if page.startswith("o3dv") else stored.rtstruct
    ready = ".structures" if page.startswith("generate") else "#viewer[data-ready=true]"
    said = []
    for language in ("de", "en"):
        opened = open_page(f"/stl/app/{page}{of}&lang={language}")
        opened.wait_for_selector(ready)
        if page.startswith("three"):
            opened.evaluate("viewer.loaded")  # all parts and images: until then its texts change
            opened.keyboard.press("l")
            opened.wait_for_selector(".keep-sheet:visible")
        said.append(texts(opened))
        opened.close()
    assert english_left(*said) == []


def test_no_english_is_left_where_files_are_attached_and_rules_are_shown(open_page: Open, stored: Stored) -> None:
    for page, ready in ((f"attach.html?study={stored.study}&", ".drop"), ("rules.html?", ".page-body p")):
        said = []
        for language in ("de", "en"):
            opened = open_page(f"/stl/app/{page}lang={language}")
            opened.wait_for_selector(ready)
            said.append(texts(opened))
            opened.close()
        assert english_left(*said) == []


def test_no_english_is_left_on_the_nexus_page(open_page: Open, server: OrthancServer) -> None:
    model = stored_model(server, write_nexus([box()]))
    said = []
    for language in ("de", "en"):
        opened = complete(open_page(f"{PAGES['all tools'](model)}&lang={language}"))
        said.append(texts(opened))
        opened.close()
    assert english_left(*said) == []


# All texts of our dialog in Orthanc Explorer, which has a tree of its own.
DIALOG = TEXTS.replace("document.body", "document.querySelector('.stl-dialog').shadowRoot.querySelector('dialog')")


def test_no_english_is_left_in_orthanc_explorer(open_page: Open, stored: Stored) -> None:
    """Our buttons and the dialogs behind them; what Orthanc's own page says stays as it is."""
    said: dict[str, list[set[str]]] = {}
    for language in ("de", "en"):
        page = open_page(f"/app/explorer.html?lang={language}#study?uuid={stored.study}")
        page.wait_for_selector("#stl-viewer-study")
        buttons = {text.strip() for text in page.locator("#study [id^=stl-]").all_inner_texts()}
        said.setdefault("buttons", []).append(buttons)
        for button in ("attach-instance", "attach-nifti", "download-study"):
            page.click(f"#stl-{button}")
            page.wait_for_selector("dialog[open] :is(form, .download-row)")
            said.setdefault(button, []).append(set(page.evaluate(DIALOG)))
            page.evaluate("document.querySelector('.stl-dialog').shadowRoot.querySelector('.dialog-close').click()")
        page.close()
    assert {"STL-Modell anhängen", "3D-Betrachter", "3D-Modell herunterladen"} <= said["buttons"][0]
    assert "Attach STL model" in said["buttons"][1]
    assert said["buttons"][0].isdisjoint(said["buttons"][1])
    assert {name: english_left(*both) for name, both in said.items() if name != "buttons"} == {
        "attach-instance": [], "attach-nifti": [], "download-study": []
    }  # fmt: skip


def test_the_tables_say_the_same_things() -> None:
    """Each sentence is in both, with the same places for values."""
    german, french = (json.loads((WORDS / f"{name}.json").read_text()) for name in ("de", "fr"))
    assert german.keys() == french.keys()
    for table in (german, french):
        for sentence, translated in table.items():
            assert sorted(re.findall(r"{\w+}", sentence)) == sorted(re.findall(r"{\w+}", translated)), sentence


def test_names_in_the_data_are_never_translated(open_page: Open, stored: Stored) -> None:
    """A structure is called "Left", which is a word of the table, too."""
    page = viewer_ready(open_page(f"/stl/app/three.html?source={stored.rtstruct}&lang=de"))
    assert sorted(part["name"] for part in page.evaluate("viewer.parts()")) == sorted(["Ball", "Left", MARKUP])
    expect(page.locator(".part-text", has_text="Left")).to_have_count(1)
    page = open_page(f"/stl/app/generate.html?instance={stored.rtstruct}&lang=de")
    page.wait_for_selector(".structures")
    expect(page.get_by_label("Left")).to_have_count(1)
    expect(page.get_by_role("button", name="Erzeugen", exact=True)).to_have_count(1)
    assert page.get_by_role("link", name="Alle Strukturen zusammen ansehen").get_attribute("href").endswith("lang=de")
