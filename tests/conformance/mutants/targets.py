"""Backends that lose or hide something of a person's, each of them one thing."""

from __future__ import annotations

from dataclasses import replace

from good_target import KeepingBackend
from verdicts import must_fail

from plugport.hookspecs import PathKind, PathState, Receipt


@must_fail("test_what_lies_on_the_target_is_told")
class TellsNoContent(KeepingBackend):
    def state(self, root, path, query):
        return replace(super().state(root, path, query), content=None)


@must_fail("test_nothing_is_seen_through_a_link")
class LooksThroughLinks(KeepingBackend):
    def state(self, root, path, query):
        target = root / path
        if target.is_file():
            return PathState(PathKind.FILE, content=target.read_bytes())
        return super().state(root, path, query)


@must_fail("test_nothing_is_deleted_through_a_link")
class DeletesThroughLinks(KeepingBackend):
    def kind(self, root, path):
        kind = super().kind(root, path)
        return PathKind.FILE if kind is PathKind.LINK and path.endswith("SKILL.md") else kind

    def state(self, root, path, query):
        kind = super().kind(root, path)
        return PathState(kind) if kind is PathKind.LINK else super().state(root, path, query)


@must_fail("test_a_text_is_edited_on_bytes")
class EditsOnText(KeepingBackend):
    def edited(self, edit, content, root):
        return super().edited(edit, content.decode("utf-8", "replace").encode(), root)


@must_fail("test_what_an_edit_needs_stays_and_is_named")
class DeletesWhatIsNeeded(KeepingBackend):
    def edited(self, edit, content, root):
        return replace(super().edited(edit, content, root), needed=())


@must_fail("test_a_linked_text_is_named")
class HidesALinkedText(KeepingBackend):
    def name_link(self, path):
        return []


@must_fail("test_an_edited_file_survives_a_reinstall")
class ForgetsWhatWasAdded(KeepingBackend):
    def set_aside(self, root, aside, name):
        if (aside / "notes.md").is_file():
            (aside / "notes.md").unlink()
        return super().set_aside(root, aside, name)


@must_fail("test_an_edited_file_survives_an_uninstall")
class SetsNothingAsideAtAnUninstall(KeepingBackend):
    def set_aside(self, root, aside, name):
        kept = super().set_aside(root, aside, name)
        return kept if (root / "plugins" / name).exists() else ((), (), ())


@must_fail("test_what_was_set_aside_can_be_restored")
class RestoresNothing(KeepingBackend):
    def restore(self, root, removal):
        return Receipt(None)


@must_fail("test_what_is_kept_is_bounded_and_what_goes_is_named")
class DropsSilently(KeepingBackend):
    def bound(self, root, newest):
        super().bound(root, newest)
        return ()


@must_fail("test_a_mark_says_what_was_delivered")
class LeavesTheOldVersionInTheMark(KeepingBackend):
    def write_mark(self, root, name, lines):
        super().write_mark(root, name, [*lines, *self.mark(root, name)])


@must_fail("test_what_an_earlier_version_left_goes_too")
class KnowsOnlyTheNewestVersion(KeepingBackend):
    def remove(self, root, removal):
        newest = {path: digests[:1] for path, digests in removal.files.items()}
        return super().remove(root, replace(removal, files=newest))


@must_fail("test_no_file_name_is_a_separator")
class TakesANameForASeparator(KeepingBackend):
    def files_of(self, folder):
        lines = "\n".join(f"{sha256}  {path}" for path, sha256 in super().files_of(folder).items())
        return {line[66:]: line[:64] for line in lines.splitlines()}
