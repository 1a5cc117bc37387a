"""An endpoint: its route, who may use it, what it takes and what it replies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...hookspecs import errors
from ..auth import Access
from ..services import Services
from ..store.tokens import Principal
from .request_context import RequestContext
from .validation import read_body, read_query

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
