"""Names of functions that run a command, send a request, or call what they are given: facts behind PP001."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

RUNNERS: Final = re.compile(
    r"run|exec|call|output|popen|spawn|shell|system|command|process|sudo|cmd|bash|ssh|\Ash\Z|remote|invoke|capture"
    r"|subproc|check_|launch|perform|\Alocal\Z|\Adocker\Z|\Apodman\Z",
    re.IGNORECASE,
)
"""Names of functions that run a command in a text."""
NO_RUNNERS: Final = re.compile(
    r"assert|register|expect|parametrize|(^|_)log|print|echo|(Error|Exception|Warning)$|^(append|extend|insert|index"
    r"|count|remove|join|debug|info|warning|warn|error|exception|critical|list|tuple|set|sorted|len|str|repr|sum|any"
    r"|all|zip|map|filter|enumerate|isinstance|add_argument|add_parser|dumps|dump|format|quote|parse|skip|fail|param"
    r"|mark|literal|Literal|Enum|choice|Choice|split|put|add|call_count|has_calls|raises|deepcopy|copy|reversed"
    r"|namedtuple|getattr|setattr|hasattr|iter|next|max|min|pformat|pprint|write|writelines|writerow|Option|Argument"
    r"|equal|Equal|contains|startswith|endswith|find|chain)$"
)
"""Names of functions that do something else with a list of words."""
RUNS_COMMANDS: Final = re.compile(
    r"(subprocess|os|asyncio|anyio|trio|pexpect|plumbum|sh|invoke|fabric|paramiko|asyncssh|pty|commands|envoy"
    r"|delegator|curio|sarge|shellish|testinfra|docker_run|command_runner)\b"
)
"""Libraries whose functions run commands."""
ENGINES: Final = re.compile("docker|podman|nerdctl|containers")
COMMAND_ARGUMENTS: Final = frozenset(
    {"args", "cmd", "command", "argv", "popenargs", "commands", "cmdline", "command_line", "cmd_args"}
)
SENDERS: Final = frozenset(
    {"get", "head", "request", "send", "stream", "urlopen", "putrequest", "sendall", "write", "fetch", "post",
     "ws_connect", "_get", "_url", "_query", "_query_json", "_result", "Request", "build_request", "open",
     "urlretrieve", "_head", "_post", "_request"}
)  # fmt: skip
"""Names of functions that send a request."""
LOOKUPS: Final = frozenset({"get", "open", "write", "send", "head"})
"""Methods that send a request, or look something up, or write a file."""
REQUEST_ARGUMENTS: Final = frozenset(
    {"timeout", "headers", "params", "json", "data", "verify", "auth", "stream", "cookies", "follow_redirects",
     "allow_redirects", "raise_for_status"}
)  # fmt: skip
"""Arguments that only a request has."""
NO_SENDERS: Final = re.compile(
    r"assert|register|expect|mock|stub|respond|reply|parametrize|url_for|url_path_for|reverse|^(debug|info|warning"
    r"|warn|error|exception|critical|log|print|echo|secho|index|count|remove|append|extend|insert|join|startswith"
    r"|endswith|removeprefix|removesuffix|replace|format|quote|unquote|split|rsplit|partition|rpartition|parse|urlparse"
    r"|urlsplit|urljoin|compile|match|fullmatch|search|sub|findall|finditer|path|re_path|route|add_route|add_get"
    r"|add_api_route|add_url_rule|add_post|add_head|add_resource|add_view|websocket|mount|include|str|bytes|repr|len"
    r"|sorted|list|tuple|set|dict|encode|decode|strip|add|setdefault|update|skip|fail|param|raises|isinstance|getattr"
    r"|setattr|hasattr|setenv|with_path|joinpath|build|md5|sha1|sha256|add_argument|when|given|handle|rule|allow|deny"
    r"|dumps|contains|lower|upper|escape|dedent|add_response|literal|any|all|zip|map|filter|enumerate|print_json)$"
)
"""Names of functions that do something else with a route."""
SENDS_NOTHING: Final = re.compile(
    r"(logging|structlog|loguru|re|urllib\.parse|posixpath|pathlib|yarl|typing|argparse|click|typer|pytest|string"
    r"|os\.path|fastapi|starlette|flask|aiohttp\.web|django|litestar|sanic|quart|bottle|falcon|tornado\.web|warnings"
    r"|hashlib|json|fnmatch|shlex|textwrap|rich|unittest|hypothesis|builtins)\b"
)
"""Libraries whose calls send no request."""
PASSES: Final[Mapping[str, int]] = {
    **dict.fromkeys(
        ("to_thread", "run_sync", "run_in_threadpool", "submit", "partial", "partialmethod", "call_soon",
         "call_soon_threadsafe", "start_soon", "apply_async", "apply", "add_task", "Thread", "Process", "run_async",
         "defer", "deferToThread", "call_in_thread", "run_in_thread", "to_process", "retry_call", "from_thread"), 0,
    ),
    "run_in_executor": 1,
    "call_later": 1,
    "wait_for_call": 0,
}  # fmt: skip
"""Functions that call one of their arguments with those behind it: the position of the one that is called."""
