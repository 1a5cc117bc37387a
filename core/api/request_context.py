"""What a handler is given: one authorized request, and the services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from ...hookspecs.values import JSON, Workspace
from ..services import Services
from ..store.tokens import Principal


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request that was let in. `body` and `query` are instances of the endpoint's models."""

    services: Services
    request: Request
    principal: Principal
    body: Any
    query: Any

    @property
    def actor(self) -> str:
        """Who asks, as policies and the audit log see it."""
        kind, subject = self.principal.kind, self.principal.subject
        return "admin" if kind == "admin" else f"{kind}:{subject}"

    @property
    def request_id(self) -> str:
        """The id that finds the log line."""
        return str(self.request.state.request_id)

    def path(self, name: str) -> str:
        """Return a parameter of the path."""
        return str(self.request.path_params[name])

    async def workspace(self) -> Workspace:
        """Resolve the workspace that the path names by `{id}`. Raises `WorkspaceNotFound`."""
        return await self.services.resolver.resolve(self.path("id"))

    async def audit(self, what: str, workspace: str | None, fields: Mapping[str, JSON]) -> None:
        """Write an entry of this actor to the audit log."""
        await self.services.audit.write(self.actor, what, workspace, fields)
