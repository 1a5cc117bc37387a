"""Steps that the backend's promises are made of: deliveries, looks at the target, what must hold after each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from ... import errors
from ...values import Action
from ...values.bundle import Bundle
from ..description import BackendUnderTest
from ..faults import Trap
from ..filesystems import Place
from ..runner import Harness
from ..suite import Work, is_safe, outcome, undeclared, with_provider

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
NAME, OTHER = "kit-p", "kit-other"
SETTLED_SECONDS = 10.0
"""How long a target may take to clean up after a delivery that was given up."""
VANISHED_SECONDS = 2.0
"""The same for one that had vanished: what should have cleaned up may have gone with it, until the next delivery."""


def pushing(under_test: BackendUnderTest, work: Work, *hooks: str) -> None:
    """Do the work where the backend pushes at all."""

    async def if_it_pushes(harness: Harness) -> None:
        if not await pushes(harness, under_test):
            undeclared("push")
        await work(harness)

    with_provider(under_test, if_it_pushes, *hooks)


async def pushes(harness: Harness, under_test: BackendUnderTest) -> bool:
    if "preflight" not in harness.provider.hooks:
        return True
    _, error = await outcome(harness.call("preflight", workspace=under_test.workspace, action=Action.INSTALL))
    return type(error) is not errors.PushNotSupported


async def call_deliver(harness: Harness, under_test: BackendUnderTest, bundle: Bundle) -> Any:
    return await harness.call("deliver", workspace=under_test.workspace, bundle=bundle)


async def deliver(harness: Harness, under_test: BackendUnderTest, bundle: Bundle) -> Any:
    """A delivery that must succeed."""
    return await call_deliver(harness, under_test, bundle)


async def listed(harness: Harness, under_test: BackendUnderTest) -> Mapping[str, Any]:
    found, error = await outcome(harness.call("list_installed", workspace=under_test.workspace))
    if error is not None:
        is_safe(error, "list_installed")
        raise error
    return {one.name: one for one in found}


async def as_before(harness: Harness, under_test: BackendUnderTest, new: Bundle, before: set[str]) -> None:
    """After whatever it was, a delivery brings the new version whole; nothing is left that was not there before."""
    await deliver(harness, under_test, new)
    assert contents(under_test.place) == NEW
    assert beside(under_test.place) == before, "something of the delivery that failed is left"


async def struck(trap: Trap, delivery: asyncio.Task[Any]) -> None:
    """Until the trap was sprung, or the delivery ended without coming by."""
    while not trap.struck.is_set() and not delivery.done():  # noqa: ASYNC110 - it is set in a thread
        await asyncio.sleep(0.01)


async def settled(place: Place, before: set[str], seconds: float | None = None) -> None:
    """Until only that is there which was before, or the time that a target has for it is over."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + (SETTLED_SECONDS if seconds is None else seconds)
    while beside(place) != before and loop.time() < deadline:  # noqa: ASYNC110 - the target tells nobody
        await asyncio.sleep(0.1)


def plugin(place: Place, name: str = NAME) -> Mapping[str, Any]:
    start = f"plugins/{name}/"
    return {path.removeprefix(start): seen for path, seen in place.read().items() if path.startswith(start)}


def contents(place: Place, name: str = NAME) -> Mapping[str, bytes]:
    return {path: seen.content for path, seen in plugin(place, name).items()}


def beside(place: Place) -> set[str]:
    """What lies in `plugins`."""
    every = [*place.read(), *place.folders()]
    return {path.split("/")[1] for path in every if path.startswith("plugins/")}


def one_whole(place: Place, *versions: Mapping[str, bytes]) -> Mapping[str, bytes]:
    found = contents(place)
    assert found in versions, f"neither version is whole: { ({path: len(text) for path, text in found.items()}) }"
    return found


def version(manifest: object) -> str:
    """A manifest's version, parsed or as text."""
    if isinstance(manifest, Mapping):
        return str(manifest.get("version"))
    lines = str(manifest).splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("version:")), "")
