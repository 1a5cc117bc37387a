"""Every value that a command puts into an address stays one segment or one parameter: nothing else is reached."""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import itertools
from importlib import import_module
from urllib.parse import unquote

import httpx._transports.default as httpx_transport
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.service import Service

from plugport.core.cli import COMMANDS, main
from plugport.core.cli.address import NotAddressable, address

HOSTILE = [
    "",
    ".",
    "..",
    "../w1",
    "../../w1",
    "w1/plugins/greeter",
    "w1/",
    "/w1",
    "/",
    "//",
    "?restart=false",
    "w1?x=1",
    "w1#x",
    "#",
    "%",
    "%2e%2e",
    "%2E%2E",
    "%2f..%2fw1",
    "..%2f..",
    "w1%2Fplugins%2Fgreeter",
    "a b",
    " w1",
    "é",
    "w\u200b1",
    "\u202e1w",
    "😀",
    "\udcff",
    "a\nb",
    "a\x00b",
    "a\tb",
    "\\..\\w1",
    ";w1",
    "w1&x=1",
    "http://127.0.0.1:9/x",
    "x" * 300,
]
COMMAND_LINES = [
    ["workspaces", "detect", "{}"],
    ["workspaces", "show", "{}"],
    ["workspaces", "remove", "{}"],
    ["workspaces", "token", "{}"],
    ["workspaces", "forget-host-key", "{}"],
    ["workspaces", "add", "{}", "--org", "acme"],
    ["workspaces", "add", "new", "--org", "{}"],
    ["workspaces", "add", "new", "--runtime", "{}"],
    ["workspaces", "add", "new", "--backend", "{}"],
    ["workspaces", "add", "new", "--container", "{}"],
    ["workspaces", "add", "new", "--instance-id", "{}"],
    ["workspaces", "add", "new", "--layout", "{}"],
    ["workspaces", "add", "new", "--backend", "host", "--option", "{}"],
    ["install", "{}", "--workspace", "w1"],
    ["install", "greeter", "--workspace", "{}"],
    ["install", "greeter", "--workspace", "w1", "--digest", "{}"],
    ["install", "greeter", "--workspace", "w1", "--sha256", "{}"],
    ["install", "greeter", "--workspace", "{}", "--no-wait"],
    ["install", "greeter", "--workspace", "{}", "--replace", "--adopt", "--no-restart"],
    ["install", "greeter", "--workspace", "absent", "--as", "{}"],
    ["install", "greeter", "--workspace", "{}", "--grant", "{}", "--no-ask", "--require-seen"],
    ["uninstall", "{}", "--workspace", "w1"],
    ["uninstall", "{}", "--workspace", "w1", "--no-restart", "--adopt"],
    ["uninstall", "greeter", "--workspace", "{}"],
    ["restore", "{}", "--workspace", "w1"],
    ["restore", "greeter", "--workspace", "{}"],
    ["restore", "greeter", "--workspace", "w1", "--kept", "{}"],
    ["list", "--workspace", "{}"],
    ["operations", "{}"],
    ["operations", "{}", "--follow"],
    ["operations", "--workspace", "{}"],
    ["pull", "{}", "--workspace", "w1", "--into", "INTO"],
    ["pull", "greeter", "--workspace", "{}", "--into", "INTO", "--layout", "{}", "--home", "{}", "--grant", "{}"],
    ["pull", "greeter", "--workspace", "w1", "--into", "INTO", "--remove"],
    ["pull", "greeter", "--workspace", "{}", "--into", "INTO"],
    ["pull", "greeter", "--workspace", "w1", "--into", "INTO", "--source", "{}"],
]
WITHOUT_SERVICE = {"check", "serve", "demo", "providers", "conform", "new-provider", "lint"}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("addresses")
    plugin = folder / "plugins" / "greeter"
    plugin.mkdir(parents=True)
    (plugin / "plugin.yaml").write_text("name: greeter\nversion: 1.2.3\n")
    (folder / "agent").mkdir()
    running = Service(folder)
    body = {"id": "w1", "org": "acme", "backend": "host", "options": {"path": str(folder / "agent")}}
    assert running.client.post("/workspaces", json=body).status_code == 201
    assert running.client.post("/workspaces/w1/plugins", json={"source": "greeter"}).status_code == 200
    yield running
    running.stop()


def _state(service):
    workspaces = [item["id"] for item in service.client.get("/workspaces").json()["items"]]
    plugins = [(plugin["name"], plugin["drift"]) for plugin in service.client.get("/workspaces/w1/plugins").json()]
    succeeded = [
        item["id"]
        for item in service.client.get("/operations?workspace=w1&limit=200").json()["items"]
        if item["status"] != "failed"
    ]
    return workspaces, plugins, succeeded


