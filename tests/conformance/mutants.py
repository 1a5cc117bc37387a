"""Providers that break one promise each. `SINS` names, for each, the test of the kit that must fail."""

from __future__ import annotations

import asyncio
import os
import shutil
import tarfile
import tempfile
import time
from pathlib import Path

from good import GoodBackend, GoodObserver, GoodPolicy, GoodSource, digest_of

from plugport.hookspecs import InstalledPlugin, Receipt, Refusal, Removal, Resolved, RunState, errors, hookimpl
from plugport.hookspecs.conformance.runner import SECRET

SINS: dict[type, str] = {}


def sin(test: str):
    """The test that must fail."""

    def note(kind: type) -> type:
        SINS[kind] = test
        return kind

    return note


# Deliveries


@sin("test_a_stream_that_breaks_leaves_one_version_whole")
class SaysInstalledWithoutDelivering(GoodBackend):
    def install(self, root, bundle, stop):
        try:
            return super().install(root, bundle, stop)
        except errors.DeliveryFailed:
            return Receipt(bundle.digest)


@sin("test_what_is_delivered_arrives_byte_for_byte")
class DropsEmptyFiles(GoodBackend):
    def swap(self, staging, place, stop):
        for one in staging.rglob("*"):
            if one.is_file() and not one.stat().st_size:
                one.unlink()
        super().swap(staging, place, stop)


@sin("test_what_is_delivered_arrives_byte_for_byte")
class ChangesLineEndings(GoodBackend):
    def swap(self, staging, place, stop):
        for one in staging.rglob("crlf"):
            one.write_bytes(one.read_bytes().replace(b"\r\n", b"\n"))
        super().swap(staging, place, stop)


@sin("test_what_is_delivered_arrives_byte_for_byte")
class LosesHiddenFiles(GoodBackend):
    def swap(self, staging, place, stop):
        shutil.rmtree(staging / ".hidden", ignore_errors=True)
        super().swap(staging, place, stop)


@sin("test_the_receipt_has_the_digest_of_what_lies_there")
class MakesADigestUp(GoodBackend):
    def install(self, root, bundle, stop):
        super().install(root, bundle, stop)
        return Receipt("sha256:" + "0" * 64)


@sin("test_an_executable_file_stays_executable_and_no_other_becomes_it")
class LosesTheExecutableBit(GoodBackend):
    def swap(self, staging, place, stop):
        for one in staging.rglob("*"):
            if one.is_file():
                one.chmod(0o644)
        super().swap(staging, place, stop)


@sin("test_an_executable_file_stays_executable_and_no_other_becomes_it")
class MakesEverythingExecutable(GoodBackend):
    def swap(self, staging, place, stop):
        for one in staging.rglob("*"):
            one.chmod(0o755)
        super().swap(staging, place, stop)


@sin("test_an_update_replaces_and_does_not_merge")
class Merges(GoodBackend):
    def swap(self, staging, place, stop):
        if place.is_dir() and not place.is_symlink():
            for one in [one for one in place.rglob("*") if one.is_file()]:
                target = staging / one.relative_to(place)
                if not target.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(one, target)
        super().swap(staging, place, stop)


@sin("test_delivering_the_same_again_repairs_what_was_changed")
class BelievesThatTheSameIsThereAlready(GoodBackend):
    def __init__(self):
        super().__init__()
        self.delivered = {}

    def install(self, root, bundle, stop):
        place = root / "plugins" / bundle.name
        if self.delivered.get(place) == bundle.digest and place.is_dir():
            return Receipt(bundle.digest)
        receipt = super().install(root, bundle, stop)
        self.delivered[place] = bundle.digest
        return receipt


@sin("test_a_delivery_leaves_nothing_beside_the_plugin")
class LeavesItsStagingFolder(GoodBackend):
    def clean_up(self, staging):
        super().clean_up(staging)
        (staging.parent / ".staging").mkdir(exist_ok=True)


@sin("test_a_stream_that_breaks_leaves_one_version_whole")
class LeavesItsStagingFolderWhenItFails(GoodBackend):
    def clean_up(self, staging):
        return None


