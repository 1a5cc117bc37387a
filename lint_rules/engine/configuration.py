"""Reads `[tool.plugport.lint]`: from `--config`, else from the nearest `pyproject.toml` upward."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .contract import JSON
from .errors import ConfigurationError
from .globs import compile_globs
from .packaging import ModuleRoot, module_roots

KEYS = ("exclude", "only-caller", "roots", "rules", "sanitizers", "sinks")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the table says. `file` is None if there is no `pyproject.toml`; then everything is at its default."""

    root: Path
    file: Path | None
    table: Mapping[str, JSON]
    exclude: tuple[str, ...]
    module_roots: tuple[ModuleRoot, ...]


def load(explicit: Path | None, working_directory: Path) -> Configuration:
    """Read the configuration of a run. Raises `ConfigurationError`. May be repeated."""
    file = explicit.absolute() if explicit else _nearest(working_directory)
    if file is None:
        return Configuration(working_directory, None, {}, (), module_roots({}, (), working_directory))
    document = _read(file)
    table = _table(document)
    if lost := [key for key in KEYS if key in document and not table]:
        raise ConfigurationError(
            lost[0], f"stands outside of [tool.plugport.lint] in {file}: move it into that table"
        )
    for key in table:
        if key not in KEYS:
            raise ConfigurationError(key, f"is no key of [tool.plugport.lint]; it has {', '.join(KEYS)}")
    exclude = _strings(table, "exclude")
    for pattern in exclude:
        if not pattern.strip("/. ") or pattern.startswith(("/", "../")):
            raise ConfigurationError("exclude", f"{pattern!r} must be a path pattern below the root, as build/**")
    compile_globs(exclude)
    roots = _strings(table, "roots")
    for root in roots:
        if not (file.parent / root).is_dir():
            raise ConfigurationError("roots", f"{root!r} is no folder below {file.parent}")
    _strings(table, "sanitizers")
    if not isinstance(callers := table.get("only-caller", []), list) or not all(isinstance(c, dict) for c in callers):
        raise ConfigurationError("only-caller", "must be tables, each opened by [[tool.plugport.lint.only-caller]]")
    if not isinstance(rules := table.get("rules", {}), dict) or not all(isinstance(r, dict) for r in rules.values()):
        raise ConfigurationError("rules", "must hold a table a rule, as [tool.plugport.lint.rules.XY001]")
    return Configuration(file.parent, file, table, exclude, module_roots(document, roots, file.parent))


def _nearest(start: Path) -> Path | None:
    for folder in (start, *start.parents):
        candidate = folder / "pyproject.toml"
        if candidate.is_file():
            return candidate
    return None


def _read(file: Path) -> Mapping[str, JSON]:
    try:
        with file.open("rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise ConfigurationError(
            "", f"{file} cannot be read ({error.strerror}): give --config a TOML file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError("", f"{file} is not valid TOML: {error}") from error


def _table(document: Mapping[str, JSON]) -> Mapping[str, JSON]:
    table = document
    for name in ("tool", "plugport", "lint"):
        inner = table.get(name, {})
        if not isinstance(inner, dict):
            raise ConfigurationError(name, "must be a table: [tool.plugport.lint]")
        table = inner
    return table


def _strings(table: Mapping[str, JSON], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigurationError(key, f'must be a list of strings, as {key} = ["…"]')
    return tuple(str(item) for item in value)
