"""A private Orthanc on a bare machine, and the command that runs it.

The host's Python runs this, so it needs the standard library only (but for `phantom`, which the private Python runs).
"""
