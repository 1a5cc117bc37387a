"""The download, by which external workspaces get their plugins: the same bytes each time."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from ...hookspecs import errors
from ...hookspecs.values import Action, PolicyRequest, Source, Workspace
from ...hookspecs.values.bundle import Bundle
from ..auth import Access
from ..pipeline.fetch import Pins
from ..pipeline.manifest import validate_name
from .endpoint import Call, Endpoint, Reply
from .models import SourceQuery
from .plugins import FETCH


async def download_plugin(call: Call) -> Response:
    """The plugin as tar.gz, entries relative to its root; the allowlist and the policies are asked as on install."""
    name = validate_name(call.path("name"))
    source = Source.parse(call.query.source if call.query.source is not None else name)
    workspace = await call.services.directory.find(call.path("id"))
    await call.services.refusals.before_fetch(Action.DOWNLOAD, workspace, source, name, call.actor)
    async with AsyncExitStack() as stack:
        fetching = call.services.fetcher.bundle(source, Pins(name), _no_phase)
        bundle = await stack.enter_async_context(fetching)
        request = PolicyRequest(Action.DOWNLOAD, workspace, source, call.actor)
        await call.services.refusals.after_fetch(request, bundle)
        archive, sha256 = await asyncio.to_thread(call.services.cache.compressed, bundle)
        headers = _headers(bundle, source, sha256)
        if _matches(call.request.headers.get("if-none-match"), headers["ETag"]):
            return Response(status_code=304, headers={key: headers[key] for key in ("ETag", "Cache-Control")})
        return _Held(call, workspace, source, bundle, archive, headers, stack.pop_all())
    raise errors.Internal("unreachable")


def _headers(bundle: Bundle, source: Source, sha256: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{bundle.name}.tar.gz"',
        "X-Plugin-Name": bundle.name,
        "X-Plugin-Source": _header_text(str(source)),
        "X-Plugin-Digest": bundle.digest,
        "ETag": f'"{sha256}"',
        "Cache-Control": "private, no-cache",
    }


def _header_text(text: str) -> str:
    """ASCII as it stands, the rest percent-encoded (RFC 3986): a header takes no more."""
    return "".join(one if one.isascii() else "".join(f"%{byte:02X}" for byte in one.encode()) for one in text)


def _matches(given: str | None, etag: str) -> bool:
    """RFC 9110, section 13.1.2: the weak comparison."""
    if given is None:
        return False
    tags = {one.strip().removeprefix("W/") for one in given.split(",")}
    return "*" in tags or etag in tags


async def _no_phase(_name: str) -> None:
    """A download is no operation: nobody watches its phases."""


class _Held(FileResponse):
    """A file of the cache that stays there until it was sent; what an external workspace got whole is recorded."""

    def __init__(
        self,
        call: Call,
        workspace: Workspace,
        source: Source,
        bundle: Bundle,
        archive: Path,
        headers: dict[str, str],
        held: AsyncExitStack,
    ) -> None:
        super().__init__(archive, headers=headers, media_type="application/gzip")
        self._call, self._workspace, self._source, self._bundle = call, workspace, source, bundle
        self._held, self._last_byte = held, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._last_byte = _reaches_the_end(message)
            await send(message)

        async with self._held:
            await super().__call__(scope, receive, watched)
            if self._last_byte and scope["method"] == "GET" and self._workspace.backend == "external":
                await self._call.services.pipeline.record_pulled(self._workspace, self._source, self._bundle)


def _reaches_the_end(start: Message) -> bool:
    """Whether a response brings the file's last byte: the whole of it, or a range that ends there."""
    if start["status"] != 206:
        return bool(start["status"] == 200)
    told = dict(start["headers"]).get(b"content-range", b"").decode("latin-1")
    last, _, size = told.partition("-")[2].partition("/")
    return last.isdigit() and size.isdigit() and int(last) + 1 == int(size)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/workspaces/{id}/plugins/{name}/download",
        download_plugin,
        Access.WORKSPACE,
        {
            200: Reply(
                media_type="application/gzip",
                headers={
                    "Content-Disposition": "the archive's file name",
                    "X-Plugin-Name": "the plugin's name",
                    "X-Plugin-Source": "where it comes from",
                    "X-Plugin-Digest": "the tree's digest",
                    "ETag": "the sha256 of the bytes",
                },
            ),
            206: Reply(media_type="application/gzip", description="Partial Content"),
            304: Reply(description="Not Modified"),
        },
        query=SourceQuery,
        problems=(errors.WorkspaceNotFound, *FETCH),
    ),
)
