"""A small reverse proxy, as sites have one: Orthanc under a prefix, and perhaps a check of tokens in front of it."""

from __future__ import annotations

import http.client
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

# What the Authorization plugin's standard configuration lets everybody see.
PUBLIC = re.compile(r"/(stl/|app/|plugins/explorer\.js)")


class Proxy:
    """Passes `<url>/...` on to `target`. With a `token`, whatever carries patient data needs it as a bearer, else 401.

    `strays`: paths that were asked for outside the prefix; `refused`: paths that came without the token.
    """

    def __init__(self, target: str, prefix: str = "", token: str | None = None) -> None:
        self.strays: list[str] = []
        self.refused: list[str] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if not self.path.startswith(prefix + "/"):
                    proxy.strays.append(self.path)
                    self.answer(404, {}, b"")
                    return
                path = self.path.removeprefix(prefix)
                if token and not PUBLIC.match(path) and self.headers.get("Authorization") != f"Bearer {token}":
                    proxy.refused.append(path)
                    self.answer(401, {}, b"")
                    return
                self.pass_on(path)

            do_POST = do_DELETE = do_GET

            def pass_on(self, path: str) -> None:
                upstream = http.client.HTTPConnection(urlsplit(target).netloc, timeout=120)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                dropped = ("host", "connection", "authorization")
                kept = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
                upstream.request(self.command, path, body or None, kept)
                reply = upstream.getresponse()
                data = reply.read()
                upstream.close()
                self.answer(reply.status, dict(reply.getheaders()), data)

            def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in ("content-length", "connection", "keep-alive", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}{prefix}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
