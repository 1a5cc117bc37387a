"""Observers that break a promise of an observer, each of them one."""

from __future__ import annotations

import time

from good import GoodObserver
from verdicts import BLOCK_SECONDS, must_fail

from plugport.hookspecs import hookimpl


@must_fail("test_every_kind_of_event_is_taken")
class KnowsOnlyTodaysEvents(GoodObserver):
    def tell(self, event):
        {"plugin.installed": 1, "plugin.uninstalled": 2, "plugin.downloaded": 3, "operation.failed": 4}[event.kind]
        super().tell(event)


@must_fail("test_every_kind_of_event_is_taken")
class WantsAPlugin(GoodObserver):
    def tell(self, event):
        event.plugin.upper()
        super().tell(event)


@must_fail("test_an_event_arrives_once")
class TellsTwice(GoodObserver):
    def tell(self, event):
        super().tell(event)
        super().tell(event)


@must_fail("test_an_event_that_is_lost_does_not_stop_the_next")
class GivesUpAfterAFailure(GoodObserver):
    gone = False

    def tell(self, event):
        self.gone = self.gone or self.away
        if not self.gone:
            super().tell(event)


@must_fail("test_observing_does_not_block_the_loop")
class TellsOnTheLoop(GoodObserver):
    @hookimpl
    async def observe(self, event):
        if not getattr(self, "asked", False):
            time.sleep(BLOCK_SECONDS)
        self.asked = True
        self.tell(event)


@must_fail("test_it_can_be_shut_down_and_started_again")
class HearsNothingAfterARestart(GoodObserver):
    @hookimpl
    def shutdown(self):
        self.closed = True

    def tell(self, event):
        if getattr(self, "closed", False):
            raise RuntimeError("closed")
        super().tell(event)
