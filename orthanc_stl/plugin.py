"""Wires settings, engine, routes and the Explorer's buttons into the `orthanc` module that it is given."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from typing import Any

from orthanc_stl import __version__
from orthanc_stl.dicom.sop_classes import NEXUS_CREATOR, NEXUS_GROUP
from orthanc_stl.engine.cluster import Cluster
from orthanc_stl.engine.executor import Executor
from orthanc_stl.engine.jobs import Jobs
from orthanc_stl.engine.pool import LocalPool
from orthanc_stl.engine.python import find_python
from orthanc_stl.engine.work_folder import remove_abandoned
from orthanc_stl.errors import StlError
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http.client import Clients
from orthanc_stl.rest.http.dispatch import STACK_BYTES, Dispatcher, Server
from orthanc_stl.rest.http.origin import no_form_for
from orthanc_stl.rest.http.waiting import Waiting
from orthanc_stl.rest.metrics import Figures
from orthanc_stl.rest.model_cache import ModelCache
from orthanc_stl.rest.orthanc import Orthanc
from orthanc_stl.rest.routes.pages import browser_options
from orthanc_stl.rest.routes.table import routes
from orthanc_stl.rest.rule_models import make_models
from orthanc_stl.rest.rules.rule import Rule, read_rules
from orthanc_stl.rest.rules.runner import RuleRunner
from orthanc_stl.rest.static_files import WEBASSETS, Pages
from orthanc_stl.rest.storing import remove_half_sets
from orthanc_stl.settings import InvalidConfiguration, Settings, read_settings

# Orthanc's default for HttpThreadsCount, and some room for requests that are being answered.
HTTP_THREADS = 50
SPARE_THREADS = 4

# At stop Orthanc's Python plugin drops its references to callbacks without holding the interpreter's lock; whatever
# nobody else refers to is freed then, and Orthanc dies of it. So they are kept here.
_registered: list[Callable[..., object]] = []


def install(orthanc: Any) -> None:
    """Called once, when Orthanc loads stl_plugin.py. Raises `InvalidConfiguration`, which stops Orthanc's start."""
    configuration = json.loads(orthanc.GetConfiguration())
    settings = _settings(orthanc, configuration)
    _warn_about_threads(orthanc, configuration)
    threading.stack_size(STACK_BYTES)
    remove_abandoned()  # what a kill of all our processes has left
    jobs = Jobs(
        _executor(orthanc, settings),
        workers=settings.workers,
        queue_size=settings.queue_size,
        held_bytes=settings.max_body_mb << 20,
        timeout_seconds=settings.timeout_seconds,
        listing_seconds=settings.listing_seconds,
        remember_seconds=settings.finished_jobs_seconds,
        remember_bytes=settings.finished_jobs_mb << 20,
        result_bytes=settings.max_result_mb << 20,
        on_finished=lambda job: figures.job_ended(job),
    )
    figures = Figures(orthanc, jobs.stats)
    http_threads = configuration.get("HttpThreadsCount", HTTP_THREADS)
    pages = Pages(not configuration.get("HttpCompressionEnabled", False), settings.embed_origins)
    models = ModelCache(settings.nexus_cache_mb << 20)
    scenes = ModelCache(settings.scene_cache_mb << 20, loads_at_once=http_threads)  # which wait for a worker
    waiting = Waiting(http_threads)
    core = Orthanc(orthanc, read_only=bool(configuration.get("ReadOnly", False)))
    server = Server(
        threads=http_threads + SPARE_THREADS,
        max_body_mb=settings.max_body_mb,
        waiting=waiting,
        clients=Clients.of(configuration, settings.trusted_proxies),
        log_error=orthanc.LogError,
        describe_errors=configuration.get("HttpDescribeErrors", True),
    )
    rules = RuleRunner(
        _rules(orthanc, settings),
        core,
        make=lambda rule, instance: make_models(app, rule, instance),
        log=orthanc.LogWarning,
        publish=figures.publish_rules,
    )
    app = App(core, settings, jobs, pages, waiting, figures, models, scenes, rules)
    dispatcher = Dispatcher(app, server)
    for route in routes(settings):
        callback = dispatcher.callback(route.methods)
        _registered.append(callback)
        orthanc.RegisterRestCallback(route.pattern, callback)
    no_form = no_form_for(route.pattern for route in routes(settings))
    _registered.append(no_form)
    orthanc.RegisterIncomingHttpRequestFilter(no_form)
    _register_private_tags(orthanc)
    _follow_orthanc(orthanc, app, dispatcher)
    _extend_explorer(orthanc, settings)
    orthanc.SetDescription("3D models: STL from RT-STRUCT and NIfTI, stored in DICOM, streamed and shown.")
    orthanc.LogWarning(f"orthanc-stl {__version__} is ready")


