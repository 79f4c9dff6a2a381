"""The part `debian`: Orthanc, its Python plugin and Python from Debian 13, unpacked into a folder without root.

The host's own apt downloads and verifies (its mirror, its proxies, its keyring), in folders of our own; dpkg-deb
unpacks. The programs run through the folder's own dynamic loader, so the host may be older or newer than Debian 13.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .common import CalledProgramFailed, SetupError, call

SUITE = "trixie"
PACKAGES = ("orthanc", "orthanc-python", "python3", "python3-pip-whl", "ca-certificates")
RECIPE = "1"  # raise it when this file makes something else of the same packages

# machine as the kernel calls it -> (Debian's architecture, multiarch triplet, dynamic loader)
MACHINES = {
    "x86_64": ("amd64", "x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "aarch64": ("arm64", "aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}
KEYRINGS = ("debian-archive-keyring.gpg", "debian-archive-keyring.pgp", f"debian-archive-{SUITE}-stable.gpg")


def machine() -> tuple[str, str, str]:
    name = platform.machine()
    if name not in MACHINES:
        raise SetupError(f"the processor {name!r} is not supported ({' and '.join(MACHINES)} are).")
    return MACHINES[name]


def build(folder: Path, packages: Sequence[str] = PACKAGES) -> None:
    architecture, triplet, loader = machine()
    for program in ("apt-get", "apt-config", "dpkg-deb"):
        if shutil.which(program) is None:
            raise SetupError(
                f"this machine has no {program} (it is no Debian or Ubuntu); use Docker instead, see docker/."
            )
    work = folder / "apt"
    env = _private_apt(work, architecture)
    _download(env, packages)
    debs = sorted((work / "cache/archives").glob("*.deb"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda deb: call(["dpkg-deb", "-x", deb, folder], env), debs))
    shutil.rmtree(work)
    _wrap(folder, triplet, loader)
    _bundle_certificates(folder)


def _private_apt(work: Path, architecture: str) -> dict[str, str]:
    """The environment in which apt works in `work` alone, with the host's proxies and timeouts."""
    for folder in ("lists/partial", "cache/archives/partial", "etc"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    host = call(["apt-config", "dump"], os.environ)
    acquire = [line for line in host.splitlines() if re.match(r"Acquire::(?!IndexTargets|Languages)\S* ", line)]
    (work / "etc/apt.conf").write_text(
        "\n".join(
            [
                *acquire,
                'Acquire::Languages "none";',
                f'Dir::State "{work}";',
                f'Dir::State::status "{work}/status";',
                f'Dir::Cache "{work}/cache";',
                f'Dir::Etc::sourcelist "{work}/etc/sources.list";',
                'Dir::Etc::sourceparts "-";',
                'Dir::Etc::main "-";',
                'Dir::Etc::parts "-";',
                'Dir::Etc::preferences "-";',
                'Dir::Etc::preferencesparts "-";',
                f'APT::Architecture "{architecture}";',
                f'APT::Architectures {{ "{architecture}"; }};',
                'APT::Sandbox::User "";',
                'APT::Install-Recommends "false";',
            ]
        )
    )
    (work / "etc/sources.list").write_text(_sources(architecture))
    return os.environ | {"APT_CONFIG": str(work / "etc/apt.conf"), "LC_ALL": "C.UTF-8"}


def _sources(architecture: str) -> str:
    """Lines for Debian 13 on the mirror that the host itself uses, or on the one that ORTHANC_STL_MIRROR names."""
    keyring = next((f for f in (Path("/usr/share/keyrings") / name for name in KEYRINGS) if f.exists()), None)
    if keyring is None:
        raise SetupError(
            "Debian's archive keys are missing; install the package debian-archive-keyring, or use Docker."
        )
    options = f"[arch={architecture} signed-by={keyring}]"
    named = os.environ.get("ORTHANC_STL_MIRROR")
    if named:
        return f"deb {options} {named} {SUITE} main\n"
    targets = call(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
        os.environ,
    )
    known = [(uri, suite) for uri, suite, component in map(str.split, targets.splitlines()) if component == "main"]
    host = platform.freedesktop_os_release()
    suites = (host.get("VERSION_CODENAME"), "stable", "testing", "sid", SUITE)
    debian = [uri for uri, suite in known if suite in suites]
    if host.get("ID") != "debian" or not debian:
        raise SetupError(
            "this machine's apt names no Debian mirror; name one by ORTHANC_STL_MIRROR=<address>, or use Docker."
        )
    lines = [f"deb {options} {debian[0]} {SUITE} main"]
    security = [uri for uri, suite in known if suite.endswith("-security")]
    lines += [f"deb {options} {uri} {SUITE}-security main" for uri in security[:1]]
    return "\n".join(lines) + "\n"


def _download(env: dict[str, str], packages: Sequence[str]) -> None:
    try:
        call(["apt-get", "update", "--error-on=any"], env)
        call(["apt-get", "install", "--download-only", "--yes", *packages], env)
    except CalledProgramFailed as error:
        reasons = [line for line in error.output.splitlines() if line.startswith(("E:", "Err:", "W:"))]
        network = re.search(r"resolv|connect|timed out|unreachable|Failed to fetch", error.output)
        what = "could not be downloaded; is there a network?" if network else "were refused by apt."
        if re.search(r"NO_PUBKEY|not signed", error.output):
            what = "are signed by newer keys than this machine has; update its package debian-archive-keyring."
        raise SetupError(f"Debian's packages {what} ({reasons[-1] if reasons else error})") from error


_WRAPPER = """#!/bin/sh
# Runs the program through this folder's own dynamic loader and libraries.
usr=${0%%/*}/..
export DCMDICTPATH="$usr/share/dcmtk/dicom.dic" GCONV_PATH="$usr/lib/%(triplet)s/gconv" %(exports)s
exec "$usr/lib/%(triplet)s/%(loader)s" --inhibit-cache --library-path "%(libraries)s" \\
    --argv0 "$0" "$usr/%(program)s" "$@"
"""


def _wrap(folder: Path, triplet: str, loader: str) -> None:
    """`usr/bin/python3` and `usr/sbin/Orthanc` become scripts that start the real programs (`*.real`) as above."""
    usr = folder / "usr"
    libraries = sorted({str(file.parent.relative_to(usr)) for file in (usr / "lib" / triplet).rglob("lib*.so*")})
    path = ":".join(f"$usr/{library}" for library in libraries)
    python = (usr / "bin/python3").readlink().name
    for program, exports in ((f"bin/{python}", ""), ("sbin/Orthanc", 'PYTHONHOME="$usr"')):
        real = usr / f"{program}.real"
        (usr / program).rename(real)
        values = {"triplet": triplet, "loader": loader, "libraries": path, "exports": exports}
        (usr / program).write_text(_WRAPPER % (values | {"program": f"{program}.real"}))
        (usr / program).chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)


def _bundle_certificates(folder: Path) -> None:
    """One file of the certificates, as the package's own installation script would make it in /etc/ssl/certs."""
    sources = sorted((folder / "usr/share/ca-certificates").rglob("*.crt"))
    (folder / "etc/ssl/certs").mkdir(parents=True, exist_ok=True)
    (folder / "etc/ssl/certs/ca-certificates.crt").write_bytes(b"".join(source.read_bytes() for source in sources))
