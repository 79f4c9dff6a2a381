"""Files that come in a JSON body, as data URIs in base64. No copy of a large one is made before it is needed."""

from __future__ import annotations

import re

from orthanc_stl import errors
from orthanc_stl.rest.http import body as bodies
from orthanc_stl.rest.http import fields

# Any MIME type or none, as browsers and scripts put it, perhaps with a quoted name; a scheme is in any case (RFC 3986).
_DATA_URI = re.compile(rb'data:(?:[^,"]|"[^"]{0,256}"){0,256};base64,', re.IGNORECASE)


class Content:
    """One file: `encoded` is its base64, where it lies in the body."""

    def __init__(self, encoded: memoryview, complaint: str) -> None:
        self._encoded, self._complaint = encoded, complaint

    def beginning(self, size: int) -> memoryview:
        """Its first bytes, at most `size` and some more."""
        return bodies.decoded(self._encoded[: -(-size // 3) * 4], self._complaint)

    def whole(self) -> memoryview:
        """Raises `MalformedBody` for what is not base64."""
        return bodies.decoded(self._encoded, self._complaint)


def content(body: fields.Body, name: str, *, missing: str) -> Content:
    """The file in the field `name`. `missing` is the sentence for a field that is no data URI."""
    found = body.get(name)
    if not isinstance(found, memoryview):
        found = memoryview(fields.text(body, name).encode(errors="replace"))
    scheme = _DATA_URI.match(found)
    if scheme is None:
        raise errors.MalformedBody(missing)
    if len(found) == scheme.end():
        raise errors.InvalidField(f"{name} holds no file: nothing follows the comma of its data URI")
    return Content(found[scheme.end() :], f"{missing.partition(':')[0]}: its data URI is not base64")
