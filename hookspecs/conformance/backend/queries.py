"""What the questions promise: does it run, what lies there, may it be served."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ... import errors
from ...values import Action, RunStateKind
from ...values.bundle import Bundle
from ..description import BackendUnderTest
from ..faults import bundle_of
from ..runner import Harness
from ..suite import outcome, undeclared, with_provider
from .assertions import NAME, NEW, OTHER, call_deliver, contents, deliver, listed, pushes, pushing, version
from .fixtures import BackendPromises


class QuestionPromises(BackendPromises):
    """Answers are true, or unknown."""

    def test_a_workspace_that_runs_is_running(self, under_test: BackendUnderTest) -> None:
        """RUNNING, also for many who ask at once."""

        async def work(harness: Harness) -> None:
            asked = [harness.call("is_running", workspace=under_test.workspace) for _ in range(20)]
            assert {state.kind for state in await asyncio.gather(*asked)} == {RunStateKind.RUNNING}

        with_provider(under_test, work)

    def test_a_stopped_workspace_is_stopped_and_takes_nothing(
        self, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """STOPPED, and `WorkspaceNotRunning` for who delivers all the same."""
        stopped = under_test.stopped
        if stopped is None:
            undeclared("a stopped workspace")

        async def work(harness: Harness) -> None:
            assert (await harness.call("is_running", workspace=stopped)).kind is RunStateKind.STOPPED
            _, error = await outcome(harness.call("deliver", workspace=stopped, bundle=new))
            assert type(error) is errors.WorkspaceNotRunning, f"a delivery to a stopped workspace: {error!r}"

        pushing(under_test, work)

    def test_what_nobody_can_say_is_unknown_and_never_stopped(self, under_test: BackendUnderTest) -> None:
        """UNKNOWN, with a reason for the log; and the same again when it can be said."""
        unreachable = under_test.unreachable
        if unreachable is None:
            undeclared("an unreachable target")

        async def work(harness: Harness) -> None:
            with unreachable():
                state, _ = await outcome(harness.call("is_running", workspace=under_test.workspace))
                assert state is None or state.kind is RunStateKind.UNKNOWN, f"nobody could say, and it said {state}"
                assert state is None or state.reason
            state = await harness.call("is_running", workspace=under_test.workspace)
            assert state.kind is RunStateKind.RUNNING

        with_provider(under_test, work)

    def test_asking_does_not_hold_up_the_loop(self, under_test: BackendUnderTest) -> None:
        """`is_running` is asked often, and beside everything else."""

        async def work(harness: Harness) -> None:
            for _ in range(3):
                await harness.call("is_running", workspace=under_test.workspace)
            harness.did_not_block()

        with_provider(under_test, work)

    # List

    def test_a_list_tells_what_lies_there(self, under_test: BackendUnderTest, new: Bundle, tmp_path: Path) -> None:
        """Name, digest and manifest, of every plugin; none where there is none."""
        other = bundle_of(tmp_path, OTHER, {"mine": b"1"})

        async def work(harness: Harness) -> None:
            assert await listed(harness, under_test) == {}
            for bundle in (new, other):
                await deliver(harness, under_test, bundle)
            found = await listed(harness, under_test)
            assert {name: one.digest for name, one in found.items()} == {NAME: new.digest, OTHER: other.digest}
            assert version(found[NAME].manifest) == "2"
            assert not found[OTHER].manifest

        pushing(under_test, work, "list_installed")

    def test_a_list_sees_what_was_changed_by_hand(self, under_test: BackendUnderTest, new: Bundle) -> None:
        """The digest is computed from the files that lie there, not remembered."""

        async def work(harness: Harness) -> None:
            await deliver(harness, under_test, new)
            under_test.place.write(f"plugins/{NAME}/both", b"changed by hand")
            assert (await listed(harness, under_test))[NAME].digest != new.digest
            under_test.place.delete(f"plugins/{NAME}")
            assert NAME not in await listed(harness, under_test)

        pushing(under_test, work, "list_installed")

    # Restart and preflight

    def test_a_restart_keeps_the_plugins(self, under_test: BackendUnderTest, new: Bundle) -> None:
        """Or is refused with `UnsupportedTarget`."""

        async def work(harness: Harness) -> None:
            await deliver(harness, under_test, new)
            _, error = await outcome(harness.call("restart", workspace=under_test.workspace))
            assert error is None or type(error) is errors.UnsupportedTarget, f"the restart failed: {error!r}"
            assert contents(under_test.place) == NEW

        pushing(under_test, work, "restart")

    def test_a_preflight_lets_a_workspace_pass_that_can_be_served(self, under_test: BackendUnderTest) -> None:
        """None, for everything but the pushes of a backend that does not push."""

        async def work(harness: Harness) -> None:
            for action in Action:
                _, error = await outcome(harness.call("preflight", workspace=under_test.workspace, action=action))
                if error is not None:
                    assert type(error) is errors.PushNotSupported, f"preflight refused {action}: {error!r}"

        with_provider(under_test, work, "preflight")

    def test_a_delivery_is_supported_as_was_said_before_the_fetch(
        self, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """`PushNotSupported` from `preflight` and from `deliver`, or from neither."""

        async def work(harness: Harness) -> None:
            said = await pushes(harness, under_test)
            _, error = await outcome(call_deliver(harness, under_test, new))
            assert said != (type(error) is errors.PushNotSupported), f"preflight and deliver disagree: {error!r}"

        with_provider(under_test, work)

    def test_it_can_be_shut_down_and_started_again(self, under_test: BackendUnderTest, new: Bundle) -> None:
        """As a service that is restarted in the same process."""

        async def work(harness: Harness) -> None:
            await harness.stop()
            await harness.start()
            await deliver(harness, under_test, new)
            assert contents(under_test.place) == NEW

        pushing(under_test, work)
