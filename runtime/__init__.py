"""A private Orthanc on a bare machine, and the command that runs it. Standard library only: the host's Python runs this."""
