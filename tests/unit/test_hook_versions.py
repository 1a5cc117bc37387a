"""Hooks grow older, and what was written for them before goes on working."""

from __future__ import annotations

import inspect
import sys
import warnings

import pluggy
import pytest
from support.third_party import command, lay

from plugport.core.dispatcher import Dispatcher
from plugport.hookspecs import (
    Action,
    Event,
    PolicyRequest,
    Receipt,
    Removal,
    Resolved,
    RunState,
    Source,
    Workspace,
    hookimpl,
    specs,
)
from plugport.hookspecs.conformance import bundle_of
from plugport.hookspecs.providers import (
    ProviderInvalid,
    ProviderManager,
    discover,
    inspect_provider,
    specifications,
)
from plugport.hookspecs.providers.calling import call

SIGNATURES: dict[int, dict[str, tuple[str, ...]]] = {
    1: {
        "startup": ("context",),
        "shutdown": (),
        "resolve_source": ("source", "destination"),
        "preflight": ("workspace", "action"),
        "is_running": ("workspace",),
        "deliver": ("workspace", "bundle"),
        "uninstall": ("workspace", "removal"),
        "list_installed": ("workspace",),
        "restart": ("workspace",),
        "lookup_workspace": ("workspace_id",),
        "check_policy": ("request",),
        "observe": ("event",),
        "lint_rules": (),
    },
    2: {"source_revision": ("source",)},
    3: {
        "inspect_target": ("workspace", "query"),
        "check_workspace": ("workspace",),
        "deliver": ("known",),
    },
    4: {
        "read_plugin": ("tree",),
        "lay_out": ("contents", "target"),
        "ask": ("workspace", "question"),
        "deliver": ("activation",),
    },
}
"""What each version of the hooks added. A line here never changes: providers were built against it."""

OF_VERSION_1 = """
from plugport.hookspecs import InstalledPlugin, Receipt, Resolved, RunState, Workspace, hookimpl

hook_api_version = 1
schemes, backend = ("aged",), "aged"
called = []

@hookimpl
def startup(context):
    called.append("startup")

@hookimpl
def shutdown():
    called.append("shutdown")

@hookimpl
def resolve_source(source, destination):
    (destination / "plugin.yaml").write_text("name: p\\n")
    return Resolved("p", "r1")

@hookimpl
def preflight(workspace, action):
    called.append("preflight")

@hookimpl
def is_running(workspace):
    return RunState.RUNNING

@hookimpl
def deliver(workspace, bundle):
    return Receipt(bundle.digest)

@hookimpl
def uninstall(workspace, removal):
    return Receipt(None, ("left",))

@hookimpl
def list_installed(workspace):
    return [InstalledPlugin("p", "sha256:" + "0" * 64, "name: p")]

@hookimpl
def restart(workspace):
    called.append("restart")

@hookimpl
def lookup_workspace(workspace_id):
    return Workspace(workspace_id, backend="aged")

@hookimpl
def check_policy(request):
    called.append("check_policy")

@hookimpl
def observe(event):
    called.append("observe")
"""


async def test_a_provider_built_against_the_previous_version_is_loaded_and_served(tmp_path, monkeypatch):
    lay(tmp_path, "aged", OF_VERSION_1)
    monkeypatch.syspath_prepend(str(tmp_path))
    (aged,) = discover(allowed=["aged"])[:1]
    assert (aged.status.value, aged.hook_api_version, aged.notes) == ("loaded", 1, ())
    dispatcher, workspace = Dispatcher([aged]), Workspace("w", backend="aged")
    await dispatcher.startup({"aged": None})
    (tmp_path / "to").mkdir()
    assert await dispatcher.source_revision(Source("aged", "p")) is None
    assert await dispatcher.resolve_source(Source("aged", "p"), tmp_path / "to", 5) == Resolved("p", "r1")
    await dispatcher.preflight(workspace, Action.INSTALL)
    assert await dispatcher.is_running(workspace) == RunState.RUNNING
    bundle = bundle_of(tmp_path, "p", {"a": b"1"})
    assert await dispatcher.deliver(workspace, bundle, 5) == Receipt(bundle.digest)
    assert await dispatcher.uninstall(workspace, Removal("p"), 5) == Receipt(None, ("left",))
    assert [plugin.name for plugin in await dispatcher.list_installed(workspace)] == ["p"]
    await dispatcher.restart(workspace)
    assert (await dispatcher.lookup_workspace("w"))[0] == workspace
    await dispatcher.check_policy(PolicyRequest(Action.INSTALL, workspace, Source("aged", "p"), "admin"))
    await dispatcher.observe(Event("plugin.installed", "w"))
    await dispatcher.shutdown()
    assert sys.modules["aged"].called == ["startup", "preflight", "restart", "check_policy", "observe", "shutdown"]


