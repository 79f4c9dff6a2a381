"""Who asks."""

from __future__ import annotations

import base64

from orthanc_stl.rest.http.messages import Request


def client_of(request: Request) -> str:
    """Who asks, as far as a callback can know: a user whom Orthanc or a proxy let in, else a proxy's client's address.

    It decides whose turn it is and is named in the log; nothing is allowed or refused by it.
    """
    name = _basic_user(request.headers.get("authorization", ""))
    for header in ("x-remote-user", "x-forwarded-user", "x-forwarded-for"):
        name = name or request.headers.get(header, "").split(",")[0].strip()
    return "".join(c for c in name if c.isprintable())[:64]


def _basic_user(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[0]
    except ValueError:
        return ""
