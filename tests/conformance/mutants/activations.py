"""Backends that get an activation wrong, each of them in one thing."""

from __future__ import annotations

from dataclasses import replace

from good_activation import ActivatingBackend
from verdicts import must_fail


@must_fail("test_an_activation_is_made_and_may_be_repeated")
class MakesNoProgram(ActivatingBackend):
    def write(self, path, write):
        super().write(path, replace(write, executable=False))


@must_fail("test_what_stands_in_the_way_is_refused_and_nothing_is_changed")
class MakesTheRestAllTheSame(ActivatingBackend):
    def activate(self, root, name, changes, receipt):
        refused = self.refused(root, changes)
        if refused and changes.copies:
            writes = [write for write in changes.writes if write.path not in refused]
            if all("skills" not in path for path in refused):
                changes = replace(changes, writes=tuple(writes))
                return replace(super().activate(root, name, changes, receipt), refused=tuple(refused))
        return super().activate(root, name, changes, receipt)


@must_fail("test_no_activation_goes_through_a_link")
class ActivatesThroughLinks(ActivatingBackend):
    def refused(self, root, changes):
        return [path for path in super().refused(root, changes) if not path.startswith("skills/")]


@must_fail("test_an_activation_is_undone")
class LeavesEmptyFolders(ActivatingBackend):
    def remove_folders(self, root, changes):
        pass


@must_fail("test_what_was_edited_in_a_copy_is_set_aside")
class DeletesWhatWasEditedInACopy(ActivatingBackend):
    def copy(self, root, name, copy):
        for notes in (root / copy.path).glob("notes.md"):
            notes.unlink()
        return super().copy(root, name, copy)


@must_fail("test_the_agents_command_is_run_and_its_answer_bounded")
class AnswersWithoutBounds(ActivatingBackend):
    def bounded(self, output, limit):
        return output
