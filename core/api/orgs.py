"""Organisations: their allowlists, which admin and organisation may change, and their tokens."""

from __future__ import annotations

from starlette.responses import Response

from ...hookspecs import errors
from ..auth import Access, new_token
from ..store.registry import Owner
from ..workspace_resolver import ID
from .endpoint import Call, Endpoint, Reply, invalid, json_response
from .models import Allowed, AllowedIn, AllowlistOut, TokenOut


async def make_org_token(call: Call) -> Response:
    """Make a token that opens this organisation's allowlist alone."""
    org, token = _org(call), new_token()
    await call.services.tokens.add(token, Owner("org", org))
    await call.services.audit.write(call.actor, "token.made", None, {"kind": "org", "org": org})
    return json_response(TokenOut(token=token), 201, {"Cache-Control": "no-store"})


async def show_allowlist(call: Call) -> Response:
    """The organisation's allowlist; null where it has none, and everything is allowed."""
    org = _org(call)
    return json_response(AllowlistOut(org=org, plugins=await call.services.allowlists.get(org)))


async def replace_allowlist(call: Call) -> Response:
    """Replace the allowlist; an empty list allows nothing, null takes the list away."""
    org, given = _org(call), call.body.root
    plugins: list[str] | None = given.plugins if isinstance(given, Allowed) else given
    for index, entry in enumerate(plugins or ()):
        if entry != entry.strip() or not entry.isprintable():
            raise invalid(f"body.plugins.{index}", "is a source, the name of a local plugin, or a pattern with *")
    await call.services.allowlists.put(org, plugins)
    await call.services.audit.write(call.actor, "allowlist.changed", None, {"org": org, "plugins": plugins})
    return json_response(AllowlistOut(org=org, plugins=plugins))


def _org(call: Call) -> str:
    org = call.path("id")
    if not ID.match(org):
        raise invalid("path.id", "has 1 to 128 letters, digits, dots, dashes and underscores")
    return org


_PATH = "/orgs/{id}/plugins/allowlist"
_INVALID = (errors.InvalidRequest,)
ENDPOINTS = (
    Endpoint("POST", "/orgs/{id}/tokens", make_org_token, Access.ADMIN, {201: Reply(TokenOut)}, problems=_INVALID),
    Endpoint("GET", _PATH, show_allowlist, Access.ORG, {200: Reply(AllowlistOut)}, problems=_INVALID),
    Endpoint("PUT", _PATH, replace_allowlist, Access.ORG, {200: Reply(AllowlistOut)}, body=AllowedIn),
)
