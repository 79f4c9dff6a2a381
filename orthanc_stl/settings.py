"""The configuration of the plugin: the section "STL" of Orthanc's configuration, validated once.

Every option is a field of `Settings`; `OPTIONS` says how it is written in orthanc.json. The defaults suit a machine
with 4 GB of memory.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


class InvalidConfiguration(ValueError):
    """An option of the section "STL" has a wrong type or value."""


@dataclass(frozen=True)
class Settings:
    enable_nifti: bool = False
    enable_nexus: bool = False
    hop_canvas_style: str = ""
    hop_path: str = ""
    workers: int = field(default_factory=lambda: min(os.cpu_count() or 1, 4))
    queue_size: int = 64
    timeout_seconds: int = 600
    listing_seconds: int = 30
    worker_memory_mb: int = 3072
    max_body_mb: int = 512
    max_result_mb: int = 1024
    max_nifti_mb: int = 1536
    max_voxels: int = 200_000_000
    max_triangles: int = 10_000_000
    max_contour_points: int = 20_000_000
    max_rois: int = 10_000
    nexus_cache_mb: int = 512
    scene_cache_mb: int = 256
    finished_jobs_seconds: int = 3600
    finished_jobs_mb: int = 64
    trusted_proxies: tuple[str, ...] = ()
    embed_origins: tuple[str, ...] = ()
    python_executable: str = ""
    scheduler: str = ""
    scheduler_fallback: bool = True
    rules: tuple[Mapping[str, Any], ...] = ()
    catch_up_days: int = 1


@dataclass(frozen=True)
class Option:
    """How one option is written: its key, its field, and the check of its value."""

    key: str
    field: str
    check: Callable[[str, Any], Any]


def _boolean(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidConfiguration(f'"{key}" must be true or false, not {value!r}')
    return value


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidConfiguration(f'"{key}" must be a string, not {value!r}')
    return value


def _addresses(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InvalidConfiguration(f'"{key}" must be a list of addresses and networks, not {value!r}')
    for one in value:
        try:
            ipaddress.ip_network(one, strict=False)
        except ValueError as error:
            raise InvalidConfiguration(f'"{key}" must be a list of addresses and networks: {error}') from None
    return tuple(value)


_ORIGIN = re.compile(r"https?://(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(:[0-9]{1,5})?")


def _origins(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and _ORIGIN.fullmatch(one) for one in value):
        raise InvalidConfiguration(
            f'"{key}" must be a list of origins such as "https://dashboard.example.org", not {value!r}'
        )
    return tuple(one.lower() for one in value)


def _integer(low: int, high: int) -> Callable[[str, Any], int]:
    def check(key: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidConfiguration(f'"{key}" must be an integer from {low} to {high}, not {value!r}')
        return value

    return check


def _objects(key: str, value: Any) -> tuple[Mapping[str, Any], ...]:
    """What each of them may hold is for rest/rules to say."""
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise InvalidConfiguration(f'"{key}" must be a list of objects, not {value!r}')
    return tuple(value)


MEGABYTES = _integer(1, 1 << 20)

OPTIONS = (
    Option("EnableNIfTI", "enable_nifti", _boolean),
    Option("EnableNexus", "enable_nexus", _boolean),
    Option("3DHOP.CanvasStyle", "hop_canvas_style", _text),
    Option("3DHOP.Path", "hop_path", _text),
    Option("Workers", "workers", _integer(1, 256)),
    Option("QueueSize", "queue_size", _integer(1, 10_000)),
    Option("TimeoutSeconds", "timeout_seconds", _integer(1, 86_400)),
    Option("ListingSeconds", "listing_seconds", _integer(1, 86_400)),
    Option("WorkerMemoryMB", "worker_memory_mb", _integer(512, 1 << 20)),
    Option("MaxBodyMB", "max_body_mb", MEGABYTES),
    Option("MaxResultMB", "max_result_mb", MEGABYTES),
    Option("MaxNiftiMB", "max_nifti_mb", MEGABYTES),
    Option("MaxVoxels", "max_voxels", _integer(1_000, 1 << 40)),
    Option("MaxTriangles", "max_triangles", _integer(100, 80_000_000)),
    Option("MaxContourPoints", "max_contour_points", _integer(3, 1 << 40)),
    Option("MaxRois", "max_rois", _integer(1, 1_000_000)),
    Option("NexusCacheMB", "nexus_cache_mb", MEGABYTES),
    Option("SceneCacheMB", "scene_cache_mb", MEGABYTES),
    Option("FinishedJobsSeconds", "finished_jobs_seconds", _integer(1, 7 * 86_400)),
    Option("FinishedJobsMB", "finished_jobs_mb", MEGABYTES),
    Option("TrustedProxies", "trusted_proxies", _addresses),
    Option("EmbedOrigins", "embed_origins", _origins),
    Option("PythonExecutable", "python_executable", _text),
    Option("Scheduler", "scheduler", _text),
    Option("SchedulerFallback", "scheduler_fallback", _boolean),
    Option("Rules", "rules", _objects),
    Option("CatchUpDays", "catch_up_days", _integer(0, 3650)),
)

_BY_KEY = {option.key.lower(): option for option in OPTIONS}
# The one section within the section.
_SUBSECTION = "3dhop"


def read_settings(section: Mapping[str, Any] | None, warn: Callable[[str], None]) -> Settings:
    """The settings that the section "STL" says; a key that is not ours is passed to `warn` in a sentence.

    `{"3DHOP": {"Path": ...}}`, as the original has it, and `{"3DHOP.Path": ...}` are the same.

    Raises `InvalidConfiguration` with a sentence that names the option.
    """
    if section is None:
        return Settings()
    if not isinstance(section, Mapping):
        raise InvalidConfiguration(f'the section "STL" must be an object, not {section!r}')
    values: dict[str, Any] = {}
    for key, value in _flat(section):
        option = _BY_KEY.get(key.lower())
        if option is None:
            warn(f'the section "STL" has the unknown option "{key}", which is ignored')
        else:
            values[option.field] = option.check(option.key, value)
    return Settings(**values)


def _flat(section: Mapping[str, Any]) -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in section.items():
        nested = key.lower() == _SUBSECTION
        if nested and not isinstance(value, Mapping):
            raise InvalidConfiguration(f'"{key}" must be an object, not {value!r}')
        if nested:
            pairs += [(f"{key}.{inner}", inner_value) for inner, inner_value in value.items()]
        else:
            pairs.append((key, value))
    return pairs
