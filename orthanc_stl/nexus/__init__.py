"""Nexus files made of meshes by pymeshlab, in processes of their own. Above engine/, whose means of processes it uses.

The other halves of Nexus lie with their kind: formats/nexus_index.py reads a file's index, conversion/nexus_surfaces.py
chooses the surfaces, dicom/nexus.py writes the object.
"""
