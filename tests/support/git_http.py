"""A git server over HTTP on loopback, by git's own `http-backend`, that can fail on command."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support.tools import need_tool, search_path


class GitServer:
    """Serves the bare repositories below `root`; `url` is where. While `failing` it answers 503 to everything."""

    def __init__(self, root: Path) -> None:
        server, git = self, need_tool("git")

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if server.failing:
                    self.send_error(503, "request id 4711, token at /srv/private")
                    return
                status, headers, body = _http_backend(git, root, self)
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *args: object) -> None:
                return None

        self.failing = False
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    @contextlib.contextmanager
    def running(self) -> Iterator[GitServer]:
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
        """Fail until the end of the block."""
        self.failing = True
        try:
            yield
        finally:
            self.failing = False


def _http_backend(git: str, root: Path, request: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
    path, _, query = request.path.partition("?")
    environment = {
        "PATH": search_path(),
        "HOME": "/nonexistent",
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REQUEST_METHOD": request.command,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "REMOTE_ADDR": "127.0.0.1",
    }
    sent = request.rfile.read(int(request.headers.get("Content-Length", 0)))
    done = subprocess.run([git, "http-backend"], input=sent, env=environment, capture_output=True, check=False)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if line)
    return int(headers.pop("Status", "200").split()[0]), headers, body
