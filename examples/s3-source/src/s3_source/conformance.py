"""What the conformance kit tries this source on: the tests and `plugport conform s3-source` use it."""

from __future__ import annotations

import contextlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from plugport.hookspecs import Source
from plugport.hookspecs.conformance import SourceUnderTest

from s3_source import provider

FILES = {"plugin.yaml": b"name: hello\nversion: 1\n", "skills/hello/SKILL.md": b"# Hello\n", "run.sh": b"#!/bin/sh\n"}


class Registry:
    """A registry on loopback with the plugin `hello`. While it is `down` it answers 503."""

    def __init__(self, token: str | None = None) -> None:
        registry, plugins = self, {"/hello.tar.gz": _archive()}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                allowed = token is None or self.headers.get("Authorization") == f"Bearer {token}"
                status = 503 if registry.is_down else 200 if allowed else 401
                body = plugins.get(self.path)
                if status == 200 and body is None:
                    status = 404
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body if status == 200 and body else b"")

            def log_message(self, *args: object) -> None:
                return None

        self.is_down = False
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    @contextlib.contextmanager
    def serving(self) -> Iterator[Registry]:
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


def _archive() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for path, content in FILES.items():
            one = tarfile.TarInfo(path)
            one.size, one.mode = len(content), 0o755 if path.endswith(".sh") else 0o644
            archive.addfile(one, io.BytesIO(content))
    return made.getvalue()


@contextlib.contextmanager
def target() -> Iterator[SourceUnderTest]:
    """The provider with a registry of its own."""
    with Registry("secret").serving() as registry:
        yield SourceUnderTest(
            provider,
            Source("s3-source", "hello"),
            FILES,
            executable=frozenset({"run.sh"}),
            name="hello",
            settings={"url": registry.url, "token": "secret"},
            absent=Source("s3-source", "nobody"),
            malformed=("../hello", "Hello", "a/b", ""),
            unreachable=registry.down,
        )