def _settings(orthanc: Any, configuration: dict[str, Any]) -> Settings:
    try:
        return read_settings(configuration.get("STL"), orthanc.LogWarning)
    except InvalidConfiguration as e:
        orthanc.LogError(f"The configuration of orthanc-stl is wrong: {e}")
        raise


def _rules(orthanc: Any, settings: Settings) -> tuple[Rule, ...]:
    try:
        return read_rules(settings.rules)
    except InvalidConfiguration as e:
        orthanc.LogError(f"The configuration of orthanc-stl is wrong: {e}")
        raise


def _executor(orthanc: Any, settings: Settings) -> Executor:
    """Worker processes on this machine; with "Scheduler", a cluster, and those for what the cluster is not asked."""
    python = _python(orthanc, settings)

    def pool(size: int) -> LocalPool:
        return LocalPool(python, size=size, memory_mb=settings.worker_memory_mb, spare=True)

    if not settings.scheduler:
        return pool(settings.workers + 1)  # one more for quick listings, which never wait behind conversions
    # The cluster may take more conversions at once than this machine could.
    fallback = pool(min(settings.workers, os.cpu_count() or 1)) if settings.scheduler_fallback else None
    return Cluster(
        settings.scheduler,
        python,
        local=pool(2),
        fallback=fallback,
        memory_mb=settings.worker_memory_mb,
        report=lambda sentence: orthanc.LogWarning(f"{sentence}; conversions are done here" if fallback else sentence),
    )


def _python(orthanc: Any, settings: Settings) -> str:
    try:
        return find_python(settings.python_executable)
    except FileNotFoundError as e:
        orthanc.LogError(str(e))
        raise


def _warn_about_threads(orthanc: Any, configuration: dict[str, Any]) -> None:
    section = configuration.get("Python")
    if not (isinstance(section, dict) and section.get("AllowThreads")):
        orthanc.LogWarning(
            'Set "Python": {"AllowThreads": true} in the configuration of Orthanc: without it one request at a time '
            "is answered, and a Python script that handles events can block Orthanc for ever"
        )


def _follow_orthanc(orthanc: Any, app: App, dispatcher: Dispatcher) -> None:
    """Without the hook at stop Orthanc would wait for running conversions, and workers would outlive it."""

    def on_change(change: int, level: int, resource: str) -> None:
        if change == orthanc.ChangeType.ORTHANC_STARTED:
            _warn_about_original(orthanc)
            app.figures.publish()
            _remove_half_sets(orthanc, app)
            app.rules.start(app.settings.catch_up_days)
        elif change == orthanc.ChangeType.STABLE_SERIES:
            app.rules.series_is_stable(resource)
        elif change == orthanc.ChangeType.DELETED:
            app.models.forget(resource)
        elif change == orthanc.ChangeType.ORTHANC_STOPPED:
            app.rules.stop()
            app.jobs.stop()
            dispatcher.stop()

    _registered.append(on_change)
    orthanc.RegisterOnChangeCallback(on_change)


def _remove_half_sets(orthanc: Any, app: App) -> None:
    try:
        app.orthanc.require_writable()
        remove_half_sets(app.orthanc, orthanc.LogWarning)
    except StlError as error:  # at a later start, then
        orthanc.LogWarning(f"Sets that were being stored when Orthanc ended were not looked for: {error}")


def _warn_about_original(orthanc: Any) -> None:
    if "stl" in json.loads(orthanc.RestApiGet("/plugins")):
        orthanc.LogError(
            "The C++ STL plugin is loaded as well, with the same routes and buttons as orthanc-stl: take one out "
            'of the options "Plugins" and "PythonScript"'
        )


def _register_private_tags(orthanc: Any) -> None:
    """The elements that hold a Nexus model: Orthanc shows them by name, and knows their VR in any file."""
    vr = orthanc.ValueRepresentation
    for element, kind, name in (
        (0x0010, vr.LO, "OrthancStlCreator"),
        (0x1001, vr.OB, "OrthancStlNexusData"),
        (0x1002, vr.UL, "OrthancStlNexusLength"),
    ):
        orthanc.RegisterPrivateDictionaryTag(NEXUS_GROUP, element, kind, name, 1, 1, NEXUS_CREATOR)


def _extend_explorer(orthanc: Any, settings: Settings) -> None:
    """Gives Orthanc Explorer our script, in a scope of its own, with what it has to know of the configuration."""
    script = (WEBASSETS / "explorer.js").read_text("utf-8")
    options = json.dumps(browser_options(settings))
    orthanc.ExtendOrthancExplorer(f"{{\nconst ORTHANC_STL = {options};\n{script}\n}}\n")
