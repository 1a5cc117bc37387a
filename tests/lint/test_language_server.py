"""`plugport lint --lsp`: the real process, spoken to as an editor does."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

BLOCKING = "import time\n\n\nasync def wait():\n    x = '\U0001d11e'; time.sleep(1)\n"
CONFIG = "[tool.plugport.lint]\n"
PATIENCE = 60
"""Seconds for an answer on a busy machine."""


class Editor:
    """An editor's side of the protocol."""

    def __init__(self, folder: Path, cache: Path, *options: str) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "plugport.lint_rules", "lint", "--lsp", *options],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        )
        self._received: queue.Queue[dict] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self._number = 0

    def start(self) -> dict:
        """Say hello, and return what the server can do."""
        answer = self.ask("initialize", {"processId": None, "rootUri": self.folder.as_uri(), "capabilities": {}})
        self.tell("initialized", {})
        return answer["capabilities"]

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str) -> None:
        document = {"uri": self.uri(name), "languageId": "python", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def change(self, name: str, version: int, text: str) -> None:
        document = {"uri": self.uri(name), "version": version}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})

    def diagnostics(self, name: str, is_right: Callable[[list[dict]], bool] = lambda items: True) -> list[dict]:
        """The next diagnostics of a document that are right."""

        def fits(message: dict) -> bool:
            params = message.get("params", {})
            is_ours = message.get("method") == "textDocument/publishDiagnostics" and params["uri"] == self.uri(name)
            return is_ours and is_right(params["diagnostics"])

        return self.wait(fits)["params"]["diagnostics"]

    def actions(self, name: str, place: dict, only: list[str] | None = None) -> list[dict]:
        context: dict = {"diagnostics": []} | ({"only": only} if only else {})
        params = {"textDocument": {"uri": self.uri(name)}, "range": place, "context": context}
        return list(self.ask("textDocument/codeAction", params) or [])

    def ask(self, method: str, params: object) -> dict:
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": params})
        return self.wait(lambda message: message.get("id") == number and "method" not in message)["result"]

    def tell(self, method: str, params: object) -> None:
        self._send({"method": method, "params": params})

    def wait(self, fits: Callable[[dict], bool]) -> dict:
        while not fits(message := self._received.get(timeout=PATIENCE)):
            pass
        return message

    def stop(self) -> int:
        """Say goodbye, and return the exit code."""
        self.ask("shutdown", None)
        self.tell("exit", None)
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _send(self, message: dict) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        self._process.stdin.flush()

    def _read(self) -> None:
        stream = self._process.stdout
        while header := stream.readline():
            length = int(header.split(b":")[1]) if header.lower().startswith(b"content-length") else 0
            while stream.readline().strip():
                pass
            self._received.put(json.loads(stream.read(length)))


@pytest.fixture
def editor(project, tmp_path) -> Iterator[Callable[..., Editor]]:
    """Starts editors on a project with these files."""
    editors: list[Editor] = []

    def start(files: dict[str, str], *options: str) -> Editor:
        made = project({"pyproject.toml": CONFIG, **files})
        editors.append(Editor(made.folder, tmp_path / "cache", *options))
        return editors[-1]

    yield start
    for each in editors:
        each.kill()


def _applied(text: str, edits: list[dict]) -> str:
    """The text after the edits; the columns are UTF-16's."""
    lines = text.split("\n")

    def offset(position: dict) -> int:
        line = lines[position["line"]].encode("utf-16-le")[: 2 * position["character"]].decode("utf-16-le")
        return sum(len(each) + 1 for each in lines[: position["line"]]) + len(line)

    ordered = sorted(edits, key=lambda edit: (edit["range"]["start"]["line"], edit["range"]["start"]["character"]))
    for edit in reversed(ordered):
        start, end = offset(edit["range"]["start"]), offset(edit["range"]["end"])
        text = text[:start] + edit["newText"] + text[end:]
    return text


