"""Python imports this at its start when the folder is on its path: it adds the two lines to the registries."""

import sys
from pathlib import Path

from toy_format import Points

from orthanc_stl.formats import registry as formats

formats.WRITERS = (*formats.WRITERS, Points())

if Path(sys.executable).name.startswith("python"):  # not in Orthanc's own process, which loads no numpy
    from toy_source import Spheres

    from orthanc_stl.sources import registry as sources

    sources.SOURCES = (*sources.SOURCES, Spheres())
