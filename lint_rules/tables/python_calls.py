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
     "safe_dump", "wait_for", "shield", "model_validate", "construct", "replace", "join", "markupsafe",
     "Markup", "SimpleNamespace", "chain", "getLevelName", "pformat", "wrap", "gather", "parse_obj",
     "validate_python",
     "create_task", "ensure_future", "islice", "closing", "aclosing"}
)  # fmt: skip
KEEPS_KEYS: Final = frozenset(
    {"dict", "cast", "jsonable_encoder", "asdict", "deepcopy", "copy", "wait_for", "shield", "model_validate",
     "construct", "SimpleNamespace", "vars", "iter", "list", "tuple", "sorted", "reversed", "parse_obj",
     "validate_python", "create_task", "ensure_future", "closing", "aclosing"}
)  # fmt: skip
"""Of `PASSES`: those whose result has what its argument has at the same keys and attributes."""
MUTATES: Final = frozenset(
    {"append", "add", "update", "extend", "insert", "setdefault", "appendleft", "put", "put_nowait", "write", "push",
     "send_nowait", "writelines", "extendleft", "publish", "set_result", "__setitem__"}
)  # fmt: skip
READS: Final = frozenset(
    {"get", "pop", "popleft", "get_nowait", "popitem", "receive", "setdefault", "__getitem__", "recv"}
)
"""Methods that give an element of a container."""
COPIES: Final = frozenset(
    {"result", "copy", "values", "items", "model_dump", "dict", "to_dict", "asdict", "_asdict", "json",
     "model_dump_json", "as_dict", "to_json", "model_copy", "getvalue", "read", "most_common", "tolist",
     "__iter__", "serialize", "_replace", "fetchone", "fetchall", "fetchmany", "first", "one", "one_or_none",
     "scalar_one", "scalar_one_or_none", "scalars", "mappings", "all", "unique", "partitions", "strip",
     "lower", "upper", "decode", "encode", "splitlines", "split", "title", "lstrip", "rstrip"}
)  # fmt: skip
"""Methods that give the object itself in another form."""
CONTAINERS: Final = frozenset(
    {"dict", "list", "set", "deque", "defaultdict", "OrderedDict", "ChainMap", "Counter", "UserDict", "UserList",
     "MutableMapping", "MutableSequence", "MutableSet", "Mapping", "Sequence", "Queue", "LifoQueue", "PriorityQueue"}
)  # fmt: skip
"""Last names of classes whose heirs are containers."""
RENDERS: Final = frozenset(
    {"render", "render_async", "substitute", "safe_substitute", "render_template", "render_to_string",
     "render_template_string", "render_block", "from_string", "format_map", "format", "join"}
)  # fmt: skip
"""Functions and methods that make a text of their arguments."""
CALLERS: Final = {
    "to_thread": 0, "run_sync": 0, "run_in_threadpool": 0, "run_in_executor": 1, "submit": 0, "partial": 0,
    "sync_to_async": 0, "Depends": 0, "async_to_sync": 0, "run_coroutine_threadsafe": 0,
    "map": 0, "starmap": 0, "imap": 0, "add_task": 0,
}  # fmt: skip
"""Functions and methods that call another: the position of the other among their arguments."""
MAPS: Final = frozenset({"map", "starmap", "imap"})
"""Of `CALLERS`: those that call it for each element."""
ROW_BASES: Final = frozenset({"DeclarativeBase", "Model", "Document", "Base", "BaseModelORM", "TimeStampedModel"})
"""Last names of classes whose heirs are rows of a database."""
ROW_WRITES: Final = frozenset(
    {"update", "values", "create", "insert", "get_or_create", "update_or_create", "bulk_create", "aupdate", "acreate",
     "update_one", "insert_one"}
)  # fmt: skip
"""Methods whose keywords are columns of the rows in question."""
COUNTS: Final = frozenset(
    {"count", "exists", "delete", "rowcount", "commit", "refresh", "flush", "save", "qsize", "empty", "keys", "index",
     "is_empty", "full", "done", "cancelled", "acount", "aexists", "adelete", "asave", "clear", "remove", "discard",
     "startswith", "endswith", "isdigit", "find"}
)  # fmt: skip
"""Methods whose result holds nothing of what an object keeps."""
LOGS: Final = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "capture_exception"}
)
SHARED: Final = frozenset({"app", "state", "session", "extensions"})
"""Attributes by which handlers share values: of an application, a request, Flask's current application."""
KEY_VALUE_METHODS: Final = frozenset({"hget", "hgetall", "lrange", "lpop", "rpop", "hmget"})
PRINTS_ERROR: Final = frozenset({"print_exc", "print_exception", "print_last", "print_tb", "print_stack"})
STREAMS: Final = {"redirect_stderr": "stderr", "redirect_stdout": "stdout", "StreamHandler": "log"}
"""By a call that opens it: the stream that is written into its first argument from then on."""
QUERIES: Final = frozenset({"objects", "query"})
"""Attributes of a class of rows that give its rows."""
