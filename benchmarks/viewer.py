"""Times of a scene in the browser, which draws by the processor. Linux.

`python -m benchmarks.viewer rtss.dcm`: of this file; `python -m benchmarks.viewer 100`: of so many balls over a CT.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from testing import phantoms
from testing.chromium import chromium_browser
from testing.server import OrthancServer

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


def main(what: str) -> None:
    with OrthancServer(stl={"Workers": 2}) as server, chromium_browser() as browser:
        source = made(server, int(what)) if what.isdecimal() else server.upload(Path(what).read_bytes())
        warm = server.upload(phantoms.structure_set([phantoms.ball("Ball", 5)], phantoms.Study(seed="warm")))
        for answer in ("structures", "structures/1.stl", "structures/1.ply"):
            server.get(f"/instances/{warm}/stl/{answer}")
        page = browser.new_page(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
        page.set_default_timeout(300_000)
        page.goto(f"{server.url}/stl/app/three.html?source={warm}")  # from now on the browser has the scripts
        page.evaluate("viewer.loaded")
        page.add_init_script(MARKS)
        before = processor_seconds()
        page.goto(f"{server.url}/stl/app/three.html?source={source}")
        page.evaluate("viewer.loaded")
        time.sleep(1)
        print("ms until list, first and last part:", page.evaluate("marks"))
        spent = processor_seconds()
        print("seconds of processor time:", {kind: round(spent[kind] - before[kind], 1) for kind in sorted(spent)})


if __name__ == "__main__":
    main(sys.argv[1])
