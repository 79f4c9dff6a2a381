"""Every route of the plugin: URL, method, handler.

A pattern is a regular expression over the whole URL. Routes run concurrently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orthanc_stl.rest.http.messages import Handler
from orthanc_stl.rest.routes import (
    encode,
    hop,
    images,
    jobs,
    models,
    nexus,
    nifti,
    numbers,
    pages,
    rtstruct,
    rules,
    scenes,
    sources,
    structures,
)
from orthanc_stl.settings import Settings

ID = "([0-9a-f-]+)"  # Orthanc's identifiers, and the uuids of jobs
NUMBER = "([0-9]{1,6})"


@dataclass(frozen=True)
class Route:
    pattern: str
    methods: Mapping[str, Handler]


SUFFIX = r"([0-9a-z]+(?:\.zip)?)"  # of a file, as in formats/registry.py

ROUTES = (
    Route(f"/stl/rt-struct/{ID}", {"GET": rtstruct.roi_names}),
    Route("/stl/encode-rtstruct", {"POST": rtstruct.encode_rtstruct}),
    Route("/stl/encode-nifti", {"POST": nifti.encode_nifti}),
    Route("/stl/encode", {"POST": encode.encode}),
    Route("/stl/structures", {"POST": structures.of_content}),
    Route("/stl/sources", {"GET": sources.sources}),
    Route("/stl/formats", {"GET": scenes.formats}),
    Route(f"/instances/{ID}/stl", {"GET": models.stl}),
    Route(f"/instances/{ID}/obj", {"GET": models.obj}),
    Route(f"/instances/{ID}/mtl", {"GET": models.mtl}),
    Route(f"/instances/{ID}/stl/info", {"GET": models.info}),
    Route(f"/instances/{ID}/stl/preview", {"GET": scenes.preview}),
    Route(f"/instances/{ID}/stl/structures", {"GET": structures.of_instance}),
    Route(f"/instances/{ID}/stl/structures/([0-9]+)/info", {"GET": scenes.structure_info}),
    Route(rf"/instances/{ID}/stl/structures/([0-9]+)\.{SUFFIX}", {"GET": scenes.structure}),
    Route(rf"/instances/{ID}/stl/scene\.{SUFFIX}", {"GET": scenes.of_instance}),
    Route(f"/instances/{ID}/stl/scene/info", {"GET": scenes.instance_info}),
    Route(rf"/series/{ID}/stl/scene\.{SUFFIX}", {"GET": scenes.of_series}),
    Route(rf"/studies/{ID}/stl/scene\.{SUFFIX}", {"GET": scenes.of_study}),
    Route(f"/series/{ID}/stl/structures", {"GET": structures.of_series}),
    Route(f"/series/{ID}/stl/images", {"GET": images.images}),
    Route(f"/series/{ID}/stl/images/{NUMBER}/{NUMBER}/{NUMBER}-{NUMBER}", {"GET": images.slices}),
    Route(f"/instances/{ID}/stl/statistics", {"GET": numbers.statistics}),
    Route(rf"/instances/{ID}/stl/statistics\.csv", {"GET": numbers.statistics_csv}),
    Route(f"/series/{ID}/stl/statistics", {"GET": numbers.series_statistics}),
    Route(rf"/series/{ID}/stl/statistics\.csv", {"GET": numbers.series_statistics_csv}),
    Route(f"/instances/{ID}/stl/print-check", {"GET": numbers.print_check}),
    Route(rf"/instances/{ID}/stl/print-check\.ply", {"GET": numbers.print_check_ply}),
    Route("/stl/compare", {"POST": numbers.compare}),
    Route("/stl/rules", {"GET": rules.rules}),
    Route("/stl/rules/run", {"POST": rules.run}),
    Route(f"/instances/{ID}/stl/rules", {"GET": rules.of_instance}),
    Route(f"/stl/jobs/{ID}", {"GET": jobs.progress, "DELETE": jobs.cancel}),
    Route("/stl/app/(.*)", {"GET": pages.app_file}),
)

NEXUS_ROUTES = (
    Route("/stl/create-nexus", {"POST": nexus.create}),
    Route(f"/instances/{ID}/nexus", {"GET": nexus.model}),
    Route(rf"/stl/3dhop-instances/{ID}\.nxz", {"GET": nexus.model}),
    Route("/stl/nexus/(.*)", {"GET": pages.nexus_file}),
    Route("/stl/3dhop/(.*)", {"GET": hop.hop_file}),
)


def routes(settings: Settings) -> tuple[Route, ...]:
    return ROUTES + (NEXUS_ROUTES if settings.enable_nexus else ())