@sin("test_a_link_in_the_plugins_place_is_replaced_and_not_followed")
class FollowsLinks(GoodBackend):
    def swap(self, staging, place, stop):
        super().swap(staging, place.resolve(), stop)


@sin("test_another_plugin_is_left_alone")
class ClearsTheWholeFolder(GoodBackend):
    def swap(self, staging, place, stop):
        for one in place.parent.iterdir():
            if one != place and not one.name.startswith("."):
                shutil.rmtree(one)
        super().swap(staging, place, stop)


@sin("test_a_stream_that_hangs_leaves_the_old_version_whole_meanwhile")
class UnpacksInPlace(GoodBackend):
    def install(self, root, bundle, stop):
        self.name = bundle.name
        return super().install(root, bundle, stop)

    def member(self, archive, one, staging):
        old = staging.parent / self.name / one.name
        changed = one.isreg() and old.is_file()
        if changed:
            old.unlink()
        super().member(archive, one, staging)
        if changed:
            shutil.copy2(staging / one.name, old)


@sin("test_a_stream_that_hangs_leaves_the_old_version_whole_meanwhile")
class DeletesTheOldVersionFirst(GoodBackend):
    def unpack(self, bundle, staging, stop):
        shutil.rmtree(staging.parent / bundle.name, ignore_errors=True)
        super().unpack(bundle, staging, stop)


@sin("test_a_stream_that_breaks_leaves_one_version_whole")
class DoesNotCheckWhatArrived(GoodBackend):
    def install(self, root, bundle, stop):
        plugins = root / "plugins"
        plugins.mkdir(exist_ok=True)
        staging = self.staging(plugins)
        staging.mkdir()
        try:
            self.unpack(bundle, staging, stop)
            self.swap(staging, plugins / bundle.name, stop)
        except OSError as error:
            raise errors.DeliveryFailed(f"{error}") from error
        finally:
            self.clean_up(staging)
        return Receipt(bundle.digest)

    def unpack(self, bundle, staging, stop):
        try:
            super().unpack(bundle, staging, stop)
        except tarfile.ReadError:
            return


@sin("test_two_deliveries_at_once_end_with_one_version_whole")
class SwapsFileByFileWithoutALock(GoodBackend):
    inside = turn = 0

    def install(self, root, bundle, stop):
        self.inside += 1
        time.sleep(0.05)
        try:
            return super().install(root, bundle, stop)
        finally:
            self.inside -= 1

    def swap(self, staging, place, stop):
        if self.inside < 2:
            super().swap(staging, place, stop)
        else:
            self.turn += 1
            self.copy(staging, place, backwards=self.turn % 2 == 0)

    def copy(self, staging, place, backwards):
        place.mkdir(exist_ok=True)
        for one in sorted((one for one in staging.rglob("*") if one.is_file()), reverse=backwards):
            shutil.copy2(one, place / one.relative_to(staging))
            time.sleep(0.2)


class Subclass(errors.DeliveryFailed):
    @property
    def detail(self):
        return self.reason


@sin("test_an_error_says_nothing_of_what_broke_underneath")
class LeaksItsExceptionsText(GoodBackend):
    def install(self, root, bundle, stop):
        try:
            return super().install(root, bundle, stop)
        except errors.DeliveryFailed as error:
            raise Subclass(f"{error.__cause__}") from error


@sin("test_an_error_says_nothing_of_what_broke_underneath")
class RaisesAnErrorOfAnotherHook(GoodBackend):
    def install(self, root, bundle, stop):
        try:
            return super().install(root, bundle, stop)
        except errors.DeliveryFailed as error:
            raise errors.ManifestInvalid("stream", f"{error.__cause__}") from error


@sin("test_a_delivery_that_is_cancelled_ends_and_leaves_one_version_whole")
class IgnoresCancellation(GoodBackend):
    @hookimpl
    async def deliver(self, workspace, bundle):
        self.require(workspace)
        import threading

        work = asyncio.ensure_future(asyncio.to_thread(self.install, self.root(workspace), bundle, threading.Event()))
        while not work.done():
            try:
                await asyncio.wait({work})
            except asyncio.CancelledError:
                continue
        return work.result()


