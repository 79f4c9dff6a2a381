"""The kinds of input as a table: what Orthanc's own process has to know of them. The standard library only."""

from __future__ import annotations

from dataclasses import dataclass

from orthanc_stl.dicom import sop_classes


@dataclass(frozen=True)
class Kind:
    """One kind of input. `key` names it in code and in JSON, `name` in messages, with its article.

    `sop_classes` are the DICOM objects that it is, `suffixes` (with the point) the names of files that it is.
    `title` says of what its models are: after "STL" or "OBJ" it is their Document Title.
    """

    key: str
    name: str
    title: str
    sop_classes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()


RTSTRUCT = Kind(
    "rtstruct",
    "an RT-STRUCT",
    "Model generated from DICOM RT-STRUCT",
    sop_classes=(sop_classes.RT_STRUCTURE_SET,),
)
SEG = Kind(
    "seg",
    "a DICOM SEG",
    "Model generated from DICOM SEG",
    sop_classes=(sop_classes.SEGMENTATION, sop_classes.LABEL_MAP_SEGMENTATION),
)
RTDOSE = Kind(
    "rtdose",
    "an RT Dose",
    "Model generated from DICOM RT-DOSE",
    sop_classes=(sop_classes.RT_DOSE,),
)
SURFACE_SEGMENTATION = Kind(
    "surface-segmentation",
    "a Surface Segmentation",
    "Model generated from DICOM Surface Segmentation",
    sop_classes=(sop_classes.SURFACE_SEGMENTATION,),
)
ENCAPSULATED = Kind(
    "encapsulated",
    "an Encapsulated STL or OBJ",
    "Model generated from an encapsulated model",
    sop_classes=(sop_classes.ENCAPSULATED_STL, sop_classes.ENCAPSULATED_OBJ),
)
NIFTI = Kind("nifti", "a NIfTI file", "Model generated from NIfTI", suffixes=(".nii", ".nii.gz"))
NRRD = Kind("nrrd", "an NRRD file", "Model generated from NRRD", suffixes=(".nrrd", ".seg.nrrd"))
MESH = Kind(
    "mesh",
    "a mesh file (STL, OBJ, PLY, GLB or 3MF)",
    "Model generated from a mesh file",
    suffixes=(".stl", ".obj", ".ply", ".glb", ".3mf"),
)
IMAGES = Kind("images", "a series of images", "Model generated from images")

KINDS: tuple[Kind, ...] = (RTSTRUCT, SEG, RTDOSE, SURFACE_SEGMENTATION, ENCAPSULATED, NIFTI, NRRD, MESH, IMAGES)
"""In the order in which files are tried."""


def kind_of(sop_class: str) -> Kind | None:
    """The kind that objects of this SOP class are, None for a class that no source reads."""
    return next((kind for kind in KINDS if sop_class in kind.sop_classes), None)


def kind_by_key(key: str) -> Kind:
    """Raises KeyError for a key that no kind has."""
    for kind in KINDS:
        if kind.key == key:
            return kind
    raise KeyError(key)
