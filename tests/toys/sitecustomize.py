"""Python imports this at its start when the folder is on its path: it adds the two entries to the tables."""

from orthanc_stl.formats import registry
from orthanc_stl.sources import kinds

SPHERES = kinds.Kind(
    "spheres",
    "a file of spheres",
    "Spheres",
    "Model generated from spheres",
    reader="toy_source:Spheres",
    suffixes=(".spheres",),
)

kinds.KINDS = (*kinds.KINDS, SPHERES)
registry.WRITERS = (*registry.WRITERS, registry.Format("xyz", "Points", "text/plain", "toy_format:write"))
