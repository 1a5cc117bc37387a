"""Describes the API as OpenAPI 3.1, from the endpoints, and shows it as a page for people."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from html import escape
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from ...hookspecs import errors
from ..auth import Access
from .endpoint import Endpoint, Reply
from .models import Problem
from .problems import MEDIA_TYPE

_REF = "#/components/schemas/{model}"
_ACCESS_ERRORS = (errors.Unauthenticated, errors.Forbidden, errors.RateLimited)


_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "description": "One event; `data` is the operation as JSON.",
    "properties": {"event": {"const": "status"}, "data": {"type": "string", "contentMediaType": "application/json"}},
    "required": ["event", "data"],
}
"""The schema of each event of a stream: before OpenAPI 3.2 the schema of a stream is that of its events."""


def describe(endpoints: Iterable[Endpoint], version: str) -> dict[str, Any]:
    """Return the document. It is deterministic, so that two releases can be compared."""
    schemas: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    _schema(Problem, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "plugport",
            "version": version,
            "description": "Delivers plugins into the workspaces where AI agents run. "
            "Errors are application/problem+json (RFC 9457).",
        },
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    summary, _, rest = (inspect.getdoc(endpoint.handler) or "").partition("\n\n")
    described: dict[str, Any] = {
        "operationId": getattr(endpoint.handler, "__name__", "handler"),
        "summary": " ".join(summary.split()),
        "responses": _responses(endpoint, schemas),
    }
    if rest:
        described["description"] = " ".join(rest.split())
    if parameters := [*_path_parameters(endpoint), *_query_parameters(endpoint), *_header_parameters(endpoint)]:
        described["parameters"] = parameters
    if endpoint.body is not None:
        content = {"application/json": {"schema": _schema(endpoint.body, schemas)}}
        described["requestBody"] = {"required": True, "content": content}
    if endpoint.access is not Access.ANYONE:
        described["security"] = [{"token": []}]
        described["x-access"] = endpoint.access.value
    return described


def _responses(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    responses = {str(status): _reply(status, reply, schemas) for status, reply in endpoint.replies.items()}
    access = () if endpoint.access is Access.ANYONE else _ACCESS_ERRORS
    fields = (errors.InvalidRequest,) if endpoint.body or endpoint.query or endpoint.headers else ()
    size = (errors.RequestTooLarge,) if endpoint.body else ()
    slugs: dict[int, list[str]] = {}
    for kind in dict.fromkeys((*fields, *size, *access, *endpoint.problems, errors.Internal)):
        slugs.setdefault(kind.status, []).append(kind.slug)
    for status, names in sorted(slugs.items()):
        responses[str(status)] = _problem(", ".join(names))
    responses["default"] = _problem("any other problem")
    return responses


def _problem(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
    }


def _reply(status: int, reply: Reply, schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"description": reply.description or HTTPStatus(status).phrase}
    if reply.headers:
        described["headers"] = {
            name: {"description": what, "schema": {"type": "string"}} for name, what in reply.headers.items()
        }
    if reply.model is not None:
        described["content"] = {reply.media_type: {"schema": _schema(reply.model, schemas)}}
    elif status not in {204, 304}:
        schema = _EVENT if reply.media_type == "text/event-stream" else {"type": "string"}
        described["content"] = {reply.media_type: {"schema": schema}}
    return described


def _schema(model: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a type; a model is put into `schemas` and referred to."""
    mode: Any = "validation"
    schema = TypeAdapter(model).json_schema(ref_template=_REF, mode=mode)
    schemas.update(schema.pop("$defs", {}))
    if isinstance(model, type) and issubclass(model, BaseModel):
        schemas[model.__name__] = schema
        return {"$ref": _REF.format(model=model.__name__)}
    return schema


def _path_parameters(endpoint: Endpoint) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", endpoint.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _query_parameters(endpoint: Endpoint) -> Iterable[dict[str, Any]]:
    if endpoint.query is None:
        return
    schema = endpoint.query.model_json_schema()
    required = schema.get("required", ())
    for name, described in schema["properties"].items():
        yield {"name": name, "in": "query", "required": name in required, "schema": _without_null(described)}


def _without_null(described: Mapping[str, Any]) -> dict[str, Any]:
    """Drop the null: a query parameter is left out, it is never null."""
    plain = {key: value for key, value in described.items() if key not in {"title", "anyOf", "default"}}
    for choice in described.get("anyOf", ()):
        if choice.get("type") != "null":
            plain |= choice
    if described.get("default") is not None:
        plain["default"] = described["default"]
    return plain


def _header_parameters(endpoint: Endpoint) -> Iterable[dict[str, Any]]:
    for name, what in endpoint.headers.items():
        yield {
            "name": name,
            "in": "header",
            "required": False,
            "description": what,
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
        }


def page(document: Mapping[str, Any]) -> str:
    """Return the routes as one page of HTML that loads nothing from elsewhere."""
    rows = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            statuses = "".join(
                f"<li><b>{escape(status)}</b> {escape(response['description'])}</li>"
                for status, response in operation["responses"].items()
                if status != "default"
            )
            rows.append(
                f"<details><summary><code>{method.upper()} {escape(path)}</code> "
                f"<i>{escape(operation.get('x-access', 'anyone'))}</i> {escape(operation['summary'])}</summary>"
                f"<p>{escape(operation.get('description', ''))}</p><ul>{statuses}</ul></details>"
            )
    title = f"{document['info']['title']} {document['info']['version']}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        "<style>body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "summary{cursor:pointer;padding:.2rem 0}i{color:#666}</style>"
        f"<h1>{escape(title)}</h1><p>{escape(document['info']['description'])} "
        'The same for programs: <a href="openapi.json">openapi.json</a>.</p>'
        f"{''.join(rows)}</html>"
    )
