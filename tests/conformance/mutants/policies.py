"""Policies that break a promise of a policy, each of them one."""

from __future__ import annotations

import asyncio
import time

from good import GoodPolicy
from verdicts import BLOCK_SECONDS, must_fail

from plugport.hookspecs import Refusal, hookimpl


@must_fail("test_a_policy_that_cannot_decide_lets_nothing_pass")
class LetsPassWhatItCannotJudge(GoodPolicy):
    def judge(self, request):
        return None if self.away else super().judge(request)


@must_fail("test_a_policy_that_cannot_decide_lets_nothing_pass")
class GivesUpForGood(GoodPolicy):
    ready: bool

    def judge(self, request):
        self.ready = self.ready and not self.away
        return super().judge(request)


@must_fail("test_what_is_not_allowed_is_refused")
class AnswersFalseForNo(GoodPolicy):
    def judge(self, request):
        return False if super().judge(request) else None


@must_fail("test_what_is_not_allowed_is_refused")
class RefusesWithoutAReason(GoodPolicy):
    def judge(self, request):
        return Refusal("") if super().judge(request) else None


@must_fail("test_what_is_allowed_passes_before_and_after_the_fetch")
class AsksForTheBundleTooEarly(GoodPolicy):
    def judge(self, request):
        return super().judge(request) if request.bundle is None else Refusal("fetched")


@must_fail("test_many_requests_at_once_get_their_own_answers")
class MixesQuestionsUp(GoodPolicy):
    @hookimpl
    async def check_policy(self, request):
        self.now = request
        await asyncio.sleep(0.05)
        return self.judge(self.now)


@must_fail("test_a_decision_does_not_block_the_loop")
class AsksOnTheLoop(GoodPolicy):
    @hookimpl
    async def check_policy(self, request):
        if not getattr(self, "asked", False):
            time.sleep(BLOCK_SECONDS)
        self.asked = True
        return self.judge(request)
