"""Reads `[[tool.plugport.lint.sinks]]`: what a project says of calls, routes and handlers that no table knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import ConfigurationError
from ...tables.frameworks import Framework, Sends

_KEYS = ("arguments", "calls", "handlers", "medium", "responses", "routes", "streams")


def configured(config: Mapping[str, Any]) -> Framework | None:
    """Return the tables as one framework; None if there are none. Raises `ConfigurationError`."""
    tables = config.get("sinks", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigurationError("sinks", "must be tables, each opened by [[tool.plugport.lint.sinks]]")
    if not tables:
        return None
    for table in tables:
        _check(table)
    return Framework(
        "the project's own",
        sends=tuple(
            Sends(tuple(table["calls"]), tuple(table.get("arguments", ())), table.get("medium", "a response"))
            for table in tables
            if "calls" in table
        ),
        responses=_names(tables, "responses"),
        routes=_names(tables, "routes"),
        handlers=_names(tables, "handlers"),
        streams=_names(tables, "streams"),
    )


def _names(tables: list[Mapping[str, Any]], key: str) -> tuple[str, ...]:
    return tuple(name for table in tables for name in table.get(key, ()))


def _check(table: Mapping[str, Any]) -> None:
    for key, value in table.items():
        name = f"sinks.{key}"
        if key not in _KEYS:
            raise ConfigurationError(name, f"is no key of [[tool.plugport.lint.sinks]]; it has {', '.join(_KEYS)}")
        if key == "medium":
            if not isinstance(value, str):
                raise ConfigurationError(name, 'must be words for a message, as medium = "a push message"')
        elif key == "arguments":
            if not isinstance(value, list) or not all(type(item) in {int, str} for item in value):
                raise ConfigurationError(name, 'must be positions and keywords, as arguments = [0, "text"]')
        elif not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise ConfigurationError(name, f'must be a list of qualified names, as {key} = ["app.web.Page.push"]')
    if not table.keys() - {"arguments", "medium"}:
        raise ConfigurationError("sinks", "a table needs one of calls, handlers, responses, routes, streams")
    if "arguments" in table and "calls" not in table:
        raise ConfigurationError("sinks.arguments", "stands beside `calls`, whose arguments they are")
