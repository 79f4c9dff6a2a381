"""Times of a scene in the browser, which draws by the processor. Linux.

`python -m benchmarks.viewer rtss.dcm`: of this file; `python -m benchmarks.viewer 100`: of so many balls over a CT;
`python -m benchmarks.viewer line`: of one over a CT of 200 slices, on a line of 10 Mbit/s;
`python -m benchmarks.viewer models`: of 60 stored balls, 3 million triangles, and a frame of them.
"""

from __future__ import annotations

import base64
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.slow_line import SlowLine
from orthanc_stl.formats.stl import stl_bytes
from testing import phantoms
from testing.chromium import chromium_browser
from testing.image_phantoms import single_frame
from testing.scenes import sphere
from testing.server import OrthancServer
from testing.trace import tasks_while

# Keeps in `window.marks` when the list, the first part and the last one were there, in ms after the page was asked for.
MARKS = """
window.marks = {};
const look = () => {
  const all = document.querySelectorAll('.part').length;
  const ready = document.querySelectorAll('.part[data-state=ready]').length;
  if (all) marks.list ??= Math.round(performance.now());
  if (ready) marks.first ??= Math.round(performance.now());
  if (all && ready === all) marks.all ??= Math.round(performance.now());
  else setTimeout(look, 20);
};
look();
"""
KINDS = {"type=gpu": "drawing", "type=renderer": "page", "engine.worker": "workers"}


