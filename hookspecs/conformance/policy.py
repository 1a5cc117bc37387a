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
from .runner import Harness, assert_error_is_safe, declared, outcome, promise


class PolicyConformance:
    """Each test is one promise. A test that needs `unreachable` is skipped if the author left it out."""

    @pytest.fixture
    def under_test(self) -> Iterator[PolicyUnderTest]:
        """Describe the policy: override this."""
        raise NotImplementedError("override the fixture `under_test` and yield a PolicyUnderTest")

    @pytest.fixture
    def bundle(self, tmp_path: Path) -> Bundle:
        """The bundle that a policy sees when it is asked again after the fetch."""
        return bundle_of(tmp_path, "kit-p", {"plugin.yaml": b"name: kit-p\n"})

    @promise()
    async def test_what_is_allowed_passes_before_and_after_the_fetch(
        self, harness: Harness, under_test: PolicyUnderTest, bundle: Bundle
    ) -> None:
        """Only None allows."""
        for request in (under_test.allowed, replace(under_test.allowed, bundle=bundle)):
            assert await _ask(harness, request) is None

    @promise()
    async def test_what_is_not_allowed_is_refused(self, harness: Harness, under_test: PolicyUnderTest) -> None:
        """A `Refusal` with a reason for the log, or `PluginNotAllowed`."""
        answer, error = await outcome(_ask(harness, under_test.refused))
        if error is None:
            assert isinstance(answer, Refusal), f"a policy answers with None or a Refusal: {answer!r}"
            assert answer.reason.strip(), "a refusal says why, for the log"
        else:
            assert type(error) is errors.PluginNotAllowed, f"it could not decide: {error!r}"

    @promise()
    async def test_a_policy_that_cannot_decide_lets_nothing_pass(
        self, harness: Harness, under_test: PolicyUnderTest
    ) -> None:
        """It raises, or refuses. It decides again as soon as it can."""
        unreachable = declared(under_test.unreachable, "an unreachable policy")
        with unreachable():
            answer, error = await outcome(_ask(harness, under_test.allowed))
            assert error is not None or isinstance(answer, Refusal), "it allowed what it could not judge"
            assert_error_is_safe(error, "check_policy")
        assert await _ask(harness, under_test.allowed) is None

    @promise()
    async def test_many_requests_at_once_get_their_own_answers(
        self, harness: Harness, under_test: PolicyUnderTest
    ) -> None:
        """Many installs ask at the same time."""
        requests = (under_test.allowed, under_test.refused) * 10
        answers = await asyncio.gather(*(outcome(_ask(harness, request)) for request in requests))
        allowed = [answer is None and error is None for answer, error in answers]
        assert allowed == [True, False] * 10, "answers were mixed up"

    @promise()
    async def test_a_decision_does_not_block_the_loop(self, harness: Harness, under_test: PolicyUnderTest) -> None:
        """An `async def` waits without blocking."""
        await _ask(harness, under_test.allowed)
        harness.assert_loop_stayed_free()

    @promise()
    async def test_it_can_be_shut_down_and_started_again(self, harness: Harness, under_test: PolicyUnderTest) -> None:
        """A service may be restarted in the same process."""
        await harness.stop()
        await harness.start()
        assert await _ask(harness, under_test.allowed) is None


async def _ask(harness: Harness, request: PolicyRequest) -> object:
    return await harness.call("check_policy", request=request)
