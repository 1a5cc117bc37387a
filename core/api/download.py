"""The download, by which external workspaces get their plugins. The same tree gives the same bytes each time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from ...hookspecs import errors
from ...hookspecs.values import Action, Bundle, PolicyRequest, Source
from ..auth import Access
from ..pipeline.adaptor_rules import ADAPTOR
from ..pipeline.fetch import Pins
from ..pipeline.manifest import validate_name
from .byte_range import Range, requested_ranges
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
        headers = _headers(bundle, source, sha256, workspace.layout)
        if _matches(context.request.headers.get("if-none-match"), headers["ETag"]):
            return Response(status_code=304, headers={key: headers[key] for key in ("ETag", "Cache-Control")})
        record = partial(services.recorder.record_download, workspace, source, bundle)
        on_complete = record if workspace.backend == "external" else None
        return _CachedFileResponse(archive, headers, stack.pop_all(), on_complete)
    raise errors.Internal("unreachable")


def _headers(bundle: Bundle, source: Source, sha256: str, layout: str | None) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{bundle.name}.tar.gz"',
        "X-Plugin-Name": bundle.name,
        "X-Plugin-Source": _header_text(str(source)),
        "X-Plugin-Digest": bundle.digest,
        "X-Plugin-Layout": layout or ADAPTOR,
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
    """Sends a file of the cache, or the ranges of it that are asked for. It closes `in_use` when that was sent; until
    then the cache keeps the file. It calls `on_complete` when a GET has the whole file then."""

    def __init__(
        self,
        archive: Path,
        headers: dict[str, str],
        in_use: AsyncExitStack,
        on_complete: Callable[[], Awaitable[None]] | None,
    ) -> None:
        super().__init__(archive, headers=headers, media_type="application/gzip", stat_result=archive.stat())
        self._in_use, self._on_complete = in_use, on_complete

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ended = False

        async def send_watched(message: Message) -> None:
            nonlocal ended
            await send(message)
            ended = message["type"] == "http.response.pathsend" or message.get("more_body") is False

        async with self._in_use:
            size = int(self.headers["content-length"])
            headers = Headers(scope=scope)
            if_range = headers.get("if-range")
            resumes = if_range == self.headers["etag"]
            ranges = requested_ranges(headers.get("range"), size) if if_range is None or resumes else []
            await super().__call__(_with_ranges(scope, ranges), receive, send_watched)
            whole = ended and scope["method"] == "GET" and _is_whole(ranges, size, resumes=resumes)
            if whole and self._on_complete is not None:
                await self._on_complete()


def _with_ranges(scope: Scope, ranges: list[Range]) -> Scope:
    """Return the request with these ranges in place of those that were asked for, and without a condition."""
    headers = [pair for pair in scope["headers"] if pair[0].lower() not in {b"range", b"if-range"}]
    if ranges:
        listed = ",".join(f"{first}-{last}" for first, last in ranges)
        headers.append((b"range", f"bytes={listed}".encode()))
    return {**scope, "headers": headers}


def _is_whole(ranges: list[Range], size: int, *, resumes: bool) -> bool:
    """Return whether the client has the whole file now: it got all of it, or by If-Range the rest that it lacked."""
    if len(ranges) > 1:
        return False
    return all(last + 1 == size and (first == 0 or resumes) for first, last in ranges)


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
                    "X-Plugin-Layout": "the workspace's layout",
                    "ETag": "the sha256 of the bytes",
                },
            ),
            206: Reply(media_type="application/gzip", description="Partial Content"),
            304: Reply(description="Not Modified"),
        },
        query=SourceQuery,
        problems=(errors.WorkspaceNotFound, errors.RangeNotSatisfiable, *FETCH),
    ),
)
