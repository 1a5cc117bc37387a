"""Runs commands in a container, by exec over one hijacked connection."""

from __future__ import annotations

import asyncio
import contextlib
import io
import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from docker.errors import APIError

from ...hookspecs.errors import DeliveryFailed, DeliveryTimeout
from ..shell.channel import CHUNK, MAX_OUTPUT, NOT_READY, OUTPUT_TOO_LARGE, READY_SECONDS, Completed, Frame
from ..shell.frame import run_framed
from .engine import Client
from .errors import translate_errors

_STDOUT = 1
_HEADER = struct.Struct(">BxxxL")
_NO_SUCH_PROGRAM = ("executable file not found", "no such file or directory")


class DockerChannel:
    """Runs commands in one container, as its root or as another `user` (`uid:gid`), each in the root directory: the
    container's own may be gone. `shell` is the path of its `sh`, if its PATH does not lead there."""

    def __init__(self, client: Client, container: str, user: str = "0", shell: str = "sh") -> None:
        self._client, self.container, self.user, self._shell = client, container, user, shell

    async def run(self, argv: Sequence[str], stdin: BinaryIO | None = None, frame: Frame | None = None) -> Completed:
        """See `Channel.run`. Raises `WorkspaceNotRunning`, `BackendUnavailable`, `DeliveryFailed` and
        `DeliveryTimeout`."""
        command = [self._shell if argv[0] == "sh" else argv[0], *argv[1:]]
        running = _Exec(self._client, self.container, command, stdin, frame, self.user)
        try:
            return await self._client.in_thread(running.wait)
        except asyncio.CancelledError:
            running.disconnect()
            raise

    async def as_owner_of(self, path: str) -> DockerChannel:
        """Return a channel whose commands run as the user that owns a path. Raises what `run` raises."""
        completed = await run_framed(self, ["ls", "-dn", path], repeatable=True)
        words = completed.stdout.split(None, 4)
        if completed.exit_code != 0 or len(words) < 5 or not (words[2] + words[3]).isdigit():
            raise DeliveryFailed(completed.failure("ls"))
        return DockerChannel(self._client, self.container, f"{words[2].decode()}:{words[3].decode()}", self._shell)


class _Exec:
    """One command in a container. `disconnect` may be called from another thread; it makes `wait` return."""

    def __init__(
        self,
        client: Client,
        container: str,
        argv: list[str],
        stdin: BinaryIO | None,
        frame: Frame | None,
        user: str,
    ) -> None:
        self._client, self._container, self._argv, self._stdin = client, container, argv, stdin
        self._frame, self._user = frame, user
        self._started, self._answered, self._ended = threading.Event(), False, False
        self._socket: Any = None
        self._input_error: Exception | None = None

    def disconnect(self) -> None:
        if (connection := self._socket) is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def wait(self) -> Completed:
        """Run the command to its end. Blocking."""
        with translate_errors():
            api = self._client.api()
            argv = self._with_input_size() if api.base_url.startswith("https") else self._argv
            try:
                created = api.exec_create(
                    self._container,
                    argv,
                    stdin=self._stdin is not None,
                    stdout=True,
                    stderr=True,
                    user=self._user,
                    workdir="/",
                )
                stream = api.exec_start(created["Id"], socket=True)
            except APIError as error:
                if any(text in str(error).lower() for text in _NO_SUCH_PROGRAM):
                    return Completed(127, b"", str(error).encode())
                raise
            self._socket = connection = getattr(stream, "_sock", stream)
            try:
                stdout, stderr = self._exchange(connection)
            except Exception as error:
                if self._input_error is None:
                    raise
                if isinstance(self._input_error, DeliveryTimeout):
                    raise self._input_error from error
                raise DeliveryFailed("the bundle's stream could not be read") from error
            finally:
                self._socket = None
                with contextlib.suppress(OSError):
                    stream.close()
            if self._answered:  # what still runs there is something else
                return Completed(0, stdout, stderr)
            exit_code = api.exec_inspect(created["Id"])["ExitCode"]
        if exit_code is None:
            raise DeliveryFailed("the connection closed before the command ended")
        return Completed(int(exit_code), stdout, stderr)

    def _with_input_size(self) -> list[str]:
        """Wrap the command so that it reads a fixed number of bytes: TLS cannot close only one direction."""
        if self._stdin is None:
            return self._argv
        size = self._stdin.seek(0, io.SEEK_END)
        self._stdin.seek(0)
        return [self._argv[0], "-c", 'size=$1; shift; head -c "$size" | "$@"', "plugport", str(size), *self._argv]

    def _exchange(self, connection: Any) -> tuple[bytes, bytes]:
        """Write the input in a second thread while the output is read; return standard output and error."""
        writer = threading.Thread(target=self._write, args=(connection,), daemon=True)
        if self._stdin is not None:
            writer.start()
        stdout, stderr = bytearray(), bytearray()
        try:
            for kind, chunk in _chunks(connection):
                (stdout if kind == _STDOUT else stderr).extend(chunk)
                if len(stdout) + len(stderr) > MAX_OUTPUT:
                    raise DeliveryFailed(OUTPUT_TOO_LARGE)
                if self._is_over(stdout, len(chunk)):
                    break
        finally:
            self._ended = True
            self._started.set()
        if self._stdin is not None:
            self.disconnect()  # the command has ended: a writer that still sends need not wait
            writer.join(5)
        if self._input_error is not None:
            raise self._input_error
        return bytes(stdout), bytes(stderr)

    def _is_over(self, stdout: bytearray, added: int) -> bool:
        """Tell whether the command has answered; tell the writer if it is ready."""
        if self._frame is None:
            return False
        if not self._started.is_set() and self._frame.is_ready(stdout):
            self._started.set()
        self._answered = self._frame.is_over(stdout, added)
        return self._answered

    def _write(self, connection: Any) -> None:
        """Send the input when the command is ready, then close the sending direction.

        A command that ends early closes the connection; its exit code is the answer. If the input cannot be read,
        the connection is closed, since the command would wait for the rest.
        """
        if self._frame is not None and not self._started.wait(READY_SECONDS):
            self._input_error = DeliveryTimeout(NOT_READY)
            self.disconnect()
        if self._ended or self._input_error is not None:
            return
        while chunk := self._read_input():
            try:
                connection.sendall(chunk)
            except OSError:
                return
        with contextlib.suppress(OSError):
            if self._input_error is None and not isinstance(connection, ssl.SSLSocket):
                connection.shutdown(socket.SHUT_WR)

    def _read_input(self) -> bytes:
        try:
            return b"" if self._stdin is None else self._stdin.read(CHUNK)
        except Exception as error:  # noqa: BLE001 - a stream may raise anything
            self._input_error = error
            self.disconnect()
            return b""


def _chunks(connection: Any) -> Iterator[tuple[int, bytes]]:
    """Yield what a command prints: which stream, and a chunk.

    docker-py's own reader waits for the socket, and does not see what TLS has read from it already.
    """
    while header := _receive(connection, _HEADER.size):
        kind, size = _HEADER.unpack(header)
        while size > 0:
            chunk = _receive(connection, min(size, CHUNK))
            if not chunk:
                return
            size -= len(chunk)
            yield kind, chunk


def _receive(connection: Any, size: int) -> bytes:
    """Return exactly `size` bytes, nothing if the connection ends before."""
    received = bytearray()
    while len(received) < size:
        chunk = connection.recv(size - len(received))
        if not chunk:
            return b""
        received += chunk
    return bytes(received)
