"""Reaches an instance without an open port: a presigned websocket of EC2 Instance Connect as an asyncio transport.

asyncssh takes a `Tunnel` as its `tunnel=`. Nothing listens, and no process is started.
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
"""The most bytes per message that the endpoint takes."""
_EXPIRES_SECONDS = 60
_HANDSHAKE_SECONDS = 20
_SERVICE = "ec2-instance-connect"


def presigned_url(aws: Aws, endpoint: Endpoint, address: str, port: int) -> str:
    """Return the URL of a tunnel to that private address, good for 60 seconds. Blocking: it may fetch credentials.

    Raises `BackendUnavailable` if there are no credentials or no region.
    """
    session = aws.session
    credentials, region = session.get_credentials(), session.region_name
    if credentials is None or region is None:
        raise BackendUnavailable("denied: there are no AWS credentials, or no region")
    query = urlencode(
        {"instanceConnectEndpointId": endpoint.id, "remotePort": str(port), "privateIpAddress": address}
    )
    request = AWSRequest(method="GET", url=f"https://{endpoint.host}/openTunnel?{query}")
    SigV4QueryAuth(credentials.get_frozen_credentials(), _SERVICE, region, expires=_EXPIRES_SECONDS).add_auth(request)
    return "wss://" + str(request.url).removeprefix("https://")


class Tunnel:
    """The `tunnel=` of `asyncssh.connect`, for one connection.

    `connect_to` is a host and port to connect to instead of the endpoint's own address; Host, SNI and signature keep
    the endpoint's name.
    """

    def __init__(self, url: str, connect_to: tuple[str, int] | None = None) -> None:
        self._url, self._connect_to = url, connect_to
        self._transport: _Transport | None = None

    async def create_connection(
        self, protocol_factory: Callable[[], asyncio.Protocol], host: str = "", port: int = 0
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """Open the tunnel for a protocol. `host` and `port` are ignored: the URL has them.

        Raises `BackendUnavailable` if the endpoint refuses (with its status and request id for the log), cannot be
        reached, or has no trusted certificate.
        """
        address: dict[str, Any] = {}
        if self._connect_to is not None:
            address = dict(zip(("host", "port"), self._connect_to, strict=True))
        try:
            socket = await connect(
                self._url,
                ssl=ssl.create_default_context(),
                compression=None,
                ping_interval=None,
                max_size=2**20,
                open_timeout=_HANDSHAKE_SECONDS,
                proxy=None,
                **address,
            )
        except InvalidStatus as error:
            request_id = error.response.headers.get("x-amzn-requestid", "none")
            body = bytes(error.response.body or b"")[:300].decode("utf-8", "replace")
            reason = f"the endpoint answered {error.response.status_code}: {body} (request id {request_id})"
            raise BackendUnavailable(reason) from error
        except (OSError, InvalidHandshake, TimeoutError) as error:
            raise BackendUnavailable(f"the endpoint cannot be reached: {type(error).__name__}: {error}") from error
        protocol = protocol_factory()
        transport = self._transport = _Transport(socket, protocol)
        protocol.connection_made(transport)
        transport.start()
        return transport, protocol

    async def wait_closed(self) -> None:
        """Wait until the endpoint has closed it. Returns at once if the tunnel was never opened."""
        if self._transport is not None:
            await self._transport.wait_closed()


class _Transport(asyncio.Transport):
    """Carries a protocol's bytes in binary messages, in order. `close` sends what is queued first."""

    def __init__(self, socket: ClientConnection, protocol: asyncio.BaseProtocol) -> None:
        super().__init__({"peername": socket.remote_address, "sockname": socket.local_address})
        self._socket, self._protocol = socket, protocol
        self._outgoing = bytearray()
        self._written = asyncio.Event()
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._closer: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to send and to receive."""
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._receive())]
        self._closer = asyncio.create_task(self._close_after_tasks())

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Queue the bytes to be sent."""
        if not self._closing:
            self._outgoing += data
            self._written.set()

    async def wait_closed(self) -> None:
        """Wait until both sides have closed it."""
        if self._closer is not None:
            await asyncio.wait({self._closer})

    def close(self) -> None:
        """Send what is queued, then close."""
        self._closing = True
        self._written.set()

    def abort(self) -> None:
        """Close without sending what is queued."""
        self._closing = True
        for task in self._tasks:
            task.cancel()

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
            if isinstance(message, str):
                raise ConnectionError("the endpoint sent text into the tunnel")
            protocol: Any = self._protocol
            protocol.data_received(message)

    async def _close_after_tasks(self) -> None:
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        self._closing = True
        error = next((task.exception() for task in done if not task.cancelled() and task.exception()), None)
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(Exception):
            await self._socket.close()
        self._protocol.connection_lost(self._connection_error(error))

    def _connection_error(self, error: BaseException | None) -> Exception | None:
        code, reason = self._socket.close_code, self._socket.close_reason
        if isinstance(error, ConnectionClosed) or error is None:
            return None if code in {None, 1000} else ConnectionError(f"the tunnel was closed: {code} {reason}")
        return error if isinstance(error, Exception) else ConnectionError(type(error).__name__)
