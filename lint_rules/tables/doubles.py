"""Doubles of tests: what is done with them asks no engine and reaches no client."""

from __future__ import annotations

import re
from typing import Final

DOUBLES: Final = re.compile(
    r"(unittest\.)?mock\.(\w*Mock|create_autospec|patch|call|ANY|sentinel|mock_open|seal)\b.*"
    r"|(pytest_mock|flexmock|mockito|doublex|fakeredis|moto)\b.*"
    r"|(respx|responses|aioresponses|requests_mock|pook|httpretty|vcr|betamax|mocket|nock|pytest_httpserver"
    r"|pytest_httpx|httmock|wiremock|pretenders|pytest_subprocess)\b.*"
    r"|(fastapi|starlette|flask|django|litestar|quart|falcon)\.test\w*\.\w*Client\w*"
    r"|aiohttp\.test_utils\..*|httpx\.(ASGI|WSGI|Mock)Transport"
)
"""Libraries that stand in for others, by dotted name."""
DOUBLE_FIXTURES: Final = frozenset(
    {"mocker", "class_mocker", "module_mocker", "session_mocker", "monkeypatch", "respx_mock", "httpx_mock",
     "requests_mock", "aioresponses", "mock_aioresponse", "responses", "rsps", "httpserver", "make_httpserver", "fp",
     "fake_process", "pook_mock", "test_client", "aiohttp_client", "flexmock"}
)  # fmt: skip
"""Fixtures of pytest's plugins that give one."""
DOUBLE_ATTRIBUTES: Final = frozenset(
    {"return_value", "side_effect", "called", "call_count", "call_args", "call_args_list", "mock_calls",
     "method_calls", "reset_mock", "configure_mock", "assert_called", "assert_called_once", "assert_called_with",
     "assert_called_once_with", "assert_any_call", "assert_has_calls", "assert_not_called", "assert_awaited",
     "assert_awaited_once", "assert_awaited_with", "assert_awaited_once_with", "assert_not_awaited", "await_count"}
)  # fmt: skip
"""What only a mock has."""
RESPONSE_ARGUMENTS: Final = frozenset(
    {"payload", "body", "status", "status_code", "text", "exc", "exception", "callback", "repeat", "return_value",
     "side_effect", "reply", "content_type"}
)  # fmt: skip
"""Arguments that say what a route answers, which a client never passes."""
