"""The promises of the hooks that only ask or restart: `is_running`, `list_installed`, `preflight`, `restart`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ... import errors
from ...values import Action, RunStateKind
from ...values.bundle import Bundle
from ..description import BackendUnderTest
from ..faults import bundle_of
from ..runner import Harness, declared, outcome, promise
from .assertions import (
    NAME,
    NEW,
    OTHER,
    deliver,
    installed_by_name,
    plugin_contents,
    push_promise,
    supports_push,
    version_of,
)
from .fixtures import BackendPromises


class QueryPromises(BackendPromises):
    """An answer is true, or unknown."""

    @promise()
    async def test_a_workspace_that_runs_is_running(self, harness: Harness, under_test: BackendUnderTest) -> None:
        """RUNNING, also for many calls at once."""
        calls = [harness.call("is_running", workspace=under_test.workspace) for _ in range(20)]
        assert {state.kind for state in await asyncio.gather(*calls)} == {RunStateKind.RUNNING}

    @push_promise()
    async def test_a_stopped_workspace_is_stopped_and_takes_nothing(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """STOPPED, and `WorkspaceNotRunning` from a delivery."""
        stopped = declared(under_test.stopped, "a stopped workspace")
        assert (await harness.call("is_running", workspace=stopped)).kind is RunStateKind.STOPPED
        _, error = await outcome(harness.call("deliver", workspace=stopped, bundle=new, known=()))
        assert type(error) is errors.WorkspaceNotRunning, f"a delivery to a stopped workspace: {error!r}"

    @promise()
    async def test_an_unreachable_workspace_is_unknown_and_never_stopped(
        self, harness: Harness, under_test: BackendUnderTest
    ) -> None:
        """UNKNOWN, with a reason for the log; RUNNING again as soon as the provider can find out."""
        unreachable = declared(under_test.unreachable, "an unreachable target")
        with unreachable():
            state, _ = await outcome(harness.call("is_running", workspace=under_test.workspace))
            assert state is None or state.kind is RunStateKind.UNKNOWN, f"nobody could say, and it said {state}"
            assert state is None or state.reason
        state = await harness.call("is_running", workspace=under_test.workspace)
        assert state.kind is RunStateKind.RUNNING

    @promise()
    async def test_is_running_does_not_block_the_loop(self, harness: Harness, under_test: BackendUnderTest) -> None:
        """`is_running` is called often, and beside everything else."""
        for _ in range(3):
            await harness.call("is_running", workspace=under_test.workspace)
        harness.assert_loop_stayed_free()

    @push_promise("list_installed")
    async def test_a_list_has_every_plugin_that_lies_there(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle, tmp_path: Path
    ) -> None:
        """Name, digest and manifest of every plugin; an empty list if there is none."""
        other = bundle_of(tmp_path, OTHER, {"mine": b"1"})
        assert await installed_by_name(harness, under_test) == {}
        for bundle in (new, other):
            await deliver(harness, under_test, bundle)
        plugins = await installed_by_name(harness, under_test)
        assert {name: plugin.digest for name, plugin in plugins.items()} == {
            NAME: new.digest,
            OTHER: other.digest,
        }
        assert version_of(plugins[NAME].manifest) == "2"
        assert not plugins[OTHER].manifest

    @push_promise("list_installed")
    async def test_a_list_sees_what_was_changed_by_hand(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """The digest is computed from the files that lie there, not remembered."""
        await deliver(harness, under_test, new)
        under_test.place.write(f"plugins/{NAME}/both", b"changed by hand")
        assert (await installed_by_name(harness, under_test))[NAME].digest != new.digest
        under_test.place.delete(f"plugins/{NAME}")
        assert NAME not in await installed_by_name(harness, under_test)

    @push_promise("restart")
    async def test_a_restart_keeps_the_plugins(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """Or is refused with `UnsupportedTarget`."""
        await deliver(harness, under_test, new)
        _, error = await outcome(harness.call("restart", workspace=under_test.workspace))
        assert error is None or type(error) is errors.UnsupportedTarget, f"the restart failed: {error!r}"
        assert plugin_contents(under_test.place) == NEW

    @promise("preflight")
    async def test_preflight_allows_what_can_be_served(self, harness: Harness, under_test: BackendUnderTest) -> None:
        """`preflight` returns None, except `PushNotSupported` from a backend that does not push."""
        for action in Action:
            _, error = await outcome(harness.call("preflight", workspace=under_test.workspace, action=action))
            if error is not None:
                assert type(error) is errors.PushNotSupported, f"preflight refused {action}: {error!r}"

    @promise()
    async def test_preflight_and_deliver_agree_on_what_is_supported(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """`PushNotSupported` from `preflight` and from `deliver`, or from neither."""
        pushes = await supports_push(harness, under_test)
        _, error = await outcome(deliver(harness, under_test, new))
        assert pushes != (type(error) is errors.PushNotSupported), f"preflight and deliver disagree: {error!r}"

    @push_promise()
    async def test_it_can_be_shut_down_and_started_again(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """A service may be restarted in the same process."""
        await harness.stop()
        await harness.start()
        await deliver(harness, under_test, new)
        assert plugin_contents(under_test.place) == NEW
