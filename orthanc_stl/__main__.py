"""`python -m orthanc_stl`: the commands of cli.py."""

import sys

from orthanc_stl.cli import main

if __name__ == "__main__":
    sys.exit(main())
