"""Organisations: their tokens, for the admin, and their allowlists, for the admin and the organisation."""

from __future__ import annotations

from starlette.responses import Response

from ...hookspecs import errors
from ...hookspecs.values import is_name
from ..auth import Access, new_token
from ..store.tokens import Principal
from .endpoint import Endpoint, Reply, RequestContext, json_response
from .models import Allowed, AllowedIn, AllowlistOut, TokenOut
from .validation import invalid


async def make_org_token(context: RequestContext) -> Response:
    """Make a token that opens only this organisation's allowlist."""
    org, token = _org(context), new_token()
    await context.services.tokens.add(token, Principal("org", org))
    await context.audit("token.made", None, {"kind": "org", "org": org})
    return json_response(TokenOut(token=token), 201, {"Cache-Control": "no-store"})


async def show_allowlist(context: RequestContext) -> Response:
    """Show the organisation's allowlist. Null means that it has none and every plugin is allowed."""
    org = _org(context)
    return json_response(AllowlistOut(org=org, plugins=await context.services.allowlists.get(org)))


async def replace_allowlist(context: RequestContext) -> Response:
    """Replace the allowlist. An empty list allows nothing; null removes the list."""
    org, body = _org(context), context.body.root
    plugins: list[str] | None = body.plugins if isinstance(body, Allowed) else body
    for index, entry in enumerate(plugins or ()):
        if entry != entry.strip() or not entry.isprintable():
            raise invalid(f"body.plugins.{index}", "is a source, the name of a local plugin, or a pattern with *")
    await context.services.allowlists.put(org, plugins)
    await context.audit("allowlist.changed", None, {"org": org, "plugins": plugins})
    return json_response(AllowlistOut(org=org, plugins=plugins))


def _org(context: RequestContext) -> str:
    org = context.path("id")
    if not is_name(org):
        raise invalid("path.id", "has 1 to 128 letters, digits, dots, dashes and underscores")
    return org


_PATH = "/orgs/{id}/plugins/allowlist"
_INVALID = (errors.InvalidRequest,)
ENDPOINTS = (
    Endpoint("POST", "/orgs/{id}/tokens", make_org_token, Access.ADMIN, {201: Reply(TokenOut)}, problems=_INVALID),
    Endpoint("GET", _PATH, show_allowlist, Access.ORG, {200: Reply(AllowlistOut)}, problems=_INVALID),
    Endpoint("PUT", _PATH, replace_allowlist, Access.ORG, {200: Reply(AllowlistOut)}, body=AllowedIn),
)
