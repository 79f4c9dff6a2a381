"""Images and compose files, built and run for real where a Docker engine is."""
