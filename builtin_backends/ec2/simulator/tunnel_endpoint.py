"""An EC2 Instance Connect endpoint: verifies the request's signature and forwards the tunnel to a local port."""

from __future__ import annotations

import asyncio
import datetime
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, parse_qsl, urlencode

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from .aws import ACCESS_KEY, SECRET_KEY
from .certificates import write_certificate

ENDPOINT_HOST = "eice-0123.ec2-instance-connect-endpoint.eu-west-1.amazonaws.com"
_MESSAGE_BYTES = 65_000


@dataclass
class SimulatedEndpoint:
    """Forwards every tunnel to `target`, as an async context manager. All fields may be changed while it serves.

    `refuse_status` answers each handshake with this HTTP status. `delay` holds each message up for so many seconds,
    in both directions. `rate` is the bandwidth in bytes a second. `bytes_received` counts the bytes from the client.
    Above `cut_after` bytes the connection breaks, above `stall_after` nothing more is forwarded.
    """

    folder: Path
    target: tuple[str, int]
    refuse_status: int | None = None
    delay: float = 0.0
    rate: float | None = None
    cut_after: int | None = None
    stall_after: int | None = None
    bytes_received: int = 0
    port: int = 0

    async def __aenter__(self) -> Self:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        write_certificate(self.folder, f"*.{ENDPOINT_HOST.partition('.')[2]}")
        context.load_cert_chain(self.folder / "cert.pem", self.folder / "key.pem")
        self._server = await serve(
            self.forward,
            "127.0.0.1",
            0,
            ssl=context,
            process_request=self._check_request,
            max_size=_MESSAGE_BYTES,
            compression=None,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    def _check_request(self, connection: ServerConnection, request: Request) -> Response | None:
        status = self.refuse_status or (None if self.is_signed(request) else 403)
        if status is None:
            return None
        headers = Headers({"x-amzn-requestid": "req-42", "content-length": "9"})
        return Response(status, HTTPStatus(status).phrase, headers, b"no access")

    def is_signed(self, request: Request) -> bool:
        """Sign the request again, and return whether that gives its signature."""
        path, _, query = request.path.partition("?")
        parameters = parse_qs(query)
        timestamp, expires = parameters["X-Amz-Date"][0], int(parameters["X-Amz-Expires"][0])
        signed_at = datetime.datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
        if abs((datetime.datetime.now(datetime.UTC) - signed_at).total_seconds()) > expires:
            return False
        unsigned = urlencode([(key, value) for key, value in parse_qsl(query) if not key.startswith("X-Amz-")])
        copy = AWSRequest(method="GET", url=f"https://{request.headers['Host']}{path}?{unsigned}")
        region = parameters["X-Amz-Credential"][0].split("/")[2]
        signer = SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY), "ec2-instance-connect", region, expires)
        copy.context["timestamp"] = timestamp
        signer._modify_request_before_signing(copy)
        signature = signer.signature(signer.string_to_sign(copy, signer.canonical_request(copy)), copy)
        return request.headers["Host"] == ENDPOINT_HOST and signature == parameters["X-Amz-Signature"][0]

    async def forward(self, client: ServerConnection) -> None:
        """Carry one client's tunnel to its end."""
        reader, writer = await asyncio.open_connection(*self.target)
        await _Tunnel(self, client, reader, writer).forward()


class _Tunnel:
    """One client's connection through the endpoint to its target."""

    def __init__(
        self,
        endpoint: SimulatedEndpoint,
        client: ServerConnection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._endpoint, self._client, self._reader, self._writer = endpoint, client, reader, writer
        self._to_client = _Throttle(endpoint, client.send)
        self._to_target = _Throttle(endpoint, self._send_to_target)

    async def forward(self) -> None:
        """Forward in both directions until one side ends or a fault of the endpoint breaks the connection."""
        tasks = [asyncio.create_task(run()) for run in (self._read_target, self._to_client.run, self._to_target.run)]
        try:
            await self._read_client()
        finally:
            for task in tasks:
                task.cancel()
            self._writer.close()

    async def _read_client(self) -> None:
        endpoint = self._endpoint
        async for message in self._client:
            data = message if isinstance(message, bytes) else message.encode()
            allowed = None if endpoint.cut_after is None else endpoint.cut_after - endpoint.bytes_received
            endpoint.bytes_received += len(data)
            if allowed is not None and len(data) > allowed:
                await self._send_to_target(data[: max(0, allowed)])
                self._client.transport.abort()
                return
            if endpoint.stall_after is None or endpoint.bytes_received <= endpoint.stall_after:
                await self._to_target.send(data)

    async def _read_target(self) -> None:
        while data := await self._reader.read(_MESSAGE_BYTES):
            await self._to_client.send(data)
        await self._client.close()

    async def _send_to_target(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


class _Throttle:
    """Sends messages in order, each after the endpoint's delay and at its rate."""

    def __init__(self, endpoint: SimulatedEndpoint, send: Callable[[bytes], Awaitable[None]]) -> None:
        self._endpoint, self._send_now = endpoint, send
        self._queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def send(self, data: bytes) -> None:
        """Send at once, or put the message into the queue if the endpoint has a delay or a rate."""
        if self._endpoint.delay or self._endpoint.rate:
            self._queue.put_nowait((time.monotonic() + self._endpoint.delay, data))
        else:
            await self._send_now(data)

    async def run(self) -> None:
        """Send what is in the queue, until cancelled."""
        while True:
            due, data = await self._queue.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if self._endpoint.rate is not None:
                await asyncio.sleep(len(data) / self._endpoint.rate)
            await self._send_now(data)
