"""Every kind of input. A new one is one file beside this, and one entry here.

The standard library only: Orthanc's own process, pages and buttons have it from here.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from orthanc_stl.dicom import sop_classes


@dataclass(frozen=True)
class Kind:
    """One kind of input. `key` names it in code and in JSON, `name` in messages, with its article.

    `label` is what pages call it. `title` says of what its models are: after "STL" or "OBJ" it is their Document Title.
    `sop_classes` are the DICOM objects that it is, `modalities` those of their series, `suffixes` (with the point) the
    names of files that it is. `reader` is the `Reader` of it, as "module:class": it is loaded where files are read, not
    in Orthanc's own process. `most_files`: how many files are read at once, the first with what it needs, or several of
    the kind. `fields`: of a request, those of `SOURCE_OPTIONS` that it has a use for.
    """

    key: str
    name: str
    label: str
    title: str
    reader: str
    sop_classes: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    most_files: int = 1
    fields: tuple[str, ...] = ()


_OF_LABEL_MAPS = ("Labels", "LabelNames", "LabelColors", "Threshold", "Upper", "FillHoles")

RTSTRUCT = Kind(
    "rtstruct",
    "an RT-STRUCT",
    "Structure set",
    "Model generated from DICOM RT-STRUCT",
    sop_classes=(sop_classes.RT_STRUCTURE_SET,),
    modalities=("RTSTRUCT",),
    reader="orthanc_stl.sources.rtstruct:RtStruct",
)
SEG = Kind(
    "seg",
    "a DICOM SEG",
    "Segmentation",
    "Model generated from DICOM SEG",
    sop_classes=(sop_classes.SEGMENTATION, sop_classes.LABEL_MAP_SEGMENTATION),
    modalities=("SEG",),
    reader="orthanc_stl.sources.seg:Seg",
    fields=("FillHoles",),
)
RTDOSE = Kind(
    "rtdose",
    "an RT Dose",
    "Dose",
    "Model generated from DICOM RT-DOSE",
    sop_classes=(sop_classes.RT_DOSE,),
    modalities=("RTDOSE",),
    reader="orthanc_stl.sources.rtdose:RtDose",
    fields=("Levels", "Reference", "FillHoles"),
    most_files=2,
)
SURFACE_SEGMENTATION = Kind(
    "surface-segmentation",
    "a Surface Segmentation",
    "Segmentation",
    "Model generated from DICOM Surface Segmentation",
    sop_classes=(sop_classes.SURFACE_SEGMENTATION,),
    modalities=("SEG",),
    reader="orthanc_stl.sources.surface_segmentation:SurfaceSegmentation",
)
ENCAPSULATED = Kind(
    "encapsulated",
    "an Encapsulated STL or OBJ",
    "3D models",
    "Model generated from an encapsulated model",
    sop_classes=(sop_classes.ENCAPSULATED_STL, sop_classes.ENCAPSULATED_OBJ),
    modalities=(sop_classes.MODEL_MODALITY,),
    reader="orthanc_stl.sources.encapsulated:Encapsulated",
    most_files=2,
)
NIFTI = Kind(
    "nifti",
    "a NIfTI file",
    "NIfTI",
    "Model generated from NIfTI",
    suffixes=(".nii", ".nii.gz"),
    reader="orthanc_stl.sources.nifti:Nifti",
    fields=_OF_LABEL_MAPS,
    most_files=sys.maxsize,
)
NRRD = Kind(
    "nrrd",
    "an NRRD file",
    "NRRD",
    "Model generated from NRRD",
    suffixes=(".nrrd", ".seg.nrrd"),
    reader="orthanc_stl.sources.nrrd:Nrrd",
    fields=_OF_LABEL_MAPS,
    most_files=sys.maxsize,
)
MESH = Kind(
    "mesh",
    "a mesh file (STL, OBJ, PLY, GLB or 3MF)",
    "Mesh",
    "Model generated from a mesh file",
    suffixes=(".stl", ".obj", ".ply", ".glb", ".3mf"),
    reader="orthanc_stl.sources.mesh_files:MeshFiles",
    most_files=2,
)
IMAGES = Kind(
    "images",
    "a series of images",
    "Images",
    "Model generated from images",
    modalities=("CT", "MR", "PT", "NM"),
    reader="orthanc_stl.sources.images:Images",
    fields=("Threshold", "Upper", "Preset", "FillHoles"),
    most_files=sys.maxsize,
)

KINDS: tuple[Kind, ...] = (RTSTRUCT, SEG, RTDOSE, SURFACE_SEGMENTATION, ENCAPSULATED, NIFTI, NRRD, MESH, IMAGES)
"""In the order in which files are tried."""

SHOWN_MODALITIES = (*IMAGES.modalities, "XA", "US", "OT", "CTPT")
"""Of series of images whose slices the viewer lays over models; models are made of those in `IMAGES` alone."""


def kind_of(sop_class: str) -> Kind | None:
    """The kind that objects of this SOP class are, None for a class that no source reads."""
    return next((kind for kind in KINDS if sop_class in kind.sop_classes), None)


def kind_by_title(title: str) -> Kind | None:
    """The kind whose models have this title; None for a source that is not of the table."""
    return next((kind for kind in KINDS if kind.title == title), None)
