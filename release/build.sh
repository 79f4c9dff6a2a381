#!/bin/sh
# Wheel, sdist and image of a tag: release/build.sh TAG [--image]   (TAG: v0.1.0; the version stands in orthanc_stl/__init__.py)
# Needs git, npm and a Python with pip; --image needs Docker. What comes out is in dist/. "HEAD" builds what is committed.
set -eu
cd "$(dirname "$0")/.."
tag=${1:?usage: release/build.sh TAG [--image]}
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
mkdir -p dist
"$work/venv/bin/python" -m build --outdir dist "$work"
if [ "${2:-}" = --image ]; then
    docker build -f "$work/docker/Dockerfile" --build-arg "VERSION=$version" -t "orthanc-stl:$version" "$work"
fi