def test_no_hook_or_argument_of_an_older_version_is_gone():
    assert max(SIGNATURES) == specs.HOOK_API_VERSION == max(specs.HISTORY)
    now = {name: set(arguments) for name, arguments in specifications().items()}
    for version, hooks in SIGNATURES.items():
        if version >= specs.OLDEST_HOOK_API_VERSION:
            for name, arguments in hooks.items():
                assert set(arguments) <= now[name], f"{name} of version {version} does no longer do"


def test_nothing_is_added_without_a_version():
    known: dict[str, set[str]] = {}
    for hooks in SIGNATURES.values():
        for name, arguments in hooks.items():
            known.setdefault(name, set()).update(arguments)
    now = {name: set(arguments) for name, arguments in specifications().items()}
    assert now == known, "raise HOOK_API_VERSION by an entry in HISTORY, and add it to SIGNATURES"


def _with_spec(monkeypatch, name, function, **options):
    monkeypatch.setattr(specs, name, pluggy.HookspecMarker(specs.PROJECT)(function, **options), raising=False)


async def test_an_argument_that_is_added_breaks_no_old_implementation(monkeypatch):
    class Old:
        @hookimpl
        def observe(self, event):
            self.heard = event

    attributes = {"observe": hookimpl(lambda self, event, severity: severity)}  # as the hook is in this test
    new_one = type("New", (), attributes)

    def observe(event, severity="info"): ...

    _with_spec(monkeypatch, "observe", observe)
    old, new = inspect_provider(Old(), "old"), inspect_provider(new_one(), "new")
    assert (old.hooks["observe"].arguments, new.hooks["observe"].arguments) == (("event",), ("event", "severity"))
    manager = ProviderManager([new])
    for added, severity in (({}, "info"), ({"severity": "high"}, "high")):
        outcome = await call(manager.only(new.plugin, "observe"), {"event": "e", **added}, 5)
        assert outcome.value == severity, "a caller that leaves it out passes the specification's default"


def test_a_deprecated_hook_and_a_deprecated_argument_are_named_to_the_author(monkeypatch):
    class Old:
        @hookimpl
        def observe(self, event):
            return None

        @hookimpl
        def lookup_workspace(self, workspace_id):
            return None

    was = inspect.unwrap(specs.observe)
    _with_spec(
        monkeypatch,
        "observe",
        lambda event, what=None: was,
        warn_on_impl_args={"event": DeprecationWarning("take `what`; gone in 3.0")},
    )
    _with_spec(
        monkeypatch,
        "lookup_workspace",
        lambda workspace_id: None,
        warn_on_impl=DeprecationWarning("implement find_workspace; gone in 3.0"),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        provider = inspect_provider(Old(), "old")
    assert provider.notes == (
        "lookup_workspace is deprecated: implement find_workspace; gone in 3.0",
        "the argument event of observe is deprecated: take `what`; gone in 3.0",
    )


@pytest.mark.parametrize(
    ("wanted", "words"), [(99, "update plugport"), (1, "update it"), ("2", "must be a number"), (True, "must be a")]
)
def test_versions_shake_hands(monkeypatch, wanted, words):
    class Provider:
        hook_api_version = wanted

        @hookimpl
        def observe(self, event):
            return None

    monkeypatch.setattr(specs, "OLDEST_HOOK_API_VERSION", 2)
    with pytest.raises(ProviderInvalid, match=words):
        inspect_provider(Provider(), "provider")


def test_what_should_change_is_shown_and_the_version_with_it(tmp_path):
    lay(tmp_path, "aged", OF_VERSION_1)
    assert "hook_api_version: 1" in command(tmp_path, "providers", "aged").stdout
