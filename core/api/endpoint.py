"""An endpoint: its route, whom it is for, what it takes and gives; and the way from a request to its handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...hookspecs import errors
from ...hookspecs.errors import FieldProblem
from ..auth import Access
from ..services import Services
from ..store.registry import Owner

_Model = TypeVar("_Model", bound=BaseModel)
_MAX_ERRORS = 20


@dataclass(frozen=True, slots=True)
class Call:
    """One request that was let in: `body` and `query` are what the endpoint's models made of it."""

    services: Services
    request: Request
    owner: Owner
    body: Any
    query: Any

    @property
    def actor(self) -> str:
        """Who asks, as policies and the audit log see it."""
        return "admin" if self.owner.kind == "admin" else f"{self.owner.kind}:{self.owner.subject}"

    @property
    def request_id(self) -> str:
        """The id that finds the log line."""
        return str(self.request.state.request_id)

    def path(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Reply:
    """One kind of successful response: its model (a pydantic model, or a type such as `list[Model]`), media type
    and headers (name: what it says)."""

    model: Any = None
    media_type: str = "application/json"
    description: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method of a route. `problems` are the errors that are particular to it; its handler's docstring is its
    description."""

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
        """Count, authenticate, read, and hand over. Raises the tree's errors."""
        request.scope["state"]["route"] = self.path
        services: Services | None = request.app.state.services
        if services is None:
            raise errors.NotReady("the application is not running")
        owner = await self._admit(services, request)
        query = _query(self.query, request) if self.query else None
        body = await _body(self.body, request) if self.body else None
        return await self.handler(Call(services, request, owner, body, query))

    async def _admit(self, services: Services, request: Request) -> Owner:
        if self.access is Access.ANYONE:
            return Owner("anyone", "")
        authorization = request.headers.get("authorization")
        address = request.client.host if request.client else ""
        services.gatekeeper.count(authorization, address)
        return await services.gatekeeper.admit(authorization, self.access, request.path_params.get("id"))


def json_response(
    model: BaseModel | Sequence[BaseModel], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The response that holds a model or a plain list of models."""
    content = model.model_dump() if isinstance(model, BaseModel) else [one.model_dump() for one in model]
    return JSONResponse(content, status, dict(headers or {}))


def invalid(where: str, what: str) -> errors.InvalidRequest:
    """The refusal of one field."""
    return errors.InvalidRequest(FieldProblem(where, what))


def _query(model: type[_Model], request: Request) -> _Model:
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in given and name in model.model_fields:
            raise invalid(f"query.{name}", "is given more than once")
        given[name] = value
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _refusal(error, "query") from error


async def _body(model: type[_Model], request: Request) -> _Model:
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise invalid("header.content-type", "is application/json")
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        raise _refusal(error, "body") from error


def _refusal(error: ValidationError, where: str) -> errors.InvalidRequest:
    """Where and what, without the input and without the parser's own words."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    problems = dict.fromkeys(_problem(one["type"], one["loc"], one["msg"], where) for one in found)
    return errors.InvalidRequest(*list(problems)[:_MAX_ERRORS])


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]


def _problem(kind: str, location: tuple[int | str, ...], message: str, where: str) -> FieldProblem:
    names = [str(part) for part in location if str(part).isprintable() and len(str(part)) <= 64]
    place = ".".join([where, *names])
    if kind == "json_invalid":
        return FieldProblem(place, "is not valid JSON")
    if kind == "extra_forbidden":
        return FieldProblem(place, "is not a field of this request")
    if kind == "missing":
        return FieldProblem(place, "is required")
    return FieldProblem(place, _lowered(message.removeprefix("Value error, ")))
