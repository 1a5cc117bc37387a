"""Commands in a container, by exec over one hijacked connection."""

from __future__ import annotations

import asyncio
import contextlib
import io
import socket
import ssl
import threading
from collections.abc import Sequence
from typing import Any, BinaryIO

from docker.errors import APIError
from docker.utils.socket import frames_iter

from ...hookspecs.errors import DeliveryFailed
from ..shell.channel import Completed
from .engine import Client
from .errors import understood

_CHUNK = 1 << 18
_MOST_OUTPUT = 64 * 1024 * 1024
_STDOUT = 1
_NO_SUCH_PROGRAM = ("executable file not found", "no such file or directory")


class DockerChannel:
    """Runs commands in one container, as root there: files of the agent and of root are alike."""

    def __init__(self, client: Client, container: str) -> None:
        self._client, self._container = client, container

    async def run(self, argv: Sequence[str], stdin: BinaryIO | None = None) -> Completed:
        """See `Channel.run`. Raises `WorkspaceNotRunning`, `BackendUnavailable`, `DeliveryTimeout`."""
        running = _Running(self._client, self._container, list(argv), stdin)
        try:
            return await self._client.run(running.to_its_end)
        except asyncio.CancelledError:
            running.cut()
            raise


class _Running:
    """One command. `cut` may be called from another thread: it ends the connection, and so the waiting."""

    def __init__(self, client: Client, container: str, argv: list[str], stdin: BinaryIO | None) -> None:
        self._client, self._container, self._argv, self._stdin = client, container, argv, stdin
        self._socket: Any = None
        self._broken: Exception | None = None

    def cut(self) -> None:
        if (held := self._socket) is not None:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)

    def to_its_end(self) -> Completed:
        with understood():
            api = self._client.api()
            argv = self._with_its_own_end() if api.base_url.startswith("https") else self._argv
            try:
                made = api.exec_create(
                    self._container, argv, stdin=self._stdin is not None, stdout=True, stderr=True, user="0"
                )
                stream = api.exec_start(made["Id"], socket=True)
            except APIError as error:
                if any(words in str(error).lower() for words in _NO_SUCH_PROGRAM):
                    return Completed(127, b"", str(error).encode())
                raise
            self._socket = held = getattr(stream, "_sock", stream)
            try:
                out, err = self._exchange(stream, held)
            except Exception as error:
                if self._broken is None:
                    raise
                raise DeliveryFailed("the bundle's own stream broke") from error
            finally:
                self._socket = None
                with contextlib.suppress(OSError):
                    stream.close()
            code = api.exec_inspect(made["Id"])["ExitCode"]
        if code is None:
            raise DeliveryFailed("the command did not end before its connection did")
        return Completed(int(code), out, err)

    def _with_its_own_end(self) -> list[str]:
        """The command with an input whose length is told: a TLS connection cannot be closed on one side alone."""
        if self._stdin is None:
            return self._argv
        size = self._stdin.seek(0, io.SEEK_END)
        self._stdin.seek(0)
        return ["sh", "-c", 'size=$1; shift; head -c "$size" | "$@"', "plugport", str(size), *self._argv]

    def _exchange(self, stream: Any, held: Any) -> tuple[bytes, bytes]:
        writer = threading.Thread(target=self._write, args=(held,), daemon=True) if self._stdin is not None else None
        if writer is not None:
            writer.start()
        out, err = bytearray(), bytearray()
        for kind, chunk in frames_iter(stream, tty=False):  # type: ignore[no-untyped-call]
            (out if kind == _STDOUT else err).extend(chunk)
            if len(out) + len(err) > _MOST_OUTPUT:
                raise DeliveryFailed("the command says more than anybody wants to read")
        if writer is not None:
            self.cut()  # it has ended: who still writes to it need not wait
            writer.join(5)
        if self._broken is not None:
            raise self._broken
        return bytes(out), bytes(err)

    def _write(self, held: Any) -> None:
        """Send the input, then say that it is over. A command that ends early closes the line: that is its answer. An
        input that cannot be read ends the command, which would wait for the rest of it."""
        while chunk := self._next():
            try:
                held.sendall(chunk)
            except OSError:
                return
        with contextlib.suppress(OSError):
            if self._broken is None and not isinstance(held, ssl.SSLSocket):
                held.shutdown(socket.SHUT_WR)

    def _next(self) -> bytes:
        try:
            return b"" if self._stdin is None else self._stdin.read(_CHUNK)
        except Exception as error:  # noqa: BLE001 - a stream may raise anything
            self._broken = error
            self.cut()
            return b""