@sin("test_a_delivery_does_not_hold_up_the_loop")
class ReadsTheStreamOnTheLoop(GoodBackend):
    @hookimpl
    async def deliver(self, workspace, bundle):
        import threading

        self.require(workspace)
        return self.install(self.root(workspace), bundle, threading.Event())


@sin("test_it_can_be_shut_down_and_started_again")
class CannotBeStartedTwice(GoodBackend):
    count = 0

    @hookimpl
    def startup(self, context):
        self.count += 1
        self.ready = self.count == 1


# Questions


@sin("test_what_nobody_can_say_is_unknown_and_never_stopped")
class AnswersStoppedWhenItDoesNotKnow(GoodBackend):
    @hookimpl
    def is_running(self, workspace):
        return RunState.STOPPED if self.away else super().is_running(workspace)


@sin("test_what_nobody_can_say_is_unknown_and_never_stopped")
class AnswersRunningWhenItDoesNotKnow(GoodBackend):
    @hookimpl
    def is_running(self, workspace):
        return RunState.RUNNING if self.away else super().is_running(workspace)


@sin("test_a_stopped_workspace_is_stopped_and_takes_nothing")
class AnswersUnknownWhenItIsStopped(GoodBackend):
    @hookimpl
    def is_running(self, workspace):
        state = super().is_running(workspace)
        return RunState.unknown("perhaps") if state == RunState.STOPPED else state


@sin("test_a_stopped_workspace_is_stopped_and_takes_nothing")
class StartsWhatIsStopped(GoodBackend):
    def require(self, workspace):
        if self.ready:
            self.root(workspace).mkdir(exist_ok=True)
        super().require(workspace)


@sin("test_asking_does_not_hold_up_the_loop")
class BlocksTheLoop(GoodBackend):
    asked = False

    @hookimpl
    async def is_running(self, workspace):
        if not self.asked:
            time.sleep(1.3)  # plugport: allow[PP004] the sin that the kit must see
        self.asked = True
        return RunState.RUNNING if self.root(workspace).is_dir() else RunState.STOPPED

    def require(self, workspace):
        if not self.root(workspace).is_dir():
            raise errors.WorkspaceNotRunning("no directory")


@sin("test_a_list_sees_what_was_changed_by_hand")
class RemembersInsteadOfLooking(GoodBackend):
    def __init__(self):
        super().__init__()
        self.known = {}

    def describe(self, folder):
        return InstalledPlugin(folder.name, self.known[folder.name], super().describe(folder).manifest)

    def install(self, root, bundle, stop):
        self.known[bundle.name] = bundle.digest
        return super().install(root, bundle, stop)


@sin("test_a_list_tells_what_lies_there")
class ListsNoManifests(GoodBackend):
    def describe(self, folder):
        return InstalledPlugin(folder.name, digest_of(folder), None)


@sin("test_a_restart_keeps_the_plugins")
class LosesThePluginsAtARestart(GoodBackend):
    @hookimpl
    def restart(self, workspace):
        shutil.rmtree(self.root(workspace) / "plugins")


@sin("test_a_preflight_lets_a_workspace_pass_that_can_be_served")
class RefusesToList(GoodBackend):
    @hookimpl
    def preflight(self, workspace, action):
        if action == "list":
            raise errors.UnsupportedTarget("no")


@sin("test_a_delivery_is_supported_as_was_said_before_the_fetch")
class DeliversThoughItSaidThatItDoesNot(GoodBackend):
    @hookimpl
    def preflight(self, workspace, action):
        if action == "install":
            raise errors.PushNotSupported


# Uninstall


@sin("test_an_uninstall_restores_every_byte")
class LeavesThePlugin(GoodBackend):
    def remove(self, root, removal):
        kept = root / "plugins" / removal.name / "kept"
        left = super().remove(root, removal)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text("kept")
        return left


@sin("test_what_somebody_edited_stays_and_is_named")
class DeletesWhatWasEdited(GoodBackend):
    def remove(self, root, removal):
        for path in removal.files:
            (root / path).unlink(missing_ok=True)
        return super().remove(root, removal)


