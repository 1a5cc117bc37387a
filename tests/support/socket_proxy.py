"""A Unix socket before another one, whose connections can be cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path


class SocketProxy:
    """Carries what comes to `path` to `target`."""

    def __init__(self, target: str, path: Path) -> None:
        self._target, self.path = target, path
        self._open: set[socket.socket] = set()
        self._refuses = False

    def __enter__(self) -> SocketProxy:
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self.path))
        self._server.listen(64)
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)  # ends `accept`: its descriptor's number may be another socket's next
        self._accepting.join(10)
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection off."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Break off, and let nobody in."""
        self._refuses = True
        self.cut()
        try:
            yield
        finally:
            self._refuses = False

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if self._refuses:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._target)
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, reader: socket.socket, writer: socket.socket) -> None:
        self._open.add(reader)
        with contextlib.suppress(OSError):
            while data := reader.recv(65536):
                writer.sendall(data)
        with contextlib.suppress(OSError):
            writer.shutdown(socket.SHUT_WR)
        self._open.discard(reader)
