"""Volumes of voxels to closed surfaces."""
