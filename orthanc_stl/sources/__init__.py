"""One file for each kind of input that says where structures are. `registry.py` lists them."""
