"""Reads the query and the body of a request by the endpoint's models, and refuses what does not fit them."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from ...hookspecs import errors
from ...hookspecs.errors import FieldProblem

_Model = TypeVar("_Model", bound=BaseModel)
_MAX_PROBLEMS = 20
_PLAIN = {
    "json_invalid": "is not valid JSON",
    "extra_forbidden": "is not a field of this request",
    "missing": "is required",
}
"""Our own words for some of pydantic's kinds of errors."""


def invalid(where: str, what: str) -> errors.InvalidRequest:
    """Make the refusal of one field: `where` it is, and `what` it must be."""
    return errors.InvalidRequest(FieldProblem(where, what))


def read_query(model: type[_Model], request: Request) -> _Model:
    """Read the query. Raises `InvalidRequest`, also for a parameter that is given twice."""
    values: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in values and name in model.model_fields:
            raise invalid(f"query.{name}", "is given more than once")
        values[name] = value
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _refusal(error, "query") from error


async def read_body(model: type[_Model], request: Request) -> _Model:
    """Read the body as JSON. Raises `InvalidRequest`."""
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise invalid("header.content-type", "is application/json")
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        raise _refusal(error, "body") from error


def _refusal(error: ValidationError, where: str) -> errors.InvalidRequest:
    """Say what is wrong and where, without the input and without the parser's own text."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    problems = dict.fromkeys(_problem(detail["type"], detail["loc"], detail["msg"], where) for detail in details)
    return errors.InvalidRequest(*list(problems)[:_MAX_PROBLEMS])


def _problem(kind: str, location: tuple[int | str, ...], message: str, where: str) -> FieldProblem:
    names = [str(part) for part in location if str(part).isprintable() and len(str(part)) <= 64]
    path = ".".join([where, *names])
    text = _PLAIN.get(kind) or message.removeprefix("Value error, ")
    return FieldProblem(path, text[:1].lower() + text[1:])
