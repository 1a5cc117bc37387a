"""An endpoint: its route, who may use it, what it takes and what it replies; and what its handler is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...hookspecs import errors
from ...hookspecs.values import JSON, Workspace
from ..auth import Access
from ..services import Services
from ..store.tokens import Principal
from .validation import read_body, read_query


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


Handler = Callable[[RequestContext], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Reply:
    """One kind of successful response. `model` is a pydantic model, or a type such as `list[Model]`; `headers` maps
    the name of each header to its description."""

    model: Any = None
    media_type: str = "application/json"
    description: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of a route. `problems` are the errors that only this endpoint can have; the handler's docstring
    describes the endpoint in the API's description."""

    method: str
    path: str
    handler: Handler
    access: Access
    replies: Mapping[int, Reply]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    problems: Sequence[type[errors.PlugportError]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __call__(self, request: Request) -> Response:
        """Count and authorize the request, read query and body, and call the handler. Raises the tree's errors."""
        request.scope["state"]["route"] = self.path
        services: Services | None = request.app.state.services
        if services is None:
            raise errors.NotReady("the application is not running")
        principal = await self._authorize(services, request)
        query = read_query(self.query, request) if self.query else None
        body = await read_body(self.body, request) if self.body else None
        return await self.handler(RequestContext(services, request, principal, body, query))

    async def _authorize(self, services: Services, request: Request) -> Principal:
        if self.access is Access.ANYONE:
            return Principal("anyone", "")
        authorization = request.headers.get("authorization")
        address = request.client.host if request.client else ""
        services.authenticator.check_rate(authorization, address)
        return await services.authenticator.authorize(authorization, self.access, request.path_params.get("id"))


def json_response(
    model: BaseModel | Sequence[BaseModel], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Make the response that holds a model or a plain list of models."""
    content = model.model_dump() if isinstance(model, BaseModel) else [item.model_dump() for item in model]
    return JSONResponse(content, status, dict(headers or {}))
