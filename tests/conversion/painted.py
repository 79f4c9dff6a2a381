"""Painted files: a square with a picture of four colors, in a zip."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np
from PIL import Image

MOST = 10_000_000
QUARTERS = np.zeros((64, 64, 3), np.uint8)
QUARTERS[:32, :32], QUARTERS[:32, 32:] = (255, 0, 0), (0, 255, 0)  # above: red, green
QUARTERS[32:, :32], QUARTERS[32:, 32:] = (0, 0, 255), (255, 255, 0)  # below: blue, yellow


def zipped(files: Mapping[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def png(pixels: np.ndarray = QUARTERS) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def square(size: float = 1) -> str:
    """A square whose lower left corner has the texture's lower left corner."""
    places = ["vt 0 0", f"vt {size} 0", f"vt {size} {size}", f"vt 0 {size}"]
    corners = ["v 0 0 0", "v 10 0 0", "v 10 10 0", "v 0 10 0"]
    faces = ["f 1/1 2/2 3/3", "f 1/1 3/3 4/4"]
    return "\n".join(["mtllib s.mtl", *corners, *places, "usemtl paint", *faces, ""])


MTL = "newmtl paint\nKd 1 1 1\nmap_Kd pictures/s.png\n"
