"""The promises about targets that are odd for a time: noisy, without commands, without a tool."""

from __future__ import annotations

from collections.abc import Mapping

from ...values.bundle import Bundle
from ..description import FEW_TOOLS, NO_COMMANDS, NOISY, BackendUnderTest, Trouble
from ..runner import Harness, outcome, undeclared
from .assertions import (
    NAME,
    NEW,
    OLD,
    assert_one_version,
    deliver,
    installed_by_name,
    plugin_contents,
    plugin_folders,
    push_promise,
)
from .fixtures import BackendPromises


class ConditionPromises(BackendPromises):
    """What a target is like for a time breaks no answer, forges none, and is not remembered."""

    @push_promise("list_installed")
    async def test_noise_on_the_target_breaks_no_answer_and_forges_none(
        self, harness: Harness, under_test: BackendUnderTest, old: Bundle, new: Bundle
    ) -> None:
        """Lists and deliveries are as without it: what is printed is no plugin and no digest."""
        with _condition(under_test.conditions, NOISY)():
            assert await installed_by_name(harness, under_test) == {}
            for bundle in (old, new):
                assert (await deliver(harness, under_test, bundle)).digest == bundle.digest
            plugins = await installed_by_name(harness, under_test)
        assert {name: plugin.digest for name, plugin in plugins.items()} == {NAME: new.digest}
        assert plugin_contents(under_test.place) == NEW

    @push_promise("list_installed")
    async def test_a_target_that_does_not_answer_has_no_empty_list(
        self, harness: Harness, under_test: BackendUnderTest, old: Bundle, new: Bundle
    ) -> None:
        """Where no command can be started, a list and a delivery are errors, and the old version stays."""
        condition = _condition(under_test.conditions, NO_COMMANDS)
        await deliver(harness, under_test, old)
        with condition():
            plugins, error = await outcome(harness.call("list_installed", workspace=under_test.workspace))
            assert error is not None, f"no command could be started, and it listed {plugins}"
            receipt, _ = await outcome(deliver(harness, under_test, new))
            assert receipt is None, "it said that it had delivered, and no command could be started"
        assert plugin_contents(under_test.place) == OLD

    @push_promise("list_installed")
    async def test_a_moment_of_the_target_is_not_remembered(
        self, harness: Harness, under_test: BackendUnderTest, old: Bundle, new: Bundle
    ) -> None:
        """As soon as commands can be started again, everything is as if they always could."""
        condition = _condition(under_test.conditions, NO_COMMANDS)
        with condition():
            await outcome(deliver(harness, under_test, old))
        await deliver(harness, under_test, new)
        assert (await installed_by_name(harness, under_test))[NAME].digest == new.digest
        assert plugin_contents(under_test.place) == NEW

    @push_promise()
    async def test_a_target_without_a_tool_is_an_error_or_served_without_it(
        self, harness: Harness, under_test: BackendUnderTest, old: Bundle, new: Bundle
    ) -> None:
        """One version is whole, nothing is left beside it, and the next delivery succeeds."""
        condition = _condition(under_test.conditions, FEW_TOOLS)
        await deliver(harness, under_test, old)
        before = plugin_folders(under_test.place)
        with condition():
            receipt, _ = await outcome(deliver(harness, under_test, new))
        contents = assert_one_version(under_test.place, OLD, NEW)
        assert (receipt is None) == (contents == OLD), "what it said is not what lies there"
        assert plugin_folders(under_test.place) == before, "something of the delivery that failed is left"
        await deliver(harness, under_test, new)
        assert plugin_contents(under_test.place) == NEW


def _condition(conditions: Mapping[str, Trouble], name: str) -> Trouble:
    if name not in conditions:
        undeclared(f"condition {name}")
    return conditions[name]
