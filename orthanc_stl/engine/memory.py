"""A worker's memory: limits, and how much it holds. Linux has all of it; elsewhere what there is."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

LINUX = sys.platform.startswith("linux")
MB = 1 << 20


def limit_address_space(megabytes: int) -> None:
    """Allow that much beyond what is mapped by now (the libraries alone map hundreds of megabytes). 0: no limit."""
    if megabytes and resource is not None and LINUX:
        limit = _statm(0) + megabytes * MB
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def no_core_dump() -> None:
    """A crash leaves no file behind."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def first_to_kill() -> None:
    """When the machine runs out of memory the kernel takes a worker, not Orthanc."""
    if LINUX:
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
            score.write("500")


def resident() -> int:
    """Bytes of physical memory that this process holds now; 0 where that cannot be known."""
    return _statm(1) if LINUX else 0


def peak() -> int:
    """The most bytes of physical memory that this program ever held; 0 where that cannot be known."""
    if not LINUX:
        return 0
    # Not ru_maxrss: that one is inherited, from Orthanc itself, by whatever Orthanc starts.
    with open("/proc/self/status") as lines:
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def give_back() -> None:
    """Hand freed memory back to the system (glibc keeps it otherwise)."""
    if LINUX:
        with contextlib.suppress(AttributeError, OSError):  # musl has no malloc_trim
            ctypes.CDLL(None).malloc_trim(0)


def _statm(column: int) -> int:
    with open("/proc/self/statm") as figures:
        return int(figures.read().split()[column]) * os.sysconf("SC_PAGESIZE")
