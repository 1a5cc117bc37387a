"""Backends that break a promise of a delivery, each of them one."""

from __future__ import annotations

import asyncio
import shutil
import tarfile
import threading
import time

from good import GoodBackend
from verdicts import must_fail

from plugport.hookspecs import Receipt, errors, hookimpl


@must_fail("test_a_stream_that_breaks_leaves_one_version_whole")
class SaysInstalledWithoutDelivering(GoodBackend):
    def install(self, root, bundle, stop):
        try:
            return super().install(root, bundle, stop)
        except errors.DeliveryFailed:
            return Receipt(bundle.digest)


@must_fail("test_what_is_delivered_arrives_byte_for_byte")
class DropsEmptyFiles(GoodBackend):
    def swap(self, staging, place, stop):
        for path in staging.rglob("*"):
            if path.is_file() and not path.stat().st_size:
                path.unlink()
        super().swap(staging, place, stop)


@must_fail("test_what_is_delivered_arrives_byte_for_byte")
class ChangesLineEndings(GoodBackend):
    def swap(self, staging, place, stop):
        for path in staging.rglob("crlf"):
            path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))
        super().swap(staging, place, stop)


@must_fail("test_what_is_delivered_arrives_byte_for_byte")
class LosesHiddenFiles(GoodBackend):
    def swap(self, staging, place, stop):
        shutil.rmtree(staging / ".hidden", ignore_errors=True)
        super().swap(staging, place, stop)


@must_fail("test_the_receipt_has_the_digest_of_what_lies_there")
class MakesADigestUp(GoodBackend):
    def install(self, root, bundle, stop):
        super().install(root, bundle, stop)
        return Receipt("sha256:" + "0" * 64)


@must_fail("test_an_executable_file_stays_executable_and_no_other_becomes_it")
class LosesTheExecutableBit(GoodBackend):
    def swap(self, staging, place, stop):
        for path in staging.rglob("*"):
            if path.is_file():
                path.chmod(0o644)
        super().swap(staging, place, stop)


@must_fail("test_an_executable_file_stays_executable_and_no_other_becomes_it")
class MakesEverythingExecutable(GoodBackend):
    def swap(self, staging, place, stop):
        for path in staging.rglob("*"):
            path.chmod(0o755)
        super().swap(staging, place, stop)


@must_fail("test_an_update_replaces_and_does_not_merge")
class Merges(GoodBackend):
    def swap(self, staging, place, stop):
        if place.is_dir() and not place.is_symlink():
            for path in [path for path in place.rglob("*") if path.is_file()]:
                target = staging / path.relative_to(place)
                if not target.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(path, target)
        super().swap(staging, place, stop)


@must_fail("test_delivering_the_same_again_repairs_what_was_changed")
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


@must_fail("test_a_delivery_leaves_nothing_beside_the_plugin")
class LeavesItsStagingFolder(GoodBackend):
    def clean_up(self, staging):
        super().clean_up(staging)
        (staging.parent / ".staging").mkdir(exist_ok=True)


@must_fail("test_a_stream_that_breaks_leaves_one_version_whole")
class LeavesItsStagingFolderWhenItFails(GoodBackend):
    def clean_up(self, staging):
        return None


@must_fail("test_a_link_in_the_plugins_place_is_replaced_and_not_followed")
class FollowsLinks(GoodBackend):
    def swap(self, staging, place, stop):
        super().swap(staging, place.resolve(), stop)


@must_fail("test_another_plugin_is_left_alone")
class ClearsTheWholeFolder(GoodBackend):
    def swap(self, staging, place, stop):
        for path in place.parent.iterdir():
            if path != place and not path.name.startswith("."):
                shutil.rmtree(path)
        super().swap(staging, place, stop)


@must_fail("test_a_stream_that_hangs_leaves_the_old_version_whole_meanwhile")
class UnpacksInPlace(GoodBackend):
    def install(self, root, bundle, stop):
        self.name = bundle.name
        return super().install(root, bundle, stop)

    def member(self, archive, entry, staging):
        old = staging.parent / self.name / entry.name
        changed = entry.isreg() and old.is_file()
        if changed:
            old.unlink()
        super().member(archive, entry, staging)
        if changed:
            shutil.copy2(staging / entry.name, old)


@must_fail("test_a_stream_that_hangs_leaves_the_old_version_whole_meanwhile")
class DeletesTheOldVersionFirst(GoodBackend):
    def unpack(self, bundle, staging, stop):
        shutil.rmtree(staging.parent / bundle.name, ignore_errors=True)
        super().unpack(bundle, staging, stop)


@must_fail("test_a_stream_that_breaks_leaves_one_version_whole")
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


@must_fail("test_two_deliveries_at_once_end_with_one_version_whole")
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
        for path in sorted((path for path in staging.rglob("*") if path.is_file()), reverse=backwards):
            shutil.copy2(path, place / path.relative_to(staging))
            time.sleep(0.2)


class Subclass(errors.DeliveryFailed):
    @property
    def detail(self):
        return self.reason


@must_fail("test_an_error_says_nothing_of_what_broke_underneath")
class LeaksItsExceptionsText(GoodBackend):
    def install(self, root, bundle, stop):
        try:
            return super().install(root, bundle, stop)
        except errors.DeliveryFailed as error:
            raise Subclass(f"{error.__cause__}") from error


@must_fail("test_an_error_says_nothing_of_what_broke_underneath")
class RaisesAnErrorOfAnotherHook(GoodBackend):
    def install(self, root, bundle, stop):
        try:
            return super().install(root, bundle, stop)
        except errors.DeliveryFailed as error:
            raise errors.ManifestInvalid("stream", f"{error.__cause__}") from error


@must_fail("test_a_delivery_that_is_cancelled_ends_and_leaves_one_version_whole")
class IgnoresCancellation(GoodBackend):
    @hookimpl
    async def deliver(self, workspace, bundle):
        self.require(workspace)
        work = asyncio.ensure_future(asyncio.to_thread(self.install, self.root(workspace), bundle, threading.Event()))
        while not work.done():
            try:
                await asyncio.wait({work})
            except asyncio.CancelledError:
                continue
        return work.result()


@must_fail("test_a_delivery_does_not_block_the_loop")
class ReadsTheStreamOnTheLoop(GoodBackend):
    @hookimpl
    async def deliver(self, workspace, bundle):
        self.require(workspace)
        return self.install(self.root(workspace), bundle, threading.Event())


@must_fail("test_it_can_be_shut_down_and_started_again")
class CannotBeStartedTwice(GoodBackend):
    count = 0

    @hookimpl
    def startup(self, context):
        self.count += 1
        self.ready = self.count == 1
