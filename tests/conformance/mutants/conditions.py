"""Backends that take a moment of their target, or its noise, for what it is not, each of them one."""

from __future__ import annotations

from good import GoodBackend
from verdicts import must_fail

from plugport.hookspecs import InstalledPlugin, Receipt, errors, hookimpl
from plugport.hookspecs.conformance import FEW_TOOLS, NO_COMMANDS, NOISY


@must_fail("test_noise_on_the_target_breaks_no_answer_and_forges_none")
class TakesNoiseForAPlugin(GoodBackend):
    @hookimpl
    def list_installed(self, workspace):
        plugins = super().list_installed(workspace)
        return [InstalledPlugin("Welcome", None), *plugins] if self.condition == NOISY else plugins


@must_fail("test_noise_on_the_target_breaks_no_answer_and_forges_none")
class FailsWhereItIsNoisy(GoodBackend):
    def require_commands(self, plugins):
        super().require_commands(plugins)
        if self.condition == NOISY:
            raise errors.DeliveryFailed("this is no answer: Welcome")


@must_fail("test_noise_on_the_target_breaks_no_answer_and_forges_none")
class TakesNoiseForADigest(GoodBackend):
    def install(self, root, bundle, stop):
        receipt = super().install(root, bundle, stop)
        return Receipt("sha256:" + "0" * 64) if self.condition == NOISY else receipt


@must_fail("test_a_target_that_does_not_answer_has_no_empty_list")
class TakesNoAnswerForAnEmptyList(GoodBackend):
    def list_without_commands(self):
        return []


@must_fail("test_a_target_that_does_not_answer_has_no_empty_list")
class DeliversWithoutAnAnswer(GoodBackend):
    def install(self, root, bundle, stop):
        return Receipt(bundle.digest) if self.condition == NO_COMMANDS else super().install(root, bundle, stop)


@must_fail("test_a_moment_of_the_target_is_not_remembered")
class RemembersAMoment(GoodBackend):
    failed = False

    def require_commands(self, plugins):
        self.failed = self.failed or self.condition == NO_COMMANDS
        if self.failed:
            raise errors.UnsupportedTarget("the image has no shell")
        super().require_commands(plugins)


@must_fail("test_a_target_without_a_tool_is_an_error_or_served_without_it")
class LeavesSomethingWhereAToolIsMissing(GoodBackend):
    def require_commands(self, plugins):
        if self.condition == FEW_TOOLS:
            (plugins / ".stg-left").mkdir(exist_ok=True)
        super().require_commands(plugins)


@must_fail("test_a_target_without_a_tool_is_an_error_or_served_without_it")
class SaysThatItDeliveredWithoutATool(GoodBackend):
    def install(self, root, bundle, stop):
        return Receipt(bundle.digest) if self.condition == FEW_TOOLS else super().install(root, bundle, stop)
