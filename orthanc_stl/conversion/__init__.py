"""From a request to a model and to files, without a process and without HTTP."""
