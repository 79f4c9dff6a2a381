"""DICOM in and out, by pydicom."""
