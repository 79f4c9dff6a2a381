"""SOP classes and private elements that this project reads or writes. The standard library only: Orthanc's process
imports it as well."""

from __future__ import annotations

RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
ENCAPSULATED_STL = "1.2.840.10008.5.1.4.1.1.104.3"
ENCAPSULATED_OBJ = "1.2.840.10008.5.1.4.1.1.104.4"
ENCAPSULATED_MTL = "1.2.840.10008.5.1.4.1.1.104.5"
ENCAPSULATED_MODELS = (ENCAPSULATED_STL, ENCAPSULATED_OBJ)
RAW_DATA = "1.2.840.10008.5.1.4.1.1.66"

# The private block that the original plugin keeps Nexus models in, and its elements.
NEXUS_CREATOR = "OrthancSTL"
NEXUS_GROUP = 0x4205
NEXUS_CREATOR_TAG = 0x42050010
NEXUS_CONTENT_TAG = 0x42051001
NEXUS_LENGTH_TAG = 0x42051002
