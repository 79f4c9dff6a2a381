"""What every handler is given besides the request."""

from __future__ import annotations

from dataclasses import dataclass, field

from orthanc_stl.engine.jobs import Jobs
from orthanc_stl.rest.http.waiting import Waiting
from orthanc_stl.rest.metrics import Figures
from orthanc_stl.rest.model_cache import ModelCache
from orthanc_stl.rest.orthanc import Orthanc
from orthanc_stl.rest.rules.runner import RuleRunner
from orthanc_stl.rest.series_images import SeriesImagesCache
from orthanc_stl.rest.static_files import Pages
from orthanc_stl.settings import Settings

IMAGE_LEVELS_BYTES = 64 << 20
"""Of the coarse levels of images, compressed, that are kept: some twenty series of 200 slices."""


@dataclass(frozen=True)
class App:
    orthanc: Orthanc
    settings: Settings
    jobs: Jobs
    pages: Pages
    waiting: Waiting
    figures: Figures
    models: ModelCache
    scenes: ModelCache
    rules: RuleRunner
    images: SeriesImagesCache = field(default_factory=SeriesImagesCache)
    image_levels: ModelCache = field(default_factory=lambda: ModelCache(IMAGE_LEVELS_BYTES, loads_at_once=16))
