"""A stand-in for an EC2 Instance Connect endpoint: verifies the signature, and forwards to a port here."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from certificates import make_certificate
from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.datastructures import Headers

HOST = "eice-0123.ec2-instance-connect-endpoint.eu-west-1.amazonaws.com"
LARGEST = 65_000


@dataclass
class TunnelEndpoint:
    """Forwards every tunnel to `target`. `cut_after` bytes from the client it breaks the line off; `says_text` sends
    a text message first; `refuses` answers each handshake with this status."""

    folder: Path
    target: tuple[str, int]
    access_key: str = "AKIDEXAMPLE"
    secret_key: str = "secret"
    cut_after: int | None = None
    says_text: bool = False
    refuses: int | None = None
    opened: list[dict[str, list[str]]] = field(default_factory=list)
    port: int = 0

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
        return request.headers["Host"] == HOST and signature == given["X-Amz-Signature"][0]

    async def _forward(self, socket: ServerConnection) -> None:
        if self.says_text:
            await socket.send("hello")
        reader, writer = await asyncio.open_connection(*self.target)

        async def back() -> None:
            while data := await reader.read(LARGEST):
                await socket.send(data)
            await socket.close()

        task = asyncio.create_task(back())
        seen = 0
        async for message in socket:
            seen += len(message)
            if self.cut_after is not None and seen > self.cut_after:
                socket.transport.abort()
                break
            writer.write(message)
            await writer.drain()
        task.cancel()
        writer.close()
