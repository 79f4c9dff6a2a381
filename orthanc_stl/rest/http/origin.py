"""Requests that a page of another site has the browser send.

A form may POST to any site, with the cookies, certificate or password that the browser has for it, and without asking
first (Fetch standard, "CORS-safelisted request-header": three content types). Of a multipart form Orthanc hands over
each file as a request of its own, with the headers that the form gives it, so that its sender is not known any more:
such a form is refused before, by Orthanc's filter of incoming requests; none of our routes reads one. Orthanc has no
option that allows other sites anything; a site that wants it lets its proxy answer for Orthanc (CORS), and pages then
ask with "application/json", which a browser sends to another site only after that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from orthanc_stl import errors
from orthanc_stl.rest.http.messages import Request

_FORM_TYPES = ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data")
_OTHER_SITES = ("cross-site", "same-site")  # the latter: another host of the same domain


def no_form_for(patterns: Iterable[str]) -> Callable[..., bool]:
    """For Orthanc's filter of incoming requests: whether one may come in. Multipart forms to the routes with these
    patterns may not: Orthanc answers 403 itself, without reading them.
    """
    ours = [re.compile(pattern) for pattern in patterns]

    def may_come_in(uri: str, **request: Any) -> bool:
        kind = request["headers"].get("content-type", "").lstrip().lower()
        path = uri.rstrip("/")  # as Orthanc finds the route
        return not kind.startswith("multipart/form-data") or not any(one.fullmatch(path) for one in ours)

    return may_come_in


def require_same_site(request: Request) -> None:
    """Raises `CrossSite` for what a form of another site may have sent, by any method that Orthanc makes of it
    (`?_method=DELETE`). Scripts send neither `Origin` nor `Sec-Fetch-Site`, and pass.
    """
    origin = request.headers.get("origin", "")
    fetched_from = request.headers.get("sec-fetch-site", "").lower()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "GET" or kind not in _FORM_TYPES or not (origin or fetched_from in _OTHER_SITES):
        return
    if fetched_from == "same-origin":  # the browser knows, whatever a proxy says
        return
    names = [request.headers.get(header, "") for header in ("host", "x-forwarded-host")]
    if urlsplit(origin).netloc.lower() in [one.strip().lower() for name in names for one in name.split(",") if one]:
        return
    sender = f" ({origin[:80]})" if origin else ""
    raise errors.CrossSite(
        f"This request was sent by a page of another site{sender} as a form: send the JSON body with the "
        'header "Content-Type: application/json"'
    )
