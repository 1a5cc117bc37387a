"""The promises of a policy, as tests: subclass `PolicyConformance` and give it one fixture, `under_test`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from .. import errors
from ..values import PolicyRequest, Refusal
from ..values.bundle import Bundle
from .description import PolicyUnderTest
from .faults import bundle_of
from .runner import Harness
from .suite import is_safe, outcome, undeclared, with_provider


class PolicyConformance:
    """Each test is one promise. Where the author does not say how it cannot be reached, that is undeclared."""

    @pytest.fixture
    def under_test(self) -> Iterator[PolicyUnderTest]:
        """Overridden by every provider's tests."""
        raise NotImplementedError("override the fixture `under_test` and yield a PolicyUnderTest")

    @pytest.fixture
    def bundle(self, tmp_path: Path) -> Bundle:
        """What was fetched, where the policy is asked for the second time."""
        return bundle_of(tmp_path, "kit-p", {"plugin.yaml": b"name: kit-p\n"})

    def test_what_is_allowed_passes_before_and_after_the_fetch(
        self, under_test: PolicyUnderTest, bundle: Bundle
    ) -> None:
        """None is the only yes."""

        async def work(harness: Harness) -> None:
            for request in (under_test.allowed, replace(under_test.allowed, bundle=bundle)):
                assert await _ask(harness, request) is None

        with_provider(under_test, work)

    def test_what_is_not_allowed_is_refused(self, under_test: PolicyUnderTest) -> None:
        """A `Refusal` with a reason for the log, or `PluginNotAllowed`."""

        async def work(harness: Harness) -> None:
            answer, error = await outcome(_ask(harness, under_test.refused))
            if error is None:
                assert isinstance(answer, Refusal), f"a policy answers with None or a Refusal: {answer!r}"
                assert answer.reason.strip(), "a refusal says why, for the log"
            else:
                assert type(error) is errors.PluginNotAllowed, f"it could not decide: {error!r}"

        with_provider(under_test, work)

    def test_who_cannot_decide_lets_nothing_pass(self, under_test: PolicyUnderTest) -> None:
        """It raises, or refuses; and it decides again as soon as it can."""
        unreachable = under_test.unreachable
        if unreachable is None:
            undeclared("an unreachable policy")

        async def work(harness: Harness) -> None:
            with unreachable():
                answer, error = await outcome(_ask(harness, under_test.allowed))
                assert error is not None or isinstance(answer, Refusal), "it let pass what it could not judge"
                if error is not None:
                    is_safe(error, "check_policy")
            assert await _ask(harness, under_test.allowed) is None

        with_provider(under_test, work)

    def test_many_questions_at_once_are_answered_each_for_itself(self, under_test: PolicyUnderTest) -> None:
        """As many installs ask at the same time."""

        async def work(harness: Harness) -> None:
            asked = [outcome(_ask(harness, one)) for one in (under_test.allowed, under_test.refused) * 10]
            answers = await asyncio.gather(*asked)
            allowed = [answer is None and error is None for answer, error in answers]
            assert allowed == [True, False] * 10, "answers were mixed up"

        with_provider(under_test, work)

    def test_a_question_does_not_hold_up_the_loop(self, under_test: PolicyUnderTest) -> None:
        """An `async def` waits without blocking everybody else."""

        async def work(harness: Harness) -> None:
            await _ask(harness, under_test.allowed)
            harness.did_not_block()

        with_provider(under_test, work)

    def test_it_can_be_shut_down_and_started_again(self, under_test: PolicyUnderTest) -> None:
        """As a service that is restarted in the same process."""

        async def work(harness: Harness) -> None:
            await harness.stop()
            await harness.start()
            assert await _ask(harness, under_test.allowed) is None

        with_provider(under_test, work)


async def _ask(harness: Harness, request: PolicyRequest) -> object:
    return await harness.call("check_policy", request=request)