def test_it_shows_findings_offers_fixes_and_follows_the_changes(editor):
    served = editor({"a.py": "x = 1\n"})
    assert served.start()["codeActionProvider"]["codeActionKinds"] == ["quickfix", "source.fixAll.plugport"]
    served.open("a.py", BLOCKING)
    (diagnostic,) = served.diagnostics("a.py")
    assert (diagnostic["code"], diagnostic["source"], diagnostic["severity"]) == ("PP004", "plugport", 1)
    assert diagnostic["range"] == {"start": {"line": 4, "character": 14}, "end": {"line": 4, "character": 27}}
    assert diagnostic["codeDescription"]["href"].startswith("https://")
    (action,) = served.actions("a.py", diagnostic["range"])
    assert (action["kind"], action["isPreferred"], action["diagnostics"]) == ("quickfix", False, [diagnostic])
    fixed = _applied(BLOCKING, action["edit"]["changes"][served.uri("a.py")])
    assert fixed.startswith("import asyncio\nimport time\n")
    assert "await asyncio.to_thread(time.sleep, 1)" in fixed
    served.change("a.py", 2, fixed)
    assert served.diagnostics("a.py") == []
    assert served.actions("a.py", diagnostic["range"]) == []
    (served.folder / "a.py").write_text(fixed)
    served.tell("textDocument/didSave", {"textDocument": {"uri": served.uri("a.py")}})
    assert served.diagnostics("a.py") == []
    served.tell("textDocument/didClose", {"textDocument": {"uri": served.uri("a.py")}})
    assert served.diagnostics("a.py") == []
    assert served.stop() == 0


HANDLER = (
    "from starlette.responses import JSONResponse\n\nfrom helper import body\n\n\n"
    "async def show(request):\n    return JSONResponse(body())\n"
)
HELPER = "def body():\n    try:\n        return work()\n    except OSError as error:\n        return {}\n"


def test_what_is_open_and_not_saved_counts_for_the_others_and_a_trace_leads_there(editor):
    served = editor({"api.py": HANDLER, "helper.py": HELPER})
    served.start()
    served.open("api.py", HANDLER)
    assert served.diagnostics("api.py") == []
    served.open("helper.py", HELPER)
    assert served.diagnostics("helper.py") == []
    served.change("helper.py", 2, HELPER.replace("{}", "{'error': str(error)}"))
    assert served.diagnostics("helper.py") == []
    served.change("api.py", 2, HANDLER + "\n")
    (diagnostic,) = served.diagnostics("api.py")
    assert diagnostic["code"] == "PP002"
    places = {related["location"]["uri"] for related in diagnostic["relatedInformation"]}
    assert served.uri("helper.py") in places


def test_all_safe_fixes_are_one_action_for_the_save(editor):
    unused = "x = 1  # plugport: allow[PP004] unused\ny = 2  # plugport: allow[PP004] unused\n"
    served = editor({"a.py": unused}, "--select", "PP000,PP004")
    served.start()
    served.open("a.py", unused)
    first, _ = served.diagnostics("a.py")
    actions = served.actions("a.py", first["range"])
    assert [(action["kind"], action.get("isPreferred")) for action in actions] == [
        ("quickfix", True),
        ("source.fixAll.plugport", None),
    ]
    (everything,) = served.actions("a.py", first["range"], ["source.fixAll"])
    assert _applied(unused, everything["edit"]["changes"][served.uri("a.py")]) == "x = 1\ny = 2\n"


def test_a_broken_configuration_is_shown_and_the_server_goes_on(editor):
    served = editor({"pyproject.toml": "[tool.plugport.lint]\nexclude = 7\n", "a.py": BLOCKING})
    served.start()
    served.open("a.py", BLOCKING)
    shown = served.wait(lambda message: message.get("method") == "window/showMessage")["params"]
    assert "exclude: must be a list of strings" in shown["message"]
    (served.folder / "pyproject.toml").write_text(CONFIG)
    served.change("a.py", 2, BLOCKING + "\n")
    assert [each["code"] for each in served.diagnostics("a.py")] == ["PP004"]


def test_without_pygls_it_says_what_to_install(project):
    probe = (
        "import sys, runpy\nsys.modules['pygls'] = None\nsys.argv = ['plugport', 'lint', '--lsp']\n"
        "runpy.run_module('plugport.lint_rules', run_name='__main__')\n"
    )
    done = project({"pyproject.toml": CONFIG, "probe.py": probe}).lint(python=(sys.executable, "probe.py"))
    assert done.exit == 2
    assert "pip install 'plugport[lsp]'" in done.stderr
