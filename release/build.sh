#!/bin/sh
# Wheel and sdist of a tag into a folder, and its image: release/build.sh TAG FOLDER [--image]
# TAG: v0.1.0, as the version stands in orthanc_stl/__init__.py; HEAD builds what is committed. Needs git, npm and a Python with pip
# and venv; --image needs Docker.
set -eu
tag=${1:?usage: release/build.sh TAG FOLDER [--image]}
mkdir -p "${2:?usage: release/build.sh TAG FOLDER [--image]}"
folder=$(cd "$2" && pwd)
cd "$(dirname "$0")/.."
version=$(git show "$tag:orthanc_stl/__init__.py" | sed -n 's/^__version__ = "\(.*\)"/\1/p')
if [ "$tag" != HEAD ] && [ "$tag" != "v$version" ]; then
    echo "The tag is $tag, but orthanc_stl/__init__.py says $version there." >&2
    exit 1
fi
if ! git show "$tag:CHANGELOG.md" | grep -q "^## $version"; then
    echo "CHANGELOG.md has no section \"## $version\"." >&2
    exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git archive "$tag" | tar -x -C "$work"
mkdir "$work/npm"
cp "$work"/orthanc_stl/webassets/package*.json "$work/npm/"
(cd "$work/npm" && npm ci --ignore-scripts --no-audit --no-fund --silent)
sh "$work/release/npm-parts.sh" "$work/npm/node_modules" "$work/orthanc_stl/webassets/node_modules"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet build
"$work/venv/bin/python" -m build --outdir "$folder" "$work"
if [ "${3:-}" = --image ]; then
    docker build -f "$work/docker/Dockerfile" --build-arg "VERSION=$version" -t "orthanc-stl:$version" "$work"
fi
