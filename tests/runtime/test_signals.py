"""A signal ends `orthanc-stl run` in order at whatever step of its code it arrives: no Orthanc is left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.common import REPOSITORY

# Runs the command again and again, each time with a signal one step later: at each instruction of what has Orthanc
# started and stopped, at each line of what does that. In Orthanc's place a process that ends by itself after 50 ms, and
# a port that always answers. With "a second one" that process ends by no SIGTERM, and the first of two signals comes
# while it runs. Prints how many steps there were, and what was wrong at which of them.
STEPS = """
import json, os, signal, subprocess, sys, types
from pathlib import Path
from runtime import __main__ as program, serve

folder, second = Path(sys.argv[1]), sys.argv[2] == "a second one"
stand_in = folder / "orthanc"
stand_in.write_text("#!/bin/sh\\n" + ("trap '' TERM; exec sleep 1000" if second else "exec sleep 0.05"))
stand_in.chmod(0o755)
runtime = types.SimpleNamespace(orthanc=stand_in, env=lambda: dict(os.environ), folders=dict)
config = {"HttpPort": 1, "StorageDirectory": folder / "data/files", "IndexDirectory": folder / "data/index"}
program.setup.prepare = lambda *folders, **options: runtime
program.orthanc_config.complete = lambda *options: {key: str(value) for key, value in config.items()} | {"HttpPort": 1}
program.check_port = lambda port: None
program.say = lambda line: None
serve.answers = lambda port: True
serve.STOP_SECONDS = 1000

events = sys.monitoring.events
ours = [program._run.__code__, program._signals_arrive.__wrapped__.__code__]
others = [*vars(serve.OrthancProcess).values(), *vars(subprocess.Popen).values()]
others = [each.__code__ for each in others if isinstance(each, types.FunctionType) and each.__name__ != "__del__"]


def step(code, where):
    global passed, counting
    counting = counting or code is counts_from
    if not counting:
        return
    passed += 1
    if passed in moments:
        os.kill(os.getpid(), signal.SIGTERM)


sys.monitoring.use_tool_id(4, "steps")
sys.monitoring.register_callback(4, events.INSTRUCTION, step)
sys.monitoring.register_callback(4, events.LINE, step)
for code in ours:
    sys.monitoring.set_local_events(4, code, events.INSTRUCTION)
for code in others:
    sys.monitoring.set_local_events(4, code, events.LINE)

counts_from = getattr(serve.OrthancProcess, "wait_for_its_end" if second else "__init__").__code__
wrong, number = [], 0
while not (second and number == 60):
    number += 1
    while signal.sigpending():
        signal.sigwait(signal.sigpending())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, serve.ENDING_SIGNALS)
    moments, passed, counting = ({1, 1 + number} if second else {number}), 0, False
    code = program.main(["run", "--data", str(folder / f"data{number}")])
    left = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    if code or left:
        wrong.append([number, code, left])
    for pid in left:
        os.kill(int(pid), signal.SIGKILL)
        os.waitpid(int(pid), 0)
    if passed < max(moments):
        break
print(json.dumps([number, wrong]))
"""


@pytest.mark.parametrize(("signals", "steps"), [("one signal", 200), ("a second one", 59)])
def test_no_step_leaves_orthanc_behind(tmp_path: Path, signals: str, steps: int) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", STEPS, tmp_path, signals],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    number, wrong = json.loads(done.stdout)
    assert wrong == []
    assert number > steps, "each of them was tried"
