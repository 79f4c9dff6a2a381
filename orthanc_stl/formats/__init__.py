"""One file for each format that models are written in, or read from. `registry.py` lists them."""
