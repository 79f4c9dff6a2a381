"""Every format that models are written in. A new one is one file beside this, and one line here."""

from __future__ import annotations

from orthanc_stl.formats.base import Writer

WRITERS: tuple[Writer, ...] = ()
