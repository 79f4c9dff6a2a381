"""The scene that writers write, and what they make of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.registry import writer_of
from orthanc_stl.model import Model
from testing.scenes import scene

SCENE = scene()
PTV, EXTERNAL, SKIN = SCENE.parts
LOW, HIGH = np.array([-100, -40, -180]), np.array([80, 80, 50])
PNG = b"\x89PNG\r\n\x1a\nnot looked at"


def written(suffix: str, model: Model = SCENE, **options: Any) -> bytes:
    writer = writer_of(suffix)
    assert writer
    return writer.write(model, WriteOptions(**options))
