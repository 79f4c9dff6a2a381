"""Geometry on numpy arrays and VTK: contours and volumes to closed surfaces. Knows neither DICOM nor HTTP."""
