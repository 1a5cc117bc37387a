"""Backends that break a promise of an uninstall, each of them one."""

from __future__ import annotations

import os
import shutil

from good import GoodBackend
from verdicts import must_fail

from plugport.hookspecs import Removal, errors


@must_fail("test_an_uninstall_restores_every_byte")
class LeavesThePlugin(GoodBackend):
    def remove(self, root, removal):
        kept = root / "plugins" / removal.name / "kept"
        left = super().remove(root, removal)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text("kept")
        return left


@must_fail("test_what_somebody_edited_stays_and_is_named")
class DeletesWhatWasEdited(GoodBackend):
    def remove(self, root, removal):
        for path in removal.files:
            (root / path).unlink(missing_ok=True)
        return super().remove(root, removal)


@must_fail("test_what_somebody_edited_stays_and_is_named")
class DoesNotNameWhatStays(GoodBackend):
    def remove(self, root, removal):
        super().remove(root, removal)
        return []


@must_fail("test_a_folder_that_holds_something_else_stays")
class DeletesFoldersWithTheirContent(GoodBackend):
    def remove(self, root, removal):
        left = super().remove(root, removal)
        for path in removal.directories:
            if "SKILL.md" not in os.listdir(root / path) if (root / path).is_dir() else False:
                shutil.rmtree(root / path)
        return left


@must_fail("test_another_plugin_survives_an_uninstall")
class DeletesEveryPlugin(GoodBackend):
    def remove(self, root, removal):
        left = super().remove(root, removal)
        for path in (root / "plugins").glob("*"):
            shutil.rmtree(path)
        return left


@must_fail("test_an_uninstall_may_be_repeated")
class FailsWhereNothingIsLeft(GoodBackend):
    def remove(self, root, removal):
        if not (root / "plugins" / removal.name).exists():
            raise errors.PluginNotFound("gone")
        return super().remove(root, removal)


@must_fail("test_a_memory_file_that_becomes_empty_is_deleted")
class LeavesAnEmptyText(GoodBackend):
    def clean(self, target, path, cleaning):
        was = target.is_file()
        left = super().clean(target, path, cleaning)
        if was and not target.is_file():
            target.write_text("")
        return left


@must_fail("test_the_settings_are_cleaned_with_the_folders_own_path")
class TellsARelativePath(GoodBackend):
    def remove(self, root, removal):
        cleaning = removal.clean_settings
        return super().remove(
            root,
            Removal(
                removal.name,
                files=removal.files,
                directories=removal.directories,
                clean_memory=removal.clean_memory,
                clean_settings=lambda text, claude_dir: cleaning(text, ".claude"),
            ),
        )
