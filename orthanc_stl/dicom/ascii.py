"""Values of ASCII alone. The standard library only: Orthanc's process imports it too."""

from __future__ import annotations


def ascii_value(raw: bytes) -> str:
    """A value of a VR such as UI or CS, without the blanks and zeros that pad it (PS3.5 6.2).

    >>> ascii_value(b"1.2.840\\0")
    '1.2.840'
    """
    return raw.decode("ascii", "replace").strip("\0 ")
