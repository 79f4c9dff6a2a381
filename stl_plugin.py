"""The one script that Orthanc's Python plugin loads ("PythonScript" in orthanc.json)."""

import orthanc

from orthanc_stl import plugin

plugin.install(orthanc)
