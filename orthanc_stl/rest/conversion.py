"""A conversion over HTTP: the order, and the answer that comes of its results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from orthanc_stl import errors
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.engine.executor import Blob, Result
from orthanc_stl.engine.job import Outcome
from orthanc_stl.engine.jobs import Order
from orthanc_stl.mesh.notes import Note, Rank
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http.messages import Answer, Request
from orthanc_stl.rest.inputs import with_operands
from orthanc_stl.rest.running import SourceFiles, limits, listing, run_or_submit
from orthanc_stl.rest.storing import remember, series_identity, store_all, whole_set

# What Orthanc's own /tools/create-dicom answers.
_STORED = ("ID", "ParentPatient", "ParentSeries", "ParentStudy", "Path", "Status")


def convert(
    app: App, request: Request, source: SourceFiles, conversion: ConversionRequest, *, asynchronous: bool,
    identity: Mapping[str, Any] | None = None, low_priority: bool = False, told: Sequence[str] = (),
) -> Answer:  # fmt: skip
    """Makes and stores the models that `conversion` asks for, as a job that is waited for unless `asynchronous`.

    `identity` is laid over what the objects have in common (`series_identity`). `low_priority`: see `Order`. `told`:
    sentences on the request itself, which the answer gives beside those on the models.
    """
    app.orthanc.require_writable()
    conversion = replace(conversion, limits=limits(app.settings))
    source = with_operands(app, source, conversion)
    series = {**series_identity(app.orthanc, source.parent), **(identity or {})}
    options = source.options(conversion) | {"Series": series}
    parts: list[dict[str, Any]] | None = None
    chosen: dict[str, Any] = {"structures": [], "skipped": [], "notes": []}
    # All parts of an OBJ are made together, and those that a plane divides, since their numbers are not known before.
    if conversion.separate and conversion.format == "stl" and not conversion.cut:
        chosen = listing(app, request, "choose_structures", source, conversion)
        parts = [
            {
                "Request": replace(conversion, all=False, exclude=(), structures=(one["Number"],)).as_json(),
                "Series": options["Series"] | {"Place": place, "Of": len(chosen["structures"])},
            }
            for place, one in enumerate(chosen["structures"], start=1)
        ]

    def finish(outcome: Result | list[Outcome]) -> dict[str, Any]:
        if source.parent:
            app.orthanc.get(source.parent)
        results, failed = ([outcome], []) if isinstance(outcome, Result) else _usable(outcome, chosen["structures"])
        if failed and conversion.strict:
            raise errors.InvalidInput(failed[0]["Reason"])
        answer = _joined(results, [*chosen["skipped"], *failed])
        files = [blob for result in results for blob in result.blobs]
        structures, places = _objects(results)
        with whole_set(app.orthanc, files):
            stored = store_all(app.orthanc, files)
        remember(app.orthanc, stored, source.instance, structures, replace_old=conversion.replace)
        for model, place in zip(answer["Models"], places, strict=True):
            model |= {"ID": stored[place]["ID"], "Path": stored[place]["Path"]}
        return {key: stored[0][key] for key in _STORED if key in stored[0]} | _with(answer, chosen["notes"], told)

    order = Order(
        task="convert",
        options=options,
        fetch=source.fetch,
        finish=finish,
        client=request.client,
        about=source.parent,
        size=len(request.body),
        runs_on_cluster=True,
        low_priority=low_priority,
        parts=parts,
        names=[one["Name"] or str(one["Number"]) for one in chosen["structures"]],
        sizes=[one["Size"] for one in chosen["structures"]],
        all_or_none=True,
    )
    return run_or_submit(app, order, asynchronous=asynchronous)


def _with(answer: dict[str, Any], on_choice: Sequence[dict[str, Any]], told: Sequence[str]) -> dict[str, Any]:
    """The answer with notes (as JSON) on the choice, which it may have already, and sentences on the request."""
    on_request = (Note(Rank.LEFT_OUT, "", text).as_json() for text in told)
    more = [note for note in (*on_choice, *on_request) if note not in answer["Notes"]]
    warnings = [*answer["Warnings"], *(note["Text"] for note in more)]
    return answer | {"Warnings": warnings, "Notes": [*answer["Notes"], *more]}


def store_one(
    app: App,
    request: Request,
    *,
    task: str,
    options: Mapping[str, Any],
    fetch: Callable[[], Sequence[Blob]],
    parent: str,
    asynchronous: bool,
    runs_on_cluster: bool = True,
) -> Answer:
    """Runs a task that makes one object, and stores it. `parent` is as in `SourceFiles`."""
    app.orthanc.require_writable()

    def finish(result: Result) -> dict[str, Any]:
        if parent:
            app.orthanc.get(parent)
        stored = app.orthanc.store(result.blobs[0])
        return {key: stored[key] for key in _STORED if key in stored} | result.facts["answer"]

    order = Order(
        task=task,
        options={**options, "limits": limits(app.settings)},
        fetch=fetch,
        finish=finish,
        client=request.client,
        about=parent,
        size=len(request.body),
        runs_on_cluster=runs_on_cluster,
    )
    return run_or_submit(app, order, asynchronous=asynchronous)


def _usable(
    outcomes: Sequence[Outcome], structures: Sequence[dict[str, Any]]
) -> tuple[list[Result], list[dict[str, Any]]]:
    """The results of the structures that could be made, and the others with their reason. Raises if none could."""
    results, failed = [], []
    for outcome, structure in zip(outcomes, structures, strict=True):
        if isinstance(outcome, Result):
            results.append(outcome)
        else:
            failed.append({key: structure[key] for key in ("Number", "Name")} | {"Reason": str(outcome)})
    if not results:
        raise next(outcome for outcome in outcomes if isinstance(outcome, errors.StlError))
    return results, failed


def _objects(results: Sequence[Result]) -> tuple[list[list[int]], list[int]]:
    """The structures that each object has, and in which of them each model is."""
    structures: list[list[int]] = []
    places: list[int] = []
    for result in results:
        places += [len(structures) + place for place in result.facts["objects"]]
        structures += result.facts["structures"]
    return structures, places


def _joined(results: Sequence[Result], skipped: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One answer of several: as of the first model, for old clients, and the list of all."""
    answers = [result.facts["answer"] for result in results]
    models = [model for answer in answers for model in answer["Models"]]
    left_out = [*skipped, *(one for answer in answers for one in answer["Skipped"])]
    return answers[0] | {"Models": models, "Skipped": left_out}