def _call(arguments):
    """Call the command in this process, and return its exit code and what it printed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            code: object = main(arguments)
        except SystemExit as exit_of_argparse:
            code = exit_of_argparse.code
    return code, out.getvalue()


@pytest.mark.parametrize("line", COMMAND_LINES, ids=" ".join)
def test_no_value_reaches_another_resource(service, monkeypatch, tmp_path, line):
    create_context = functools.cache(httpx_transport.create_ssl_context)  # reading the certificates takes longest
    monkeypatch.setattr(httpx_transport, "create_ssl_context", create_context)
    monkeypatch.setenv("PLUGPORT_URL", service.url)
    monkeypatch.setenv("PLUGPORT_TOKEN", service.environment["PLUGPORT_ADMIN_TOKEN"])
    before = _state(service)
    assert (before[0], before[1]) == (["w1"], [("greeter", "none")])
    for value in HOSTILE:
        into = tmp_path / "into"
        arguments = [part.replace("INTO", str(into)).replace("{}", value) for part in line]
        if value.startswith("-") or (value == "" and "--option" in line):
            continue
        code, printed = _call(arguments)
        assert code in {1, 2} or (code == 0 and "--option" in line), (arguments, code, printed)
        assert "Internal" not in printed, (arguments, printed)
        assert "Traceback" not in printed, (arguments, printed)
        if "--option" in line and code == 0:
            service.client.delete("/workspaces/new")
        assert not into.exists() or not list(into.iterdir()), arguments
    assert _state(service) == before


@pytest.mark.parametrize(
    "path",
    [
        "/workspaces/w1/plugins/%2E%2E",
        "/workspaces/w1/plugins/%2e",
        "/workspaces/w1%2Fplugins%2Fgreeter",
        "/workspaces/%2E%2E",
        "/workspaces/w1%2f..",
        "/workspaces/w1/plugins/..%2f..%2fw1",
        "/workspaces/%00",
        "/workspaces/w1/plugins/%00",
        "/workspaces/w1/plugins/",
        "/workspaces//plugins/greeter",
        "/workspaces/%FF",
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH", "POST"])
def test_the_service_answers_an_encoded_path_with_a_typed_refusal(service, method, path):
    before = _state(service)
    body = {"json": {"org": "other"}} if method in {"PATCH", "POST"} else {}
    reply = service.client.request(method, path, **body)
    assert reply.status_code in {400, 404, 405}, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert _state(service) == before


@pytest.mark.parametrize("path", ["/operations/%00", "/operations/%2E%2E/events", "/workspaces?cursor=%00"])
def test_a_value_that_no_database_takes_is_refused_before_it(service, path):
    assert service.client.get(path).status_code in {400, 404}


def test_every_command_that_calls_a_service_is_covered():
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    for name in COMMANDS:
        import_module(f"plugport.core.cli.commands.{name}").register(subparsers)
    covered = {tuple(line) for line in COMMAND_LINES}
    for name, command in subparsers.choices.items():
        if name in WITHOUT_SERVICE:
            assert not any("--url" in action.option_strings for action in command._actions), name
            continue
        for path, leaf in _leaves(command, (name,)):
            for action in leaf._actions:
                if _takes_text(action):
                    assert any(_puts_into(line, path, action) for line in covered), (path, action.dest)


def _leaves(parser, path):
    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not nested:
        return [(path, parser)]
    return [leaf for name, child in nested[0].choices.items() for leaf in _leaves(child, (*path, name))]


def _takes_text(action):
    """Whether the value may reach an address or a body: not a flag, not a number, not the service's own URL."""
    return action.nargs != 0 and action.type is None and action.dest not in {"url", "into", "help"}


def _puts_into(line, path, action):
    if line[: len(path)] != path:
        return False
    if action.option_strings:
        return any(flag in action.option_strings and value == "{}" for flag, value in itertools.pairwise(line))
    return line[len(path)] == "{}"


@given(st.lists(st.text(), min_size=1))
def test_a_segment_stays_one_segment(segments):
    if any(segment in {"", ".", ".."} for segment in segments):
        with pytest.raises(NotAddressable):
            address(*segments)
        return
    built = address(*segments)
    assert built.isascii()
    assert not set(built) & set("?#\\ ")
    encoded = [segment.encode("utf-8", "surrogateescape") for segment in segments if segment.isprintable()]
    if len(encoded) == len(segments):
        assert [unquote(part) for part in built[1:].split("/")] == segments
