"""Leaves of VTK's 560 MB what the conversions load: `prune_vtk.py SITE` at the build of the image.

A module of VTK is kept when it is named here or is loaded by one that is; tests/docker compares the names with what
orthanc_stl imports. matplotlib and what it brings are required by VTK's wheel, and used by nothing here.
"""

import importlib
import shutil
import sys
from pathlib import Path

USED = (
    "vtkmodules.util.numpy_support",
    "vtkmodules.vtkCommonCore",
    "vtkmodules.vtkCommonDataModel",
    "vtkmodules.vtkFiltersCore",
    "vtkmodules.vtkRenderingCore",
    "vtkmodules.vtkRenderingFreeType",
)
UNUSED_PACKAGES = ("matplotlib", "mpl_toolkits", "fontTools", "kiwisolver", "contourpy", "contourpy.libs")


def main(site: Path) -> None:
    sys.path.insert(0, str(site))
    for name in USED:
        importlib.import_module(name)
    mapped = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()}
    for folder in ("vtkmodules", "vtk.libs"):
        for library in (site / folder).rglob("*.so*"):
            if str(library.resolve()) not in mapped:
                library.unlink()
    for package in UNUSED_PACKAGES:
        shutil.rmtree(site / package, ignore_errors=True)


main(Path(sys.argv[1]))