def processor_seconds() -> dict[str, float]:
    """Of the processes below this one, by what they do."""
    children: dict[int, list[tuple[int, float]]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has ended
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        children.setdefault(int(fields[1]), []).append((int(folder.name), used))
    found = dict.fromkeys([*KINDS.values(), "rest"], 0.0)
    open_ones = [os.getpid()]
    while open_ones:
        for pid, used in children.get(open_ones.pop(), []):
            open_ones.append(pid)
            command = _command(pid)
            found[next((kind for mark, kind in KINDS.items() if mark in command), "rest")] += used
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""  # it has ended


def made(server: OrthancServer, count: int) -> str:
    """Orthanc's identifier of balls of 14 to 20 mm over a CT of 41 slices of 512 x 512."""
    study = phantoms.Study(seed="made")
    for file in phantoms.ct_slices(study, size=512):
        server.upload(file)
    places = [(16.0 * (i % 10) - 70, 16.0 * (i // 10) - 60, 12.0 * (i % 3) - 12) for i in range(count)]
    balls = [phantoms.ball(f"Node {i}", 7 + i % 4, place, 2.0) for i, place in enumerate(places)]
    return server.upload(phantoms.structure_set(balls, study))


def longest(browser: Any, page: Any, act: Callable[[], object]) -> str:
    """Of the page's tasks while something happens, in words."""
    found = tasks_while(browser, page, act)
    clock, work = (sorted((round(one[i]) for one in found), reverse=True)[:4] for i in (0, 1))
    return f"longest tasks {clock} ms on the clock; most processor time of one {work} ms"


def scene(what: str) -> None:
    with OrthancServer(stl={"Workers": 2}) as server, chromium_browser() as browser:
        source = made(server, int(what)) if what.isdecimal() else server.upload(Path(what).read_bytes())
        page = warm_page(server, server.url, browser)
        page.add_init_script(MARKS)
        before = processor_seconds()

        def load() -> None:
            page.goto(f"{server.url}/stl/app/three.html?source={source}")
            page.evaluate("viewer.loaded")
            time.sleep(1)

        def toggle() -> None:
            for eye in page.locator(".part-eye").all()[:5]:
                eye.click()
                time.sleep(0.5)

        loading = longest(browser, page, load)
        print("ms until list, first and last part:", page.evaluate("marks"))
        spent = processor_seconds()
        print("seconds of processor time:", {kind: round(spent[kind] - before[kind], 1) for kind in sorted(spent)})
        print("while loading:", loading)
        print("five parts hidden:", longest(browser, page, toggle))


def warm_page(server: OrthancServer, url: str, browser: Any) -> Any:
    """An empty page of a browser that has the scripts, and a server that has started its workers."""
    warm = server.upload(phantoms.structure_set([phantoms.ball("Ball", 5)], phantoms.Study(seed="warm")))
    for answer in ("structures", "structures/1.stl", "structures/1.ply"):
        server.get(f"/instances/{warm}/stl/{answer}")
    context = browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(300_000)
    first = context.new_page()
    first.goto(f"{url}/stl/app/three.html?source={warm}")
    first.evaluate("viewer.loaded")
    first.close()
    return context.new_page()


def line() -> None:
    """Seconds until the planes of a CT with noise of 12 HU are there coarsely, and in full."""
    noise = np.random.default_rng(3)
    y, x = np.mgrid[-1:1:512j, -1:1:512j]
    body = np.where((x / 0.8) ** 2 + (y / 0.6) ** 2 < 1, 40.0, -1000.0)
    study = phantoms.Study(seed="line")
    tags: dict[str, Any] = {
        "PatientID": "PHANTOM",
        "StudyInstanceUID": study.uid("study"),
        "FrameOfReferenceUID": study.uid("frame 0"),
    }
    with OrthancServer(stl={"Workers": 2}) as server, chromium_browser() as browser:
        for number in range(200):
            values = (body + noise.normal(0, 12, body.shape)).round().astype(np.int16)
            server.upload(single_frame(values, (-200, -200, 2.0 * number), number, seed="line", **tags))
        ball = phantoms.ball("Ball", 30, (0, 0, 200), 2.0)
        source = server.upload(phantoms.structure_set([ball], study))
        port = int(server.url.rsplit(":", 1)[1])
        with SlowLine(port, 10e6 / 8) as slow:
            url = f"http://127.0.0.1:{slow.port}"
            page = warm_page(server, url, browser)
            came: list[float] = []
            begun = time.monotonic()
            page.on(
                "requestfinished", lambda one: came.append(time.monotonic()) if "/stl/images/0/" in one.url else None
            )
            page.goto(f"{url}/stl/app/three.html?source={source}")
            page.evaluate("viewer.ready")
            while page.evaluate("viewer.pixelAt([0, 0, 200])") is None:
                page.wait_for_timeout(20)
            print(f"planes after {time.monotonic() - begun:.1f} s")
            while not came or time.monotonic() - came[-1] < 8:
                page.wait_for_timeout(100)
            print(f"in full after {came[-1] - begun:.1f} s, {len(came)} pieces")


# Counts in `window.frames` how often the scene is drawn.
FRAMES = """
window.frames = 0;
const { clear } = WebGL2RenderingContext.prototype;
WebGL2RenderingContext.prototype.clear = function (...what) { window.frames += 1; return clear.apply(this, what); };
0"""


def models(count: int = 60, rings: int = 113) -> None:
    """All in one study, each of `4 * rings * (rings - 1)` triangles."""
    with OrthancServer(stl={"Workers": 2}) as server, chromium_browser() as browser:
        image = server.upload(phantoms.ct_slices(phantoms.Study(seed="models"), planes=(0,))[0])
        study = server.get(f"/instances/{image}/study").json()["ID"]
        for i in range(count):
            ball = sphere(7, (16.0 * (i % 10), 16.0 * (i // 10), 0), rings)
            content = "data:model/stl;base64," + base64.b64encode(stl_bytes(ball, "a ball")).decode()
            tags = {"SeriesDescription": f"Ball {i}"}
            server.post("/tools/create-dicom", {"Parent": study, "Content": content, "Tags": tags})
        page = warm_page(server, server.url, browser)
        page.add_init_script(MARKS)
        page.goto(f"{server.url}/stl/app/three.html?study={study}")
        page.evaluate("viewer.loaded")
        triangles = page.evaluate("viewer.parts().reduce((sum, part) => sum + part.triangles, 0)")
        print(f"{triangles} triangles; ms until list, first and last part:", page.evaluate("marks"))
        page.evaluate(FRAMES)

        def turn() -> None:
            for _ in range(20):
                page.keyboard.press("ArrowLeft")
                page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")

        tasks = tasks_while(browser, page, turn)
        frames = page.evaluate("frames")
        work = sum(one.work for one in tasks) / frames
        print(f"{frames} frames: {work:.1f} ms of the page's processor time for each")


def main(what: str) -> None:
    {"line": line, "models": models}.get(what, lambda: scene(what))()


if __name__ == "__main__":
    main(sys.argv[1])
