"""Layouts that break a promise of a layout, each of them one."""

from __future__ import annotations

import itertools
import json
import time

from good import GoodLayout
from verdicts import must_fail

from plugport.hookspecs import Activation, Link, Seen, SeenState, hookimpl


@must_fail("test_the_same_plugin_is_laid_out_in_the_same_way")
class Counts(GoodLayout):
    numbers = itertools.count()

    def value(self, contents):
        return next(self.numbers)


@must_fail("test_places_stay_in_the_config_dir_and_the_home")
class LeavesTheConfigDir(GoodLayout):
    def place(self, target):
        return f"../{target.name}"


@must_fail("test_places_stay_in_the_config_dir_and_the_home")
class WritesIntoPlugportsOwnFolder(GoodLayout):
    def place(self, target):
        return "plugins/.plugport/store"


@must_fail("test_places_stay_in_the_config_dir_and_the_home")
class LinksElsewhere(GoodLayout):
    def activation(self, contents, target):
        return Activation(
            links=(Link("skills/demo", "~/.ssh"),), question=super().activation(contents, target).question
        )


@must_fail("test_files_are_added_and_none_is_replaced")
class ReplacesAFile(GoodLayout):
    def tree_files(self, contents, target):
        return {"rules/style.md": b"better"}


@must_fail("test_odd_contents_are_laid_out")
class WantsAText(GoodLayout):
    def activation(self, contents, target):
        for component in contents.components:
            str.upper(component.data.get("matcher") or "")
        return super().activation(contents, target)


@must_fail("test_what_it_enters_is_data")
class EntersAnObject(GoodLayout):
    def value(self, contents):
        return {1, 2}


@must_fail("test_what_it_cannot_do_is_named")
class NamesWhatIsNotThere(GoodLayout):
    def label(self, command):
        return "a command"


@must_fail("test_every_answer_of_the_agent_is_read")
class WantsJson(GoodLayout):
    def read(self, answer):
        return Seen(SeenState.YES) if json.loads(answer.output) else Seen(SeenState.NO, "empty")


@must_fail("test_every_state_of_the_target_is_checked")
class WantsTheFile(GoodLayout):
    def check(self, state):
        return (state.paths["settings.json"].kind,)[:0]


@must_fail("test_a_name_that_the_runtime_refuses_is_refused")
class TakesEveryName(GoodLayout):
    @hookimpl
    def lay_out(self, contents, target):
        return self.activation(contents, target)


@must_fail("test_a_thousand_skills_take_no_second")
class ComparesEachWithEach(GoodLayout):
    def activation(self, contents, target):
        if len(contents.components) > 500:
            until = time.process_time() + 1.2
            while time.process_time() < until:
                sum(range(1000))
        return super().activation(contents, target)
