"""Rules: what they are, what they have done, and running them once more. Nothing here names a patient."""

from __future__ import annotations

from typing import Any

from orthanc_stl import errors
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http import body as bodies
from orthanc_stl.rest.http import fields
from orthanc_stl.rest.http.messages import Answer, Request, json_answer
from orthanc_stl.rest.parents import is_orthanc_id
from orthanc_stl.rest.rules.rule import Rule


def rules(app: App, request: Request) -> Answer:
    """GET /stl/rules: the rules, how many series wait, and the last runs, each with the address of its details."""
    return json_answer(
        {
            "Rules": [_described(rule) for rule in app.rules.rules],
            "Waiting": app.rules.waiting,
            "Runs": [_with_states(app, run) for run in app.rules.history.listed()],
        }
    )


def of_instance(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/rules: by the name of each rule its last run on this source, with the reason."""
    instance = request.groups[0]
    app.orthanc.sop_class(instance)
    return json_answer(app.rules.history.of(instance))


def run(app: App, request: Request) -> Answer:
    """POST /stl/rules/run: `Instance`, of which what failed is run again; or `Days`, to look back for what is missing.

    Answers at once; the runs are listed when they are done.
    """
    body = bodies.read_object(request.body)
    app.orthanc.require_writable()
    if not app.rules.rules:
        raise errors.InvalidInput('there are no rules: see the option "Rules"')
    if ("Instance" in body) == ("Days" in body):
        raise errors.InvalidField("Instance or Days is expected, and only one of them")
    if "Days" in body:
        app.rules.catch_up(fields.integer(body, "Days", 1, 1, 3650))
    else:
        instance = fields.text(body, "Instance")
        if not is_orthanc_id(instance):
            raise errors.NotFound(f"{instance[:80]!r} is not the Orthanc identifier of an instance")
        app.rules.again(instance)
    return json_answer({})


def _described(rule: Rule) -> dict[str, Any]:
    return {
        "Name": rule.name,
        "When": {condition: list(patterns) for condition, patterns in rule.when.items()},
        "Structures": {"Include": list(rule.include), "Exclude": list(rule.conversion.exclude)},
        "Then": {"Label": list(rule.labels), "SendTo": list(rule.send_to)},
    }


def _with_states(app: App, run: dict[str, Any]) -> dict[str, Any]:
    """With the state of each job that sends, as long as Orthanc remembers it."""
    return run | {"Sent": [one | {"State": app.orthanc.job_state(one["Job"])} for one in run.get("Sent", ())]}
