"""What every handler is given besides the request."""

from __future__ import annotations

from dataclasses import dataclass

from orthanc_stl.engine.jobs import Jobs
from orthanc_stl.rest.http.waiting import Waiting
from orthanc_stl.rest.metrics import Figures
from orthanc_stl.rest.model_cache import ModelCache
from orthanc_stl.rest.orthanc import Orthanc
from orthanc_stl.rest.routes.pages import Pages
from orthanc_stl.settings import Settings


@dataclass(frozen=True)
class App:
    orthanc: Orthanc
    settings: Settings
    jobs: Jobs
    pages: Pages
    waiting: Waiting
    figures: Figures
    models: ModelCache
