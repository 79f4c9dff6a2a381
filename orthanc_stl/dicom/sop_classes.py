"""SOP classes (PS3.4 B.5), modalities and private elements that this project reads, writes or names. The standard
library only: Orthanc's process imports it as well."""

from __future__ import annotations

_STORAGE = "1.2.840.10008.5.1.4.1.1."

CT_IMAGE = _STORAGE + "2"
MR_IMAGE = _STORAGE + "4"
PET_IMAGE = _STORAGE + "128"
NM_IMAGE = _STORAGE + "20"
RAW_DATA = _STORAGE + "66"
SEGMENTATION = _STORAGE + "66.4"
SURFACE_SEGMENTATION = _STORAGE + "66.5"
LABEL_MAP_SEGMENTATION = _STORAGE + "66.7"
HEIGHT_MAP_SEGMENTATION = _STORAGE + "66.8"
ENCAPSULATED_PDF = _STORAGE + "104.1"
ENCAPSULATED_STL = _STORAGE + "104.3"
ENCAPSULATED_OBJ = _STORAGE + "104.4"
ENCAPSULATED_MTL = _STORAGE + "104.5"
ENCAPSULATED_MODELS = (ENCAPSULATED_STL, ENCAPSULATED_OBJ)
RT_DOSE = _STORAGE + "481.2"
RT_STRUCTURE_SET = _STORAGE + "481.3"
RT_PLAN = _STORAGE + "481.5"
RT_ION_PLAN = _STORAGE + "481.8"

IMAGE_CLASSES = frozenset(
    (
        *(CT_IMAGE, CT_IMAGE + ".1", CT_IMAGE + ".2"),
        *(MR_IMAGE, MR_IMAGE + ".1", MR_IMAGE + ".4"),
        *(PET_IMAGE, PET_IMAGE + ".1", _STORAGE + "130"),
        NM_IMAGE,
    )
)
"""CT, MR, PET and NM, each but NM also as enhanced or legacy converted multi-frame images."""

# Modalities of the series that are stored here.
MODEL_MODALITY = "M3D"
NEXUS_MODALITY = "OT"
STORED_MODALITIES = (MODEL_MODALITY, NEXUS_MODALITY)

# The private block that the original plugin keeps Nexus models in, and its elements.
NEXUS_CREATOR = "OrthancSTL"
NEXUS_GROUP = 0x4205
NEXUS_CREATOR_TAG = 0x42050010
NEXUS_CONTENT_TAG = 0x42051001
NEXUS_LENGTH_TAG = 0x42051002
