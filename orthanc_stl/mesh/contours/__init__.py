"""Contours on parallel planes to closed surfaces."""
