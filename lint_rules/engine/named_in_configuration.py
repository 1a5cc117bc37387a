"""Holds the names in the configuration against the code: one that means nothing guards nothing, and says so."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping

from .configuration import Configuration
from .contract import JSON
from .definitions import Definitions
from .errors import ConfigurationError
from .source_file import SourceFile


def check_names(configuration: Configuration, files: Mapping[str, SourceFile]) -> None:
    """Raise `ConfigurationError`, with the nearest names, for a name in `calls`, `sanitizers`, `allow` or `sinks`
    that is neither the project's nor an installed package's. `files` are those of the whole project."""
    definitions = Definitions(files)
    table = configuration.table
    for name in _texts(table.get("sanitizers")):
        _check_dotted("sanitizers", name, definitions)
    for index, caller in enumerate(_tables(table.get("only-caller"))):
        key = f"only-caller[{index}]"
        for name in _texts(caller.get("calls")):
            _check_dotted(f"{key}.calls", name, definitions)
        for entry in _texts(caller.get("allow")):
            _check_allow(f"{key}.allow", entry, configuration, definitions, files)
    for index, sinks in enumerate(_tables(table.get("sinks"))):
        for key in ("calls", "handlers", "responses", "routes", "streams"):
            for name in _texts(sinks.get(key)):
                dotted = name.removesuffix("*").rstrip(".")
                if not name.startswith("."):  # else it is a method of any object
                    _check_dotted(f"sinks[{index}].{key}", dotted, definitions)


def _check_dotted(key: str, name: str, definitions: Definitions) -> None:
    if not definitions.has(name):
        raise ConfigurationError(
            key, f"{name!r} is nothing of this project or of an installed package{_near(name, definitions.names())}"
        )


def _check_allow(
    key: str, entry: str, configuration: Configuration, definitions: Definitions, files: Mapping[str, SourceFile]
) -> None:
    path, separator, name = entry.partition("::")
    if not separator or not name:
        return  # the rule says how an entry is written
    root = configuration.root
    if path not in files and not (root / path).is_file():
        everywhere = (f"{other}::{name}" for other in files if definitions.has_function(other, name, root))
        raise ConfigurationError(
            key, f"{entry!r}: there is no file {path} below {root}{_near(path, files, everywhere)}"
        )
    if not definitions.has_function(path, name, root):
        functions = definitions.functions_of_path(path, root)
        same = [function for function in functions if function.endswith(f".{name}")]
        raise ConfigurationError(
            key, f"{entry!r}: {path} has no such function at its top level, or method{_near(name, functions, same)}"
        )


def _near(name: str, names: Iterable[str], others: Iterable[str] = ()) -> str:
    near = list(others)[:3] or difflib.get_close_matches(name, list(names), n=3)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _texts(value: JSON) -> Iterator[str]:
    yield from (item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _tables(value: JSON) -> Iterator[Mapping[str, JSON]]:
    yield from (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()
