"""Providers are found, checked, routed to and contained."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest
from support.doubles import Lookup, MemoryBackend, StubSource
from support.third_party import install_stranger, lay

from plugport.core.dispatcher import Dispatcher, DuplicateProvider
from plugport.hookspecs import HOOK_API_VERSION, Resolved, RunState, Workspace, errors, hookimpl
from plugport.hookspecs.providers import (
    ProviderInvalid,
    ProviderManager,
    ProviderStatus,
    discover,
    inspect_provider,
)
from plugport.hookspecs.providers.calling import call

W = Workspace("w", org="acme", backend="memory")


def _made(**members):
    return type("Made", (), members)()


@pytest.mark.parametrize(
    ("provider", "word"),
    [
        (_made(), "no hook"),
        (_made(is_runing=hookimpl(lambda self, workspace: None, specname="is_runing")), "unknown hook is_runing"),
        (_made(observe=hookimpl(lambda self, evnt: None)), "unknown argument evnt"),
        (_made(observe=hookimpl(lambda self, *events: None)), "name the arguments"),
        (_made(observe=hookimpl(lambda self: (yield), wrapper=True)), "wrapper"),
        (_made(resolve_source=hookimpl(lambda self, source, destination: None)), "no `schemes`"),
        (_made(schemes="x", resolve_source=hookimpl(lambda self, source, destination: None)), "tuple of names"),
        (_made(schemes=("x",), observe=hookimpl(lambda self, event: None)), "not implement resolve_source"),
        (_made(backend="x", is_running=hookimpl(lambda self, workspace: None)), "is_running and deliver"),
        (_made(deliver=hookimpl(lambda self, workspace, bundle: None)), "declares no `backend`"),
        (
            _made(hook_api_version=HOOK_API_VERSION + 1, observe=hookimpl(lambda self, event: None)),
            "hook API version",
        ),
    ],
)
def test_an_object_that_cannot_be_a_provider_is_told_why(provider, word):
    for name in vars(type(provider)):
        value = getattr(type(provider), name)
        if callable(value) and hasattr(value, "__name__") and value.__name__ == "<lambda>":
            value.__name__ = name
    with pytest.raises(ProviderInvalid) as caught:
        inspect_provider(provider, "made")
    assert word in str(caught.value)


def test_an_implementation_may_take_fewer_arguments_and_new_ones_with_defaults():
    provider = _made(deliver=hookimpl(lambda self, bundle, later=None: None), backend="x", is_running=None)
    provider.__class__.is_running = hookimpl(lambda self: None)
    found = inspect_provider(provider, "made")
    assert found.hooks["deliver"].arguments == ("bundle",)
    assert found.hooks["is_running"].arguments == ()


def test_what_is_blocked_is_not_imported(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(install_stranger(tmp_path)))
    sys.modules.pop("stranger", None)
    blocked = {one.name: one for one in discover(blocked=["stranger"])}["stranger"]
    assert (blocked.status, blocked.distribution) == (ProviderStatus.BLOCKED, "stranger")
    assert "stranger" not in sys.modules
    allowed = {one.name: one for one in discover(allowed=["stranger"])}
    assert allowed["stranger"].status is ProviderStatus.LOADED
    assert allowed["local"].status is ProviderStatus.BLOCKED


def test_a_provider_that_raises_at_import_is_listed_with_its_reason(tmp_path, monkeypatch):
    site = install_stranger(tmp_path)
    (site / "stranger.py").write_text("raise SystemExit('at import')\n")
    monkeypatch.syspath_prepend(str(site))
    sys.modules.pop("stranger", None)
    found = {one.name: one for one in discover()}
    assert found["stranger"].status is ProviderStatus.FAILED
    assert "SystemExit: at import" in found["stranger"].reason
    assert found["local"].status is ProviderStatus.LOADED


def test_the_extra_that_brings_a_missing_module_is_named(tmp_path, monkeypatch):
    lay(tmp_path, "needy", "import not_here.at_all\n")
    with (tmp_path / "needy-1.5.dist-info/METADATA").open("a") as metadata:
        metadata.write('Provides-Extra: more\nRequires-Dist: Not_Here>=2; extra == "more"\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    found = {one.name: one for one in discover(allowed=["needy"])}["needy"]
    assert found.reason == "importing needy needs not_here: pip install 'needy[more]'"


def test_two_providers_of_one_backend_or_scheme_stop_the_start_and_both_are_named():
    first = inspect_provider(MemoryBackend(), "first", "dist-one", "1")
    second = inspect_provider(MemoryBackend(), "second", "dist-two", "2")
    with pytest.raises(DuplicateProvider) as caught:
        Dispatcher([first, second])
    assert "dist-one" in str(caught.value)
    assert "dist-two" in str(caught.value)
    sources = [inspect_provider(StubSource(lambda destination: Resolved("x")), name) for name in ("source", "again")]
    with pytest.raises(DuplicateProvider, match=r"the scheme stub is served by source .* and by again"):
        Dispatcher(sources)


async def test_a_lookup_that_declines_does_not_hide_the_next_ones_answer():
    known = Workspace("w", org="acme")
    dispatcher = Dispatcher([inspect_provider(Lookup({}), "a"), inspect_provider(Lookup({"w": known}), "b")])
    assert await dispatcher.lookup_workspace("w") == (known, False)
    assert await dispatcher.lookup_workspace("absent") == (None, False)


async def test_a_plain_def_does_not_stop_the_loop_and_has_a_deadline():
    class Slow(MemoryBackend):
        @hookimpl
        def is_running(self, workspace):
            time.sleep(0.5)
            return RunState.RUNNING

    dispatcher = Dispatcher([inspect_provider(Slow(), "slow")], timeout=0.1)
    started = asyncio.get_running_loop().time()
    state, ticks = await asyncio.gather(dispatcher.is_running(W), _tick())
    assert state.kind == "unknown"
    assert "0.1 s" in state.reason
    assert asyncio.get_running_loop().time() - started < 0.45
    assert ticks == 5


async def _tick():
    for _ in range(5):
        await asyncio.sleep(0.01)
    return 5


@pytest.mark.parametrize(
    "error", [SystemExit("x"), asyncio.CancelledError("x"), KeyboardInterrupt("x"), ValueError("x")]
)
async def test_whatever_a_hook_raises_is_contained(error):
    class Raising(MemoryBackend):
        @hookimpl
        async def deliver(self, workspace, bundle):
            raise error

        @hookimpl
        def uninstall(self, workspace, removal):
            raise error

    dispatcher = Dispatcher([inspect_provider(Raising(), "raising")])
    with pytest.raises(errors.DeliveryFailed) as caught:
        await dispatcher.deliver(W, None, 1)
    assert "raising" in str(caught.value)
    with pytest.raises(errors.DeliveryFailed):
        await dispatcher.uninstall(W, None, 1)


async def test_a_callers_cancellation_reaches_the_hook():
    seen = []

    class Waiting(MemoryBackend):
        @hookimpl
        async def deliver(self, workspace, bundle):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

    dispatcher = Dispatcher([inspect_provider(Waiting(), "waiting")])
    task = asyncio.create_task(dispatcher.deliver(W, None, 60))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cancelled"]


async def test_a_subclass_of_our_errors_passes_no_text_of_its_own():
    class Loud(errors.DeliveryFailed):
        detail = "ghp_secret"

    class Raising(MemoryBackend):
        @hookimpl
        def deliver(self, workspace, bundle):
            raise Loud("x")

    dispatcher = Dispatcher([inspect_provider(Raising(), "raising")])
    with pytest.raises(errors.DeliveryFailed) as caught:
        await dispatcher.deliver(W, None, 1)
    assert type(caught.value) is errors.DeliveryFailed
    assert "ghp_secret" not in caught.value.detail


async def test_a_late_call_is_an_outcome():
    backend = MemoryBackend()
    caller = ProviderManager([inspect_provider(backend, "m")]).only(backend, "is_running")
    assert (await call(caller, {"workspace": W}, 5)).value is RunState.RUNNING
