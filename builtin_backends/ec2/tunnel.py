"""The way to an instance without an open port: a presigned websocket of EC2 Instance Connect as an asyncio transport.

asyncssh takes a `Tunnel` as its `tunnel=`: nothing listens, and no process is started.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from ...hookspecs.errors import BackendUnavailable
from .aws import Aws
from .endpoints import Endpoint

FRAME: Final = 65_000
"""Bytes of one message; the endpoint takes no larger ones."""
_EXPIRES = 60
_HANDSHAKE_SECONDS = 20
_SERVICE = "ec2-instance-connect"


def presigned(aws: Aws, endpoint: Endpoint, address: str, port: int) -> str:
    """The address of a tunnel to that private address, good for 60 seconds. Blocking: credentials may be fetched.

    Raises `BackendUnavailable` where there are no credentials or no region.
    """
    session = aws.session()
    credentials, region = session.get_credentials(), session.region_name
    if credentials is None or region is None:
        raise BackendUnavailable("denied: there are no AWS credentials, or no region")
    asked = urlencode(
        {"instanceConnectEndpointId": endpoint.id, "remotePort": str(port), "privateIpAddress": address}
    )
    request = AWSRequest(method="GET", url=f"https://{endpoint.host}/openTunnel?{asked}")
    SigV4QueryAuth(credentials.get_frozen_credentials(), _SERVICE, region, expires=_EXPIRES).add_auth(request)
    return "wss://" + str(request.url).removeprefix("https://")


class Tunnel:
    """What `asyncssh.connect(tunnel=…)` wants, for one connection. `dial` is a host and port to connect to instead of
    the endpoint's own; Host, SNI and signature keep the endpoint's name."""

    def __init__(self, address: str, dial: tuple[str, int] | None = None) -> None:
        self._address, self._dial = address, dial
        self._transport: _Transport | None = None

    async def create_connection(
        self, protocol_factory: Callable[[], asyncio.Protocol], host: str = "", port: int = 0
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """Open the tunnel for a protocol. `host` and `port` are fixed by the address, and not looked at.

        Raises `BackendUnavailable` where the endpoint refuses (with its status and request id for the log), is not
        reached, or has no certificate that can be trusted.
        """
        elsewhere: dict[str, Any] = {} if self._dial is None else {"host": self._dial[0], "port": self._dial[1]}
        try:
            socket = await connect(
                self._address,
                ssl=ssl.create_default_context(),
                compression=None,
                ping_interval=None,
                max_size=2**20,
                open_timeout=_HANDSHAKE_SECONDS,
                proxy=None,
                **elsewhere,
            )
        except InvalidStatus as error:
            request = error.response.headers.get("x-amzn-requestid", "none given")
            words = bytes(error.response.body or b"")[:300].decode("utf-8", "replace")
            status = error.response.status_code
            reason = f"the endpoint answered {status}: {words} (request id {request})"
            raise BackendUnavailable(reason) from error
        except (OSError, InvalidHandshake, TimeoutError) as error:
            raise BackendUnavailable(f"the endpoint is not reached: {type(error).__name__}: {error}") from error
        protocol = protocol_factory()
        transport = self._transport = _Transport(socket, protocol)
        protocol.connection_made(transport)
        transport.start()
        return transport, protocol

    async def wait_closed(self) -> None:
        """Until the endpoint has seen the end, where there was a beginning."""
        if self._transport is not None:
            await self._transport.wait_closed()


class _Transport(asyncio.Transport):
    """Carries a protocol's bytes in binary messages. What is written waits in order; nothing is lost at `close`."""

    def __init__(self, socket: ClientConnection, protocol: asyncio.BaseProtocol) -> None:
        super().__init__({"peername": socket.remote_address, "sockname": socket.local_address})
        self._socket, self._protocol = socket, protocol
        self._outgoing = bytearray()
        self._written = asyncio.Event()
        self._readable = asyncio.Event()
        self._readable.set()
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._end: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to carry."""
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._receive())]
        self._end = asyncio.create_task(self._until_the_end())

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Queue the bytes."""
        if not self._closing:
            self._outgoing += data
            self._written.set()

    def get_write_buffer_size(self) -> int:
        """Bytes that wait."""
        return len(self._outgoing)

    def is_closing(self) -> bool:
        """Whether `close` or `abort` was called."""
        return self._closing

    def pause_reading(self) -> None:
        """Hand over no more until `resume_reading`."""
        self._readable.clear()

    def resume_reading(self) -> None:
        """Go on."""
        self._readable.set()

    async def wait_closed(self) -> None:
        """Until it is closed on both sides."""
        if self._end is not None:
            await asyncio.wait({self._end})

    def close(self) -> None:
        """Send what waits, then close."""
        self._closing = True
        self._written.set()

    def abort(self) -> None:
        """Close now."""
        self._closing = True
        for task in self._tasks:
            task.cancel()

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who is carried."""
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Carry another."""
        self._protocol = protocol

    async def _send(self) -> None:
        while True:
            await self._written.wait()
            self._written.clear()
            while self._outgoing:
                message = bytes(self._outgoing[:FRAME])
                del self._outgoing[:FRAME]
                await self._socket.send(message)
            if self._closing:
                return

    async def _receive(self) -> None:
        async for message in self._socket:
            await self._readable.wait()
            if isinstance(message, str):
                raise ConnectionError("the endpoint sent text into the tunnel")
            protocol: Any = self._protocol
            protocol.data_received(message)

    async def _until_the_end(self) -> None:
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        self._closing = True
        error = next((one.exception() for one in done if not one.cancelled() and one.exception()), None)
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(Exception):
            await self._socket.close()
        self._protocol.connection_lost(self._as_error(error))

    def _as_error(self, error: BaseException | None) -> Exception | None:
        code, reason = self._socket.close_code, self._socket.close_reason
        if isinstance(error, ConnectionClosed) or error is None:
            return None if code in {None, 1000} else ConnectionError(f"the tunnel was closed: {code} {reason}")
        return error if isinstance(error, Exception) else ConnectionError(type(error).__name__)
