"""Calls that return an error, and which attributes of an error a client may see: facts behind PP002."""

from __future__ import annotations

from typing import Final

TRACEBACK_CALLS: Final = frozenset(
    {"format_exc", "format_exception", "format_exception_only", "format_tb", "format_stack", "extract_tb",
     "TracebackException", "from_exception", "StackSummary", "walk_tb"}
)  # fmt: skip
CURRENT_ERROR_CALLS: Final = frozenset({"sys.exc_info", "sys.exception", "sys.last_value"})
PROCESS_CALLS: Final = frozenset(
    {"subprocess.run", "subprocess.Popen", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell",
     "anyio.run_process", "anyio.open_process", "trio.run_process", "trio.open_process",
     "invoke.run"}
)  # fmt: skip
HANDLER_PARAMETERS: Final = (
    ["request", "exc"],
    ["request", "error"],
    ["req", "exc"],
    ["_", "exc"],
    ["websocket", "exc"],
    ["request", "exception"],
    ["exc", "context"],
)
"""The parameters of a function that handles an exception."""
SAFE_ATTRIBUTES: Final = frozenset(
    {
        "__class__", "__name__", "__qualname__", "__module__", "code", "errno", "returncode", "slug", "status",
        "status_code", "type", "error_code", "http_status", "retry_after", "winerror", "lineno", "colno", "pos",
        "error_count", "title", "kind", "limit",
    }
)  # fmt: skip
"""Attributes that say which failure it is and hold no text."""
ALWAYS_RAW: Final = frozenset({"args", "__cause__", "__context__", "__traceback__", "with_traceback"})
"""Attributes that hold raw text in every class."""
AUTHORED: Final = frozenset(
    {
        "starlette.exceptions.HTTPException", "fastapi.HTTPException", "fastapi.exceptions.HTTPException",
        "starlette.websockets.WebSocketDisconnect", "fastapi.WebSocketDisconnect",
        "fastapi.websockets.WebSocketDisconnect", "starlette.exceptions.WebSocketException",
        "fastapi.WebSocketException",
        "fastapi.exceptions.RequestValidationError", "pydantic.ValidationError", "werkzeug.exceptions.HTTPException",
        "tornado.web.HTTPError", "aiohttp.web.HTTPException", "litestar.exceptions.HTTPException",
        "litestar.HTTPException", "rest_framework.exceptions.APIException", "django.core.exceptions.ValidationError",
        "marshmallow.ValidationError", "marshmallow.exceptions.ValidationError",
    }
)  # fmt: skip
"""Exceptions whose `detail`, `reason`, `headers` and `errors()` were written for a client; `body` is the
request's."""
AUTHORED_MODULES: Final = (
    "aiohttp.web.HTTP", "aiohttp.web_exceptions.HTTP", "litestar.exceptions.", "rest_framework.exceptions.",
    "rest_framework.serializers.ValidationError", "werkzeug.exceptions.",
)  # fmt: skip
"""How the names of classes begin that are such exceptions, or inherit from one."""
AUTHORED_ATTRIBUTES: Final = frozenset(
    {
        "body", "default_code", "description", "detail", "errors", "extra", "headers", "message_dict", "messages",
        "name", "reason", "text",
    }
)  # fmt: skip
AUTHORED_DETAILS: Final = frozenset({"detail", "headers"})
"""What of an `HTTPException` was written for a client in whatever package the class is."""
AUTHORED_RESULTS: Final = frozenset({"rest_framework.views.exception_handler"})
"""Functions that make a response of an exception, with nothing but what was written for a client."""
PROCESS_ERRORS: Final = frozenset({"stderr"})
PROCESS_OUTPUTS: Final = frozenset({"stdout", "output", "exec_output"})
PROCESS_STATUS: Final = frozenset({"returncode", "exit_status", "exit_code", "returncodes", "exit_signal"})
COMMAND_CLIENTS: Final = frozenset({"asyncssh.connect", "paramiko.SSHClient", "fabric.Connection", "invoke.Context"})
"""Connections over which commands run."""
COMMAND_METHODS: Final = frozenset({"run", "create_process", "exec_command", "sudo", "local"})
STATUS_METHODS: Final = frozenset({"recv_exit_status", "poll", "wait"})
"""Methods that give the exit code of a process."""
STATUS_AND_OUTPUT: Final = frozenset({"subprocess.getstatusoutput"})
"""Calls that return the exit code and what the process printed."""