@sin("test_what_somebody_edited_stays_and_is_named")
class DoesNotNameWhatStays(GoodBackend):
    def remove(self, root, removal):
        super().remove(root, removal)
        return []


@sin("test_a_folder_that_holds_something_else_stays")
class DeletesFoldersWithTheirContent(GoodBackend):
    def remove(self, root, removal):
        left = super().remove(root, removal)
        for path in removal.directories:
            if "SKILL.md" not in os.listdir(root / path) if (root / path).is_dir() else False:
                shutil.rmtree(root / path)
        return left


@sin("test_another_plugin_survives_an_uninstall")
class DeletesEveryPlugin(GoodBackend):
    def remove(self, root, removal):
        left = super().remove(root, removal)
        for one in (root / "plugins").glob("*"):
            shutil.rmtree(one)
        return left


@sin("test_an_uninstall_may_be_repeated")
class FailsWhereNothingIsLeft(GoodBackend):
    def remove(self, root, removal):
        if not (root / "plugins" / removal.name).exists():
            raise errors.PluginNotFound("gone")
        return super().remove(root, removal)


@sin("test_a_text_of_which_nothing_is_left_is_deleted")
class LeavesAnEmptyText(GoodBackend):
    def clean(self, target, path, cleaning):
        was = target.is_file()
        left = super().clean(target, path, cleaning)
        if was and not target.is_file():
            target.write_text("")
        return left


@sin("test_the_settings_are_cleaned_with_the_folders_own_path")
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


# Sources


@sin("test_what_is_fetched_is_the_plugin_byte_for_byte")
class BringsItsOwnMetadata(GoodSource):
    def copy(self, folder, destination):
        super().copy(folder, destination)
        (destination / ".fetched").write_text("now")


@sin("test_an_executable_file_stays_executable")
class LosesModes(GoodSource):
    def copy(self, folder, destination):
        super().copy(folder, destination)
        for one in destination.rglob("*"):
            one.chmod(0o755 if one.is_dir() else 0o644)


@sin("test_the_name_is_the_one_that_it_vouches_for")
class VouchesForAnotherName(GoodSource):
    def fetch(self, source, destination):
        return Resolved("another", super().fetch(source, destination).revision)


@sin("test_nothing_is_written_beside_the_destination")
class LeavesATemporaryFile(GoodSource):
    def copy(self, folder, destination):
        super().copy(folder, destination)
        (Path(tempfile.mkdtemp()) / "archive").write_text("left")


@sin("test_a_fetch_may_be_repeated_and_brings_the_same")
class CountsItsFetches(GoodSource):
    count = 0

    def fetch(self, source, destination):
        self.count += 1
        number = self.count
        return Resolved(super().fetch(source, destination).name, str(number))


@sin("test_a_plugin_that_is_not_there_is_not_found")
class TakesAbsentForUnavailable(GoodSource):
    def folder(self, source):
        try:
            return super().folder(source)
        except errors.PluginNotFound as error:
            raise errors.SourceUnavailable("what now") from error


@sin("test_a_spec_that_makes_no_sense_is_refused")
class LeavesTheShelf(GoodSource):
    def folder(self, source):
        return self.shelf / "plug" if source.spec.startswith("..") else super().folder(source)


@sin("test_a_source_that_cannot_be_reached_says_nothing_of_why")
class SaysWhyItCannotBeReached(GoodSource):
    def folder(self, source):
        if self.away:
            raise errors.UnsafeBundle(f"token {SECRET}", errors.BundleFault.BOMB)
        return super().folder(source)


@sin("test_a_source_that_cannot_be_reached_says_nothing_of_why")
class TakesUnavailableForAbsent(GoodSource):
    def folder(self, source):
        if self.away:
            raise errors.PluginNotFound("not here")
        return super().folder(source)


@sin("test_more_than_the_service_takes_is_refused")
class FillsTheDisk(GoodSource):
    def fetch(self, source, destination):
        self.copy(self.folder(source), destination)
        return Resolved(source.spec, digest_of(destination))


