"""A stand-in for an EC2 Instance Connect endpoint: verifies the signature, and forwards to a port here."""

from __future__ import annotations

import asyncio
import datetime
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.datastructures import Headers

from support.certificates import make_certificate

HOST = "eice-0123.ec2-instance-connect-endpoint.eu-west-1.amazonaws.com"
LARGEST = 65_000


@dataclass
class TunnelEndpoint:
    """Forwards every tunnel to `target`. Everything may be changed while it serves.

    `refuses` answers each handshake with this status; `says_text` sends a text message first. `delay` holds every
    message up, in each direction, for so many seconds; `rate` lets so many bytes through in a second. `seen` counts
    the bytes from the client. When they are more than `cut_after` the line breaks off; more than `stall_after`, and
    nothing goes on, although the line stays; more than `deaf_after`, and the client hears nothing any more.
    """

    folder: Path
    target: tuple[str, int]
    access_key: str = "AKIDEXAMPLE"
    secret_key: str = "secret"
    host: str = HOST
    refuses: int | None = None
    says_text: bool = False
    delay: float = 0.0
    rate: float | None = None
    cut_after: int | None = None
    stall_after: int | None = None
    deaf_after: int | None = None
    seen: int = 0
    opened: list[dict[str, list[str]]] = field(default_factory=list)
    port: int = 0
    open_now: int = 0
    most_open: int = 0

    async def __aenter__(self) -> TunnelEndpoint:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        make_certificate(self.folder, "*.ec2-instance-connect-endpoint.eu-west-1.amazonaws.com")
        context.load_cert_chain(self.folder / "cert.pem", self.folder / "key.pem")
        self._server = await serve(
            self._forward,
            "127.0.0.1",
            0,
            ssl=context,
            process_request=self._admit,
            max_size=LARGEST,
            compression=None,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        refusal = self.refuses or (None if self._is_signed(request) else 403)
        if refusal is None:
            return None
        headers = Headers({"x-amzn-requestid": "req-42", "content-length": "9"})
        return Response(refusal, HTTPStatus(refusal).phrase, headers, b"no access")

    def _is_signed(self, request: Request) -> bool:
        """Whether the same signature comes out here."""
        path, _, query = request.path.partition("?")
        given = parse_qs(query)
        made = datetime.datetime.strptime(given["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
        region = given["X-Amz-Credential"][0].split("/")[2]
        if abs((datetime.datetime.now(datetime.UTC) - made).total_seconds()) > int(given["X-Amz-Expires"][0]):
            return False
        plain = [(key, value) for key, value in parse_qsl(query) if not key.startswith("X-Amz-")]
        again = AWSRequest(method="GET", url=f"https://{request.headers['Host']}{path}?{urlencode(plain)}")
        signer = SigV4QueryAuth(
            Credentials(self.access_key, self.secret_key),
            "ec2-instance-connect",
            region,
            int(given["X-Amz-Expires"][0]),
        )
        again.context["timestamp"] = given["X-Amz-Date"][0]
        signer._modify_request_before_signing(again)
        signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
        self.opened.append(given)
        return request.headers["Host"] == self.host and signature == given["X-Amz-Signature"][0]

    def cut(self) -> None:
        """Break every tunnel off."""
        for connection in list(self._server.connections):
            connection.transport.abort()

    async def _forward(self, socket: ServerConnection) -> None:
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            await self._carry(socket)
        finally:
            self.open_now -= 1

    async def _carry(self, socket: ServerConnection) -> None:
        if self.says_text:
            await socket.send("hello")
        reader, writer = await asyncio.open_connection(*self.target)

        async def in_order(
            queue: asyncio.Queue[tuple[float, bytes]], send: Callable[[bytes], Awaitable[None]]
        ) -> None:
            while True:
                due, data = await queue.get()
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if self.rate is not None:
                    await asyncio.sleep(len(data) / self.rate)
                await send(data)

        async def to_host(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        async def to_client(data: bytes) -> None:
            if self.deaf_after is None or self.seen <= self.deaf_after:
                await socket.send(data)

        async def back() -> None:
            while data := await reader.read(LARGEST):
                if self.delay or self.rate:
                    backward.put_nowait((time.monotonic() + self.delay, data))
                else:
                    await to_client(data)
            await socket.close()

        backward: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        forward: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        tasks = [
            asyncio.create_task(one) for one in (back(), in_order(backward, to_client), in_order(forward, to_host))
        ]
        try:
            async for message in socket:
                data = message if isinstance(message, bytes) else message.encode()
                left = None if self.cut_after is None else self.cut_after - self.seen
                self.seen += len(data)
                if left is not None and len(data) > left:
                    await to_host(data[: max(0, left)])
                    socket.transport.abort()
                    break
                if self.stall_after is not None and self.seen > self.stall_after:
                    continue
                if self.delay or self.rate:
                    forward.put_nowait((time.monotonic() + self.delay, data))
                else:
                    await to_host(data)
        finally:
            for task in tasks:
                task.cancel()
            writer.close()
