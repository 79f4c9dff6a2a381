"""What Orthanc runs where its memory is measured: the plugin, and GET /heap, the bytes in use of all it has."""

import ctypes
import json
from typing import Any

import orthanc

from orthanc_stl import plugin


class Mallinfo2(ctypes.Structure):
    """mallinfo(3) of the GNU C library: sums over all arenas."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks",
                     "keepcost")
    ]  # fmt: skip


_mallinfo2 = ctypes.CDLL(None).mallinfo2
_mallinfo2.restype = Mallinfo2


def heap(output: Any, uri: str, **request: Any) -> None:
    found = _mallinfo2()
    answer = {"InUse": found.uordblks + found.hblkhd, "Free": found.fordblks}
    output.AnswerBuffer(json.dumps(answer), "application/json")


plugin.install(orthanc)
orthanc.RegisterRestCallback("/heap", heap)
