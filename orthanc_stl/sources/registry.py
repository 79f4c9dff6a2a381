"""Every kind of input, in the order in which files are tried. A new one is one file beside this, and one line here."""

from __future__ import annotations

from orthanc_stl.sources.base import Source

SOURCES: tuple[Source, ...] = ()
