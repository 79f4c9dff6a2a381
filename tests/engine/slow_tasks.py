"""The tasks of testing/engine_tasks.py in a worker that takes its time to start."""

from __future__ import annotations

import time

from testing.engine_tasks import TASKS

__all__ = ["TASKS", "preload"]


def preload() -> None:
    time.sleep(1.0)
