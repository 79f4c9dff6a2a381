"""Forms of JSON bodies: what Orthanc's create-dicom takes is taken here, but for what the tables below say."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pydicom
import pytest

from testing.server import OrthancServer, Reply
from tests.live import samples
from tests.live.samples_nifti import nifti

FILE = nifti(np.pad(np.ones((2, 2, 2), np.uint8), 2))  # 568 bytes: its base64 ends with "=="
ENCODED = base64.b64encode(FILE).decode()
LEVELS = ("study", "series", "patient")
URI = "data:model/stl;base64," + ENCODED


class Server(NamedTuple):
    """One Orthanc with an image, and the identifiers of what the image belongs to."""

    orthanc: OrthancServer
    study: str
    series: str
    patient: str

    def core(self, form: str) -> Reply:
        return self._answer("/tools/create-dicom", form)

    def ours(self, form: str) -> Reply:
        return self._answer("/stl/encode", form)

    def stored(self, reply: Reply) -> pydicom.Dataset:
        return pydicom.dcmread(io.BytesIO(self.orthanc.get(f"/instances/{reply.json()['ID']}/file").body))

    def _answer(self, path: str, form: str) -> Reply:
        for level in LEVELS:
            form = form.replace(level.upper(), getattr(self, level))
        return self.orthanc.post(path, form.encode("utf-8", "surrogateescape"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with OrthancServer() as orthanc:
        image = f"/instances/{orthanc.upload(samples.image())}"
        yield Server(
            orthanc, *(orthanc.get(f"{image}/{level}").json()["ID"] for level in ("study", "series", "patient"))
        )


def body(uri: str = URI, tags: str = "{}", more: str = "", parent: str = "STUDY") -> str:
    fields = f'"Parent": "{parent}", "All": true, "Resolution": 8, "FileName": "box.nii"'
    return f'{{{fields}, "Content": "{uri}", "Tags": {tags}{more}}}'


# Each is taken by both, and the whole file arrives.
FORMS = {
    "as documented": body(),
    "scheme in capitals": body("DATA:model/stl;BASE64," + ENCODED),
    "slashes escaped": body(URI.replace("/", "\\/")),
    "letters escaped": body(URI[:30] + "".join(f"\\u{ord(one):04x}" for one in URI[30:90]) + URI[90:]),
    "no padding": body(URI.rstrip("=")),
    "half the padding": body(URI.rstrip("=") + "="),
    "twice the padding": body(URI.rstrip("=") + "===="),
    "byte order mark": "\ufeff" + body(),
    "comments": "// first\n/* second */" + body(),
    "text behind the object": body() + " and so on",
    "NUL behind the object": body() + "\0\0",
    "comma at the end": body(more=","),
    "zeros before a number": body(more=', "Tolerance": 00.05'),
    "plus before a number": body(more=', "Tolerance": +0.05'),
    "point behind a number": body(more=', "Tolerance": 0.'),
    "number out of range": body(more=', "Note": 1e999'),
    "Force": body(more=', "Force": true'),
    "PrivateCreator": body(more=', "PrivateCreator": "X"'),
}

# Taken by both: the object has this value.
TAGS: dict[str, tuple[str, str, Any]] = {
    "line break in a text": ('{"ImageComments": "a\nb"}', "ImageComments", "a\nb"),
    "tab in a text": ('{"ImageComments": "a\tb"}', "ImageComments", "a\tb"),
    "escaped letter": ('{"SeriesDescription": "Z\\u00fcrich"}', "SeriesDescription", "Zürich"),
    "letter in UTF-8": ('{"SeriesDescription": "Zürich"}', "SeriesDescription", "Zürich"),
    "by number": ('{"0008,103e": "x"}', "SeriesDescription", "x"),
    "by number with a hyphen": ('{"0008-103e": "x"}', "SeriesDescription", "x"),
    "by digits": ('{"0008103E": "x"}', "SeriesDescription", "x"),
    "null": ('{"SeriesDescription": null}', "SeriesDescription", ""),
    "sequence without an item": ('{"ConceptNameCodeSequence": []}', "ConceptNameCodeSequence", []),
    "empty text for a sequence": ('{"ConceptNameCodeSequence": ""}', "ConceptNameCodeSequence", []),
    "numbers": ('{"RecommendedDisplayCIELabValue": "1\\\\2\\\\3"}', "RecommendedDisplayCIELabValue", [1, 2, 3]),
    "what the parent has": ('{"PatientID": "PHANTOM"}', "PatientID", "PHANTOM"),
    "field twice": ('{"DocumentTitle": "a"}, "Tags": {"DocumentTitle": "b"}', "DocumentTitle", "b"),
}

# create-dicom stores less than what came, or what DICOM or a model of a study forbids: refused here (docs/rest.md).
REFUSED = {
    "base64 behind its padding": (body(URI + "AAAA"), 'it has a "=" before the end'),
    "a letter of base64 too many": (body(URI.rstrip("=") + "AAA"), "one too many or up to three too few"),
    "text that is not UTF-8": (body(tags='{"SeriesDescription": "Z\udcfcrich"}'), "must be JSON in UTF-8"),
    "text that is too long": (body(tags=f'{{"SeriesDescription": "{80 * "x"}"}}'), "holds at most 64 characters"),
    "date that is none": (body(tags='{"ContentDate": "yesterday"}'), "is of VR DA"),
    "another patient": (body(tags='{"PatientID": "other"}'), "it is given by the parent"),
    "series as parent": (body(parent="SERIES"), "Parent must be the Orthanc identifier of a study"),
    "patient as parent": (body(parent="PATIENT"), "Parent must be the Orthanc identifier of a study"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_taken_by_both(server: Server, form: str) -> None:
    core, ours = server.core(form), server.ours(form)
    assert core.status == 200
    assert server.stored(core).EncapsulatedDocument[: len(FILE)] == FILE
    assert ours.status == 200, ours.json()["Details"]
    assert ours.json()["VolumeMl"] == pytest.approx(0.001 * 8 * 1.5**3, rel=0.05)


@pytest.mark.parametrize(("tags", "keyword", "value"), TAGS.values(), ids=list(TAGS))
def test_the_same_tags(server: Server, tags: str, keyword: str, value: object) -> None:
    for answer in (server.core, server.ours):
        assert server.stored(answer(body(tags=tags)))[keyword].value == value


@pytest.mark.parametrize(("form", "sentence"), REFUSED.values(), ids=list(REFUSED))
def test_refused_here_for_a_reason(server: Server, form: str, sentence: str) -> None:
    assert server.core(form).status == 200
    ours = server.ours(form)
    assert ours.status == 400
    assert sentence in ours.json()["Details"]
