"""What the conformance kit tries this policy on: the tests and `plugport conform opa-policy` use it."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from plugport.hookspecs import Action, PolicyRequest, Source, Workspace
from plugport.hookspecs.conformance import PolicyUnderTest

from opa_policy import provider

Document = Callable[[dict[str, Any]], Any]


class Opa:
    """OPA's data API on loopback: `document` makes the result of the input. While it is `down` it answers 500."""

    def __init__(self, document: Document, token: str | None = None) -> None:
        opa, path = self, "/v1/data/plugport/install"

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                allowed = token is None or self.headers.get("Authorization") == f"Bearer {token}"
                status = 500 if opa.is_down else 401 if not allowed else 200
                reply = {"decision_id": "1"}
                if self.path == path and (result := opa.document(body["input"])) is not None:
                    reply["result"] = result
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(reply if status == 200 else {"code": "internal_error"}).encode())

            def log_message(self, *args: object) -> None:
                return None

        self.document, self.is_down = document, False
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}{path}"

    @contextlib.contextmanager
    def serving(self) -> Iterator[Opa]:
        """Serve until the end of the block."""
        thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            thread.join()
            self._http.server_close()

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Be down until the end of the block."""
        self.is_down = True
        try:
            yield
        finally:
            self.is_down = False


@contextlib.contextmanager
def target() -> Iterator[PolicyUnderTest]:
    """Describe the provider with an OPA that allows the workspaces of acme."""
    with Opa(
        lambda question: {"allow": question["workspace"]["org"] == "acme", "reason": "not acme"}, "t0k"
    ).serving() as opa:
        source = Source("local", "hello")
        yield PolicyUnderTest(
            provider,
            allowed=PolicyRequest(Action.INSTALL, Workspace("w", org="acme"), source, "workspace:w"),
            refused=PolicyRequest(Action.INSTALL, Workspace("x", org="other"), source, "workspace:x"),
            settings={"url": opa.url, "token": "t0k"},
            unreachable=opa.down,
        )
