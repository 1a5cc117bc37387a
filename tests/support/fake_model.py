"""A model on loopback that answers "ok" in the API that the caller speaks, and keeps what it was sent."""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import threading
from collections.abc import Iterator, Sequence

Events = Sequence[tuple[str, dict]]
"""Server-sent events: the name of each ("" for none) and its data."""

_USAGE = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}


class FakeModel:
    """`url` is where it listens; `requests` are the bodies that it was sent, as JSON."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[object] = []

    def text(self) -> str:
        """Return every text of every request, unescaped: what the model would see."""
        return "\n".join(text for request in self.requests for text in _texts(request))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


@contextlib.contextmanager
def fake_model() -> Iterator[FakeModel]:
    """Run a model until the block ends."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.model = FakeModel(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.model  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with contextlib.suppress(ValueError):
            request = json.loads(body)
            self.server.model.requests.append(request)  # type: ignore[attr-defined]
            streamed = ":stream" in self.path or (isinstance(request, dict) and request.get("stream") is True)
            for pattern, events, whole in _APIS:
                if re.search(pattern, self.path):
                    self._answer(events if streamed else (), whole)
                    return
        self.send_error(404)

    def do_GET(self) -> None:
        if self.path.rstrip("/").endswith("/models"):
            self._answer((), {"object": "list", "data": [{"id": "fake", "object": "model"}]})
        else:
            self.send_error(404)

    def do_HEAD(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, events: Events, whole: dict) -> None:
        if events:
            lines = [f"event: {name}\n" * bool(name) + f"data: {json.dumps(data)}\n\n" for name, data in events]
            content, kind = "".join(lines), "text/event-stream"
        else:
            content, kind = json.dumps(whole), "application/json"
        self.send_response(200)
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(content.encode())


def _named(*events: tuple[str, dict]) -> Events:
    return [(name, {"type": name, **data}) for name, data in events]


_MESSAGE = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": "fake",
    "stop_reason": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
_TEXT = {"type": "text", "text": "ok"}
_MESSAGES = _named(
    ("message_start", {"message": {**_MESSAGE, "content": []}}),
    ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
    ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": "ok"}}),
    ("content_block_stop", {"index": 0}),
    ("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}}),
    ("message_stop", {}),
)
_OUTPUT = {
    "type": "message",
    "role": "assistant",
    "id": "o",
    "status": "completed",
    "content": [{"type": "output_text", "text": "ok", "annotations": []}],
}
_RESPONSE = {
    "id": "r",
    "object": "response",
    "model": "fake",
    "status": "completed",
    "output": [_OUTPUT],
    "usage": _USAGE,
}
_RESPONSES = _named(
    ("response.created", {"response": {**_RESPONSE, "status": "in_progress", "output": []}}),
    ("response.output_item.done", {"output_index": 0, "item": _OUTPUT}),
    ("response.completed", {"response": _RESPONSE}),
)
_CHAT = {
    "id": "c",
    "created": 1,
    "model": "fake",
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
_CHUNK = {**_CHAT, "object": "chat.completion.chunk"}
_CHUNKS = [
    (
        "",
        {**_CHUNK, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "ok"}, "finish_reason": None}]},
    ),
    ("", {**_CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
]
_COMPLETION = {
    **_CHAT,
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
}
_CONTENT = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "ok"}]}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
}
_APIS: Sequence[tuple[str, Events, dict]] = (
    (r"/count_tokens", (), {"input_tokens": 1}),
    (r":countTokens", (), {"totalTokens": 1}),
    (r"/messages", _MESSAGES, {**_MESSAGE, "content": [_TEXT], "stop_reason": "end_turn"}),
    (r"/responses", _RESPONSES, _RESPONSE),
    (r"/chat/completions", _CHUNKS, _COMPLETION),
    (r"enerateContent", [("", _CONTENT)], _CONTENT),
)
