"""Providers are routed to, called in order, contained and watched."""

from __future__ import annotations

import asyncio
import time

import pytest
from support.doubles import Lookup, MemoryBackend, StubSource

from plugport.core.dispatcher import Dispatcher, DuplicateProvider
from plugport.hookspecs import (
    Action,
    Event,
    PolicyRequest,
    Refusal,
    Removal,
    Resolved,
    RunState,
    Source,
    Workspace,
    errors,
    hookimpl,
)
from plugport.hookspecs.providers import ProviderManager, ProviderStatus, inspect_provider
from plugport.hookspecs.providers.calling import call

W = Workspace("w", org="acme", backend="memory")


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


async def test_a_call_ends_as_an_outcome():
    backend = MemoryBackend()
    caller = ProviderManager([inspect_provider(backend, "m")]).only(backend, "is_running")
    assert (await call(caller, {"workspace": W}, 5)).value is RunState.RUNNING


class Recorder:
    """An observer, and whatever else asks everybody, that writes down when it is called."""

    def __init__(self, name, calls):
        self.name, self.calls = name, calls

    @hookimpl
    def observe(self, event):
        self.calls.append(self.name)


class First(Recorder):
    @hookimpl(tryfirst=True)
    async def observe(self, event):
        self.calls.append(self.name)


class Last(Recorder):
    @hookimpl(trylast=True)
    def observe(self, event):
        self.calls.append(self.name)


class Broken(Recorder):
    @hookimpl
    def observe(self, event):
        self.calls.append(self.name)
        raise SystemExit("no more")


def _dispatcher(*plugins, **options):
    return Dispatcher([inspect_provider(plugin, getattr(plugin, "name", "one")) for plugin in plugins], **options)


async def test_tryfirst_is_called_before_and_trylast_after_and_equals_in_the_order_of_their_names():
    calls: list[str] = []
    kinds = {"a": Last, "b": Recorder, "c": First, "d": Last, "e": Recorder, "f": First}
    dispatcher = _dispatcher(*(kind(name, calls) for name, kind in kinds.items()))
    await dispatcher.observe(Event("plugin.installed", "w"))
    assert calls == ["c", "f", "b", "e", "d", "a"]
    assert [provider.name for provider in dispatcher.providers] == list(kinds)


async def test_one_that_fails_among_several_changes_nothing_for_the_others():
    calls: list[str] = []
    dispatcher = _dispatcher(Recorder("a", calls), Broken("b", calls), Recorder("c", calls))
    await dispatcher.observe(Event("plugin.installed", "w"))
    assert calls == ["a", "b", "c"]


async def test_the_lookup_with_tryfirst_answers():
    class Sure(Lookup):
        @hookimpl(tryfirst=True)
        async def lookup_workspace(self, workspace_id):
            return Workspace(workspace_id, org="sure")

    dispatcher = Dispatcher(
        [inspect_provider(Lookup({"w": Workspace("w", org="acme")}), "a"), inspect_provider(Sure({}), "b")]
    )
    assert (await dispatcher.lookup_workspace("w"))[0].org == "sure"


async def test_a_policy_with_trylast_is_asked_after_one_that_refuses():
    calls: list[str] = []

    class Refuses:
        @hookimpl
        async def check_policy(self, request):
            return Refusal("no")

    class Never:
        @hookimpl(trylast=True)
        def check_policy(self, request):
            calls.append("asked")

    dispatcher = Dispatcher([inspect_provider(Never(), "a"), inspect_provider(Refuses(), "b")])
    with pytest.raises(errors.PluginNotAllowed):
        await dispatcher.check_policy(PolicyRequest(Action.INSTALL, W, Source("local", "p"), "admin"))
    assert calls == []


async def test_monitoring_sees_every_call_of_routed_hooks_and_of_hooks_that_all_are_asked():
    dispatcher = _dispatcher(MemoryBackend(), First("async", []), Recorder("plain", []), Broken("broken", []))
    before, after = [], []
    undo = dispatcher.manager.add_hookcall_monitoring(
        lambda hook, hookimpls, arguments: before.append((hook, [impl.plugin_name for impl in hookimpls])),
        lambda outcome, hook, hookimpls, arguments: after.append((hook, outcome.exception, sorted(arguments))),
    )
    await dispatcher.is_running(W)
    await dispatcher.uninstall(W, Removal("p"), 5)
    await dispatcher.observe(Event("plugin.uninstalled", "w"))
    assert before == [
        ("is_running", ["one"]),
        ("uninstall", ["one"]),
        ("observe", ["async"]),
        ("observe", ["plain"]),
        ("observe", ["broken"]),
    ]
    assert [(hook, type(error), arguments) for hook, error, arguments in after] == [
        ("is_running", type(None), ["workspace"]),
        ("uninstall", type(None), ["removal", "workspace"]),
        ("observe", type(None), ["event"]),
        ("observe", type(None), ["event"]),
        ("observe", SystemExit, ["event"]),
    ]
    undo()
    await dispatcher.is_running(W)
    assert len(before) == 5


async def test_the_seconds_of_a_coroutine_are_measured_where_it_is_awaited():
    class Slow(MemoryBackend):
        @hookimpl
        async def is_running(self, workspace):
            await asyncio.sleep(0.05)
            return RunState.RUNNING

    backend = Slow()
    outcome = await call(_manager(backend).only(backend, "is_running"), {"workspace": W}, 5)
    assert (outcome.value, 0.05 <= outcome.seconds < 5) == (RunState.RUNNING, True)


def _manager(*plugins):
    return ProviderManager(inspect_provider(plugin, f"p{index}") for index, plugin in enumerate(plugins))


async def test_a_routed_hook_calls_one_implementation_and_awaits_it_though_others_have_the_hook():
    class Stopped(MemoryBackend):
        @hookimpl(tryfirst=True)
        async def is_running(self, workspace):
            return RunState.STOPPED

    dispatcher = Dispatcher([inspect_provider(MemoryBackend(), "a"), inspect_provider(Stopped("other"), "b")])
    assert await dispatcher.is_running(W) is RunState.RUNNING
    assert await dispatcher.is_running(Workspace("w", backend="other")) is RunState.STOPPED


def test_the_routed_hooks_have_one_answer():
    hooks = vars(ProviderManager().hook)
    assert {name for name, caller in hooks.items() if caller.spec.opts["firstresult"]} == {
        "resolve_source",
        "source_revision",
        *("check_workspace", "preflight", "inspect_target"),
        *("is_running", "deliver", "uninstall", "list_installed", "restart", "lay_out", "ask"),
    }


async def test_a_plain_def_may_hand_on_a_coroutine():
    class Hands(MemoryBackend):
        @hookimpl
        def is_running(self, workspace):
            async def answer():
                await asyncio.sleep(0)
                return RunState.STOPPED

            return answer()

    assert await _dispatcher(Hands()).is_running(W) is RunState.STOPPED


async def test_a_provider_that_fails_to_start_is_called_no_more_but_for_its_shutdown():
    calls: list[str] = []

    class Unstarted(Recorder):
        @hookimpl
        def startup(self, context):
            raise ValueError("no license")

        @hookimpl
        async def shutdown(self):
            self.calls.append("shutdown")

    dispatcher = _dispatcher(Unstarted("a", calls))
    await dispatcher.startup({"a": None})
    await dispatcher.observe(Event("plugin.installed", "w"))
    await dispatcher.shutdown()
    (provider,) = dispatcher.providers
    assert (provider.status, provider.reason) == (ProviderStatus.FAILED, "startup raised ValueError: no license")
    assert calls == ["shutdown"]
