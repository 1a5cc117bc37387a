"""Backends that answer wrongly, or block when they are asked, each of them one."""

from __future__ import annotations

import shutil
import time

from good import GoodBackend, digest_of
from verdicts import BLOCK_SECONDS, must_fail

from plugport.hookspecs import InstalledPlugin, RunState, errors, hookimpl


@must_fail("test_an_unreachable_workspace_is_unknown_and_never_stopped")
class AnswersStoppedWhenItDoesNotKnow(GoodBackend):
    @hookimpl
    def is_running(self, workspace):
        return RunState.STOPPED if self.away else super().is_running(workspace)


@must_fail("test_an_unreachable_workspace_is_unknown_and_never_stopped")
class AnswersRunningWhenItDoesNotKnow(GoodBackend):
    @hookimpl
    def is_running(self, workspace):
        return RunState.RUNNING if self.away else super().is_running(workspace)


@must_fail("test_a_stopped_workspace_is_stopped_and_takes_nothing")
class AnswersUnknownWhenItIsStopped(GoodBackend):
    @hookimpl
    def is_running(self, workspace):
        state = super().is_running(workspace)
        return RunState.unknown("perhaps") if state == RunState.STOPPED else state


@must_fail("test_a_stopped_workspace_is_stopped_and_takes_nothing")
class StartsWhatIsStopped(GoodBackend):
    def require(self, workspace):
        if self.ready:
            self.root(workspace).mkdir(exist_ok=True)
        super().require(workspace)


@must_fail("test_is_running_does_not_block_the_loop")
class BlocksTheLoop(GoodBackend):
    asked = False

    @hookimpl
    async def is_running(self, workspace):
        if not self.asked:
            time.sleep(BLOCK_SECONDS)
        self.asked = True
        return RunState.RUNNING if self.root(workspace).is_dir() else RunState.STOPPED

    def require(self, workspace):
        if not self.root(workspace).is_dir():
            raise errors.WorkspaceNotRunning("no directory")


@must_fail("test_a_list_sees_what_was_changed_by_hand")
class RemembersInsteadOfLooking(GoodBackend):
    def __init__(self):
        super().__init__()
        self.known = {}

    def describe(self, folder):
        return InstalledPlugin(folder.name, self.known[folder.name], super().describe(folder).manifest)

    def install(self, root, bundle, stop):
        self.known[bundle.name] = bundle.digest
        return super().install(root, bundle, stop)


@must_fail("test_a_list_has_every_plugin_that_lies_there")
class ListsNoManifests(GoodBackend):
    def describe(self, folder):
        return InstalledPlugin(folder.name, digest_of(folder), None)


@must_fail("test_a_restart_keeps_the_plugins")
class LosesThePluginsAtARestart(GoodBackend):
    @hookimpl
    def restart(self, workspace):
        shutil.rmtree(self.root(workspace) / "plugins")


@must_fail("test_preflight_allows_what_can_be_served")
class RefusesToList(GoodBackend):
    @hookimpl
    def preflight(self, workspace, action):
        if action == "list":
            raise errors.UnsupportedTarget("no")


@must_fail("test_preflight_and_deliver_agree_on_what_is_supported")
class DeliversThoughItSaidThatItDoesNot(GoodBackend):
    @hookimpl
    def preflight(self, workspace, action):
        if action == "install":
            raise errors.PushNotSupported