@sin("test_a_fetch_does_not_hold_up_the_loop")
class FetchesOnTheLoop(GoodSource):
    asked = False

    @hookimpl
    async def resolve_source(self, source, destination):
        if not self.asked:
            time.sleep(1.3)  # plugport: allow[PP004] the sin that the kit must see
        self.asked = True
        return self.fetch(source, destination)


@sin("test_a_fetch_that_is_cancelled_ends")
class FetchesOnWhenCancelled(GoodSource):
    @hookimpl
    async def resolve_source(self, source, destination):
        until = time.monotonic() + (8 if destination.name == "to" and not any(destination.parent.iterdir()) else 0)
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            until = time.monotonic() + 8
            while time.monotonic() < until:
                try:
                    await asyncio.sleep(0.1)
                except asyncio.CancelledError:
                    continue
        return await asyncio.to_thread(self.fetch, source, destination)


@sin("test_a_revision_changes_with_what_it_leads_to")
class NeverChangesItsRevision(GoodSource):
    @hookimpl
    def source_revision(self, source):
        return "1"


# Policies


@sin("test_who_cannot_decide_lets_nothing_pass")
class LetsPassWhatItCannotJudge(GoodPolicy):
    def judge(self, request):
        return None if self.away else super().judge(request)


@sin("test_who_cannot_decide_lets_nothing_pass")
class GivesUpForGood(GoodPolicy):
    def judge(self, request):
        self.ready = self.ready and not self.away
        return super().judge(request)


@sin("test_what_is_not_allowed_is_refused")
class AnswersFalseForNo(GoodPolicy):
    def judge(self, request):
        return False if super().judge(request) else None


@sin("test_what_is_not_allowed_is_refused")
class RefusesWithoutAReason(GoodPolicy):
    def judge(self, request):
        return Refusal("") if super().judge(request) else None


@sin("test_what_is_allowed_passes_before_and_after_the_fetch")
class AsksForTheBundleTooEarly(GoodPolicy):
    def judge(self, request):
        return super().judge(request) if request.bundle is None else Refusal("fetched")


@sin("test_many_questions_at_once_are_answered_each_for_itself")
class MixesQuestionsUp(GoodPolicy):
    @hookimpl
    async def check_policy(self, request):
        self.now = request
        await asyncio.sleep(0.05)
        return self.judge(self.now)


@sin("test_a_question_does_not_hold_up_the_loop")
class AsksOnTheLoop(GoodPolicy):
    @hookimpl
    async def check_policy(self, request):
        if not getattr(self, "asked", False):
            time.sleep(1.3)  # plugport: allow[PP004] the sin that the kit must see
        self.asked = True
        return self.judge(request)


# Observers


@sin("test_every_kind_of_event_is_taken")
class KnowsOnlyTodaysEvents(GoodObserver):
    def tell(self, event):
        {"plugin.installed": 1, "plugin.uninstalled": 2, "plugin.downloaded": 3, "operation.failed": 4}[event.kind]
        super().tell(event)


@sin("test_every_kind_of_event_is_taken")
class WantsAPlugin(GoodObserver):
    def tell(self, event):
        event.plugin.upper()
        super().tell(event)


@sin("test_what_happened_is_heard_once")
class TellsTwice(GoodObserver):
    def tell(self, event):
        super().tell(event)
        super().tell(event)


@sin("test_one_that_cannot_be_told_does_not_lose_the_next")
class GivesUpAfterAFailure(GoodObserver):
    gone = False

    def tell(self, event):
        self.gone = self.gone or self.away
        if not self.gone:
            super().tell(event)


@sin("test_telling_does_not_hold_up_the_loop")
class TellsOnTheLoop(GoodObserver):
    @hookimpl
    async def observe(self, event):
        if not getattr(self, "told", False):
            time.sleep(1.3)  # plugport: allow[PP004] the sin that the kit must see
        self.told = True
        self.tell(event)


@sin("test_it_can_be_shut_down_and_started_again")
class HearsNothingAfterARestart(GoodObserver):
    @hookimpl
    def shutdown(self):
        self.closed = True

    def tell(self, event):
        if getattr(self, "closed", False):
            raise RuntimeError("closed")
        super().tell(event)
