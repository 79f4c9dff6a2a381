"""What a rule does with one source: the models, and what is done with them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from orthanc_stl import errors
from orthanc_stl.dicom.ascii import ascii_value
from orthanc_stl.rest.app import App
from orthanc_stl.rest.conversion import convert
from orthanc_stl.rest.http.messages import Request
from orthanc_stl.rest.inputs import instance_files
from orthanc_stl.rest.rules.rule import Rule, fits
from orthanc_stl.rest.running import listing

# As whom rules take turns with those who wait for an answer. No user or address has such a name.
_CLIENT = "(rules)"


def make_models(app: App, rule: Rule, instance: str) -> dict[str, Any]:
    """Makes the models, stores them, labels their study and starts to send them: their ids, and the jobs of Orthanc's.

    The UIDs follow from the source and the rule, so that a second run makes no second copy. Raises the conversion's
    StlError.
    """
    request = Request("POST", "/stl/rules/run", client=_CLIENT)
    source = instance_files(app, instance)
    conversion = rule.conversion
    if rule.include:
        found = listing(app, request, "choose_structures", source, conversion)["structures"]
        chosen = tuple(one["Number"] for one in found if fits(one["Name"], rule.include))
        if not chosen:
            raise errors.InvalidInput(f'no structure that can be used fits "Include": {", ".join(rule.include)}')
        conversion = replace(conversion, all=False, exclude=(), structures=chosen)
    uid = ascii_value(app.orthanc.tag(instance, "0008-0018"))
    submitted = convert(
        app, request, source, conversion, asynchronous=True, identity=rule.series_uids(uid), low_priority=True
    )
    job = app.jobs.get(json.loads(bytes(submitted.body))["ID"])
    job.ended.wait()
    if job.error is not None:
        raise job.error
    if job.answer is None:
        raise errors.Cancelled("the conversion was cancelled")
    for label in rule.labels:
        app.orthanc.put(f"/studies/{job.answer['ParentStudy']}/labels/{label}", b"")
    series = job.answer["ParentSeries"]
    return {
        "Models": [model["ID"] for model in job.answer["Models"]],
        "Series": series,
        "Sent": [_send(app, to, series) for to in rule.send_to],
    }


def _send(app: App, to: str, series: str) -> dict[str, str]:
    """Starts a job of Orthanc's that sends a series to a modality or peer. Raises `InvalidInput` if it is neither."""
    for kind in ("modalities", "peers"):
        if to in app.orthanc.get_json(f"/{kind}"):
            body = json.dumps({"Resources": [series], "Asynchronous": True}).encode()
            return {"To": to, "Job": json.loads(app.orthanc.post(f"/{kind}/{to}/store", body))["ID"]}
    raise errors.InvalidInput(f'"SendTo": Orthanc has no modality and no peer {to!r}; the models are stored')
