"""What the tests of a backend are made of: the bundles' contents, deliveries, and what must hold after them."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping

from ... import errors
from ...values import Action, InstalledPlugin, Receipt, Removal, TargetChanges
from ...values.bundle import Bundle
from ..description import BackendUnderTest
from ..faults import FaultInjector
from ..filesystems import FileState, TargetFilesystem
from ..runner import Harness, Scenario, assert_error_is_safe, outcome, promise, undeclared, with_provider

NAME, OTHER = "kit-p", "kit-other"
OLD = {"plugin.yaml": b"name: kit-p\nversion: 1\n", "both": b"old", "big": b"old", "run.sh": b"#!/bin/sh\n"}
NEW = {
    "plugin.yaml": b"name: kit-p\nversion: 2\n",
    "both": b"new",
    "big": bytes(range(256)) * 8000,
    "run.sh": b"#!/bin/sh\n",
}
ODD = {
    "plugin.yaml": b"name: kit-p\n",
    "a b/c'd\"e.md": b"quotes",
    "-dash": b"dash",
    "$(touch x)/`y`": b"shell",
    "\u00e9\u4e2d.md": b"unicode",
    ".hidden/deep/er": b"hidden",
    "crlf": b"a\r\nb\n",
    "empty": b"",
}
CLEAN_UP_SECONDS = 10.0
"""How long a target may take to clean up after a delivery that was cancelled or failed."""
VANISHED_SECONDS = 2.0
"""The same for a target that vanished: its clean-up may have vanished with it, until the next delivery."""


def with_pushing_provider(under_test: BackendUnderTest, scenario: Scenario, *hooks: str) -> None:
    """Run the scenario as `with_provider` does. The test is skipped as undeclared if the backend does not push."""

    async def if_it_pushes(harness: Harness) -> None:
        if not await supports_push(harness, under_test):
            undeclared("push")
        await scenario(harness)

    with_provider(under_test, if_it_pushes, *hooks)


push_promise = functools.partial(promise, run=with_pushing_provider)
"""Makes a test as `promise` does. It is skipped as undeclared if the backend does not push."""


async def supports_push(harness: Harness, under_test: BackendUnderTest) -> bool:
    """Tell whether `preflight` lets an install pass."""
    if "preflight" not in harness.provider.hooks:
        return True
    _, error = await outcome(harness.call("preflight", workspace=under_test.workspace, action=Action.INSTALL))
    return type(error) is not errors.PushNotSupported


async def deliver(
    harness: Harness,
    under_test: BackendUnderTest,
    bundle: Bundle,
    known: tuple[str, ...] = (),
    activation: TargetChanges | None = None,
) -> Receipt:
    """Deliver the bundle. Raises what `deliver` raises."""
    workspace = under_test.workspace
    receipt: Receipt = await harness.call(
        "deliver", workspace=workspace, bundle=bundle, known=known, activation=activation
    )
    return receipt


async def uninstall(harness: Harness, under_test: BackendUnderTest, removal: Removal) -> Receipt:
    """Uninstall. Raises what `uninstall` raises."""
    receipt: Receipt = await harness.call("uninstall", workspace=under_test.workspace, removal=removal)
    return receipt


async def installed_by_name(harness: Harness, under_test: BackendUnderTest) -> Mapping[str, InstalledPlugin]:
    """Return what `list_installed` answers, by the plugins' names."""
    plugins, error = await outcome(harness.call("list_installed", workspace=under_test.workspace))
    if error is not None:
        assert_error_is_safe(error, "list_installed")
        raise error
    return {plugin.name: plugin for plugin in plugins}


async def assert_next_delivery_is_clean(
    harness: Harness, under_test: BackendUnderTest, new: Bundle, before: set[str]
) -> None:
    """Fail if the next delivery does not bring the new version, or leaves something beside what was there before."""
    await deliver(harness, under_test, new)
    assert plugin_contents(under_test.place) == NEW
    assert plugin_folders(under_test.place) == before, "something of the delivery that failed is left"


async def wait_for_fault(injector: FaultInjector, delivery: asyncio.Task[object]) -> None:
    """Wait until the fault was injected, or the delivery ended without it."""
    while not injector.injected.is_set() and not delivery.done():  # noqa: ASYNC110 - it is set in a thread
        await asyncio.sleep(0.01)


async def wait_for_plugin(place: TargetFilesystem) -> None:
    """Wait until the plugin is there, for a second at most: a target that cannot swap two folders in one step has
    neither for an instant."""
    await _wait_until(lambda: bool(plugin_contents(place)), 1)


async def wait_for_clean_up(place: TargetFilesystem, before: set[str], seconds: float | None = None) -> None:
    """Wait until `plugin_folders` has only what it had before, or `seconds` (`CLEAN_UP_SECONDS`) have passed."""
    await _wait_until(lambda: plugin_folders(place) == before, CLEAN_UP_SECONDS if seconds is None else seconds)


async def _wait_until(holds: Callable[[], bool], seconds: float) -> None:
    """Wait until the condition holds, or the seconds have passed."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not holds() and loop.time() < deadline:  # noqa: ASYNC110 - a file system sends no event
        await asyncio.sleep(0.1)


def plugin_files(place: TargetFilesystem, name: str = NAME) -> Mapping[str, FileState]:
    """Return the files of a plugin, by their paths below its root."""
    root = f"plugins/{name}/"
    return {path.removeprefix(root): state for path, state in place.read().items() if path.startswith(root)}


def plugin_contents(place: TargetFilesystem, name: str = NAME) -> Mapping[str, bytes]:
    """Return the bytes of a plugin's files, by their paths below its root."""
    return {path: state.content for path, state in plugin_files(place, name).items()}


def plugin_folders(place: TargetFilesystem) -> set[str]:
    """Return the names of what lies in `plugins`: the plugins, and whatever a delivery left beside them.

    plugport's own folder counts only if a delivery left something in its `staging`.
    """
    paths = [path.split("/") for path in (*place.read(), *place.folders()) if path.startswith("plugins/")]
    own = (".plugport", "staging")
    return {parts[1] for parts in paths if parts[1] != own[0] or (parts[2:3] == [own[1]] and len(parts) > 3)}


def assert_one_version(place: TargetFilesystem, *versions: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return the plugin's contents. Fail if they are not exactly one of the versions."""
    contents = plugin_contents(place)
    sizes = {path: len(content) for path, content in contents.items()}
    assert contents in versions, f"neither version is whole: {sizes}"
    return contents


def version_of(manifest: Mapping[str, object] | str | None) -> str:
    """Return the version in a manifest that is parsed or a text; empty if there is none."""
    if isinstance(manifest, Mapping):
        return str(manifest.get("version"))
    lines = str(manifest).splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("version:")), "")
