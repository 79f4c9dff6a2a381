"""/stl/3dhop/...: our viewer with 3DHOP's tools, or the site's own 3DHOP where the option "3DHOP.Path" names one.

3DHOP's pages name their model, and the style of their canvas, in the page itself; both are changed while it is served,
the files stay as they are. They need a looser policy than ours, which is given to their URLs alone.
"""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import replace
from pathlib import Path

from orthanc_stl import errors
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http.messages import Answer, Request
from orthanc_stl.rest.static_files import asset_answer, find_file

PAGE = "3DHOP_all_tools.html"

# Inline scripts and styles, and the decoders' WebAssembly, which old browsers count as eval.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; connect-src 'self' blob: data:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)

_INSTANCE = re.compile("[0-9a-f-]{1,64}")
_MODEL = re.compile(rb"""(\burl\s*:\s*)(["'])[^"'\n]*\.nx[sz]\2""")
_CANVAS = re.compile(rb"""<canvas\b[^>]*\bid\s*=\s*["']draw-canvas["'][^>]*>""")
_STYLE = re.compile(rb"""\bstyle\s*=\s*("[^"]*"|'[^']*')""")


def hop_file(app: App, request: Request) -> Answer:
    """GET /stl/3dhop/{path}"""
    name = request.groups[0].rstrip("/")
    if not app.settings.hop_path:
        return app.pages.answer(request, "hop", name)
    folder = Path(app.settings.hop_path)
    if not (folder / PAGE).is_file():
        raise errors.NotFound(f'The option "3DHOP.Path" names {folder}, where there is no {PAGE}')
    asset = app.pages.asset(find_file(name, folder))
    if not name.endswith(".html"):
        return asset_answer(request, asset, compress=app.pages.compress)
    body = adapt(asset.body, request.query.get("instance", ""), app.settings.hop_canvas_style)
    etag = hashlib.sha256(body).hexdigest()[:32]
    return asset_answer(request, replace(asset, body=body, compressed=None, etag=etag, policy=POLICY), compress=False)


def adapt(page: bytes, instance: str, style: str) -> bytes:
    """A page of 3DHOP that shows the model of an instance, on a canvas of that style; either may be empty.

    What is not an identifier of Orthanc's is not put into a page.
    """
    if _INSTANCE.fullmatch(instance):
        model = b"../3dhop-instances/%s.nxz" % instance.encode()
        page = _MODEL.sub(lambda found: found[1] + b'"' + model + b'"', page)
    if style:
        page = _CANVAS.sub(lambda found: _styled(found[0], style), page)
    return page


def _styled(canvas: bytes, style: str) -> bytes:
    attribute = b'style="%s"' % html.escape(style).encode()
    if _STYLE.search(canvas):
        return _STYLE.sub(lambda _: attribute, canvas, count=1)
    return re.sub(rb"^<canvas", lambda _: b"<canvas " + attribute, canvas)
