"""What common calls do with the text in their arguments: facts behind PP002."""

from __future__ import annotations

from typing import Final

SILENT: Final = frozenset(
    {"isinstance", "issubclass", "len", "int", "bool", "float", "hash", "id", "any", "all", "type", "print",
     "callable",
     "hasattr", "sum", "range", "super", "vars_of"}
)  # fmt: skip
MAKES_TEXT: Final = frozenset({"str", "repr", "format", "ascii", "bytes"})
PASSES: Final = frozenset(
    {"dict", "list", "tuple", "set", "frozenset", "sorted", "reversed", "iter", "next", "enumerate", "zip", "map",
     "filter",
     "max", "min", "bytearray", "vars", "cast", "dumps", "dump", "jsonable_encoder", "escape", "quote", "quote_plus",
     "urlencode", "b64encode", "shorten", "indent", "dedent", "fill", "asdict", "deepcopy", "copy", "sub", "encode",
     "safe_dump", "to_thread", "wait_for", "shield", "model_validate", "construct", "replace", "join", "markupsafe",
     "Markup", "partial", "SimpleNamespace", "chain", "getLevelName", "pformat", "wrap"}
)  # fmt: skip
MUTATES: Final = frozenset(
    {"append", "add", "update", "extend", "insert", "setdefault", "appendleft", "put", "put_nowait", "write"}
)
LOGS: Final = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "capture_exception"}
)
