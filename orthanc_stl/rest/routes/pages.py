"""The viewers and pages, and what the configuration has them know."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orthanc_stl import __version__
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http.messages import Answer, Request, json_answer
from orthanc_stl.settings import Settings


def browser_options(settings: Settings) -> dict[str, Any]:
    """What Orthanc Explorer's buttons and the pages have to know of the configuration."""
    return {
        "EnableNIfTI": settings.enable_nifti,
        "EnableNexus": settings.enable_nexus,
        "CanvasStyle": settings.hop_canvas_style,
        "EmbedOrigins": list(settings.embed_origins),
        "Version": __version__,
    }


def app_file(app: App, request: Request) -> Answer:
    if request.groups[0] == "settings.json":
        return replace(json_answer(browser_options(app.settings)), headers={"Cache-Control": "no-cache"})
    return _serve(app, request, "app")


def nexus_file(app: App, request: Request) -> Answer:
    return _serve(app, request, "nexus")


def _serve(app: App, request: Request, folder: str) -> Answer:
    return app.pages.answer(request, folder, request.groups[0].rstrip("/"))
