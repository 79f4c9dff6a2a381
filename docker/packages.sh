#!/bin/sh
# packages.sh NAME...: installs what the lock files /locks/NAME.txt list into /site, compiled for its place in the image.
set -e
[ $# -gt 0 ] || exit 0
for name in "$@"; do
    pip install --require-hashes --only-binary :all: --no-deps --target /site -r "/locks/$name.txt"
done
find /site -type d '(' -name __pycache__ -o -name tests ')' -prune -exec rm -rf {} +
python3 -m compileall -q -s /site -p /opt/orthanc-stl/site /site
