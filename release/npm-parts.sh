#!/bin/sh
# Of an npm folder, what the pages load, with its licences: npm-parts.sh NODE_MODULES DESTINATION
set -eu
from=$1 to=$2
mkdir -p "$to/three/examples" "$to/online-3d-viewer/build"
cp -r "$from/three/build" "$from/three/LICENSE" "$from/three/package.json" "$to/three/"
cp -r "$from/three/examples/jsm" "$to/three/examples/"
cp -r "$from/online-3d-viewer/build/engine" "$to/online-3d-viewer/build/"
cp "$from/online-3d-viewer/LICENSE.md" "$from/online-3d-viewer/package.json" "$to/online-3d-viewer/"
mkdir -p "$to/three-mesh-bvh/build"
cp "$from/three-mesh-bvh/build/index.module.js" "$to/three-mesh-bvh/build/"
cp "$from/three-mesh-bvh/LICENSE" "$from/three-mesh-bvh/package.json" "$to/three-mesh-bvh/"
