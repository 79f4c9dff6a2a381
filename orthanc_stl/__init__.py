"""3D models in Orthanc: STL meshes from RT-STRUCT and NIfTI, stored in DICOM, streamed and shown."""

__version__ = "0.1.0"
