"""The download, by which external workspaces get their plugins. The same tree gives the same bytes each time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from urllib.parse import quote

from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from ...hookspecs import errors
from ...hookspecs.values import Action, Bundle, PolicyRequest, Source
from ..auth import Access
from ..pipeline.fetch import Pins
from ..pipeline.manifest import validate_name
from .endpoint import Endpoint, Reply, RequestContext
from .models import SourceQuery
from .plugins import FETCH


async def download_plugin(context: RequestContext) -> Response:
    """Download a plugin as tar.gz, with entries relative to its root.

    The allowlist and the policies are asked as for an install.
    """
    name = validate_name(context.path("name"))
    source = Source.parse(context.query.source if context.query.source is not None else name)
    services, workspace = context.services, await context.workspace()
    policy_request = PolicyRequest(Action.DOWNLOAD, workspace, source, context.actor)
    await services.admission.check_before_fetch(policy_request, name)
    async with AsyncExitStack() as stack:
        bundle = await stack.enter_async_context(services.fetcher.bundle(source, Pins(name)))
        await services.admission.check_after_fetch(policy_request, bundle)
        archive, sha256 = await asyncio.to_thread(services.cache.compressed, bundle)
        headers = _headers(bundle, source, sha256)
        if _matches(context.request.headers.get("if-none-match"), headers["ETag"]):
            return Response(status_code=304, headers={key: headers[key] for key in ("ETag", "Cache-Control")})
        record = partial(services.recorder.record_download, workspace, source, bundle)
        on_complete = record if workspace.backend == "external" else None
        return _CachedFileResponse(archive, headers, stack.pop_all(), on_complete)
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
    """Percent-encode what is not ASCII (RFC 3986), since a header takes nothing else."""
    return re.sub(r"[^\x00-\x7f]+", lambda match: quote(match.group()), text)


def _matches(if_none_match: str | None, etag: str) -> bool:
    """Compare weakly, by RFC 9110, section 13.1.2."""
    tags = {tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")}
    return "*" in tags or etag in tags


class _CachedFileResponse(FileResponse):
    """Sends a file of the cache. It closes `in_use` when the file was sent; until then the cache keeps the file. It
    calls `on_complete` when a GET has sent the file's last byte."""

    def __init__(
        self,
        archive: Path,
        headers: dict[str, str],
        in_use: AsyncExitStack,
        on_complete: Callable[[], Awaitable[None]] | None,
    ) -> None:
        super().__init__(archive, headers=headers, media_type="application/gzip")
        self._in_use, self._on_complete = in_use, on_complete

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        complete = False

        async def send_watched(message: Message) -> None:
            nonlocal complete
            if message["type"] == "http.response.start":
                complete = _has_last_byte(message)
            await send(message)

        async with self._in_use:
            await super().__call__(scope, receive, send_watched)
            if complete and scope["method"] == "GET" and self._on_complete is not None:
                await self._on_complete()


def _has_last_byte(start: Message) -> bool:
    """Return whether a response has the file's last byte: the whole file, or a range that ends there."""
    if start["status"] != 206:
        return bool(start["status"] == 200)
    content_range = dict(start["headers"]).get(b"content-range", b"").decode("latin-1")
    last, _, size = content_range.partition("-")[2].partition("/")
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
