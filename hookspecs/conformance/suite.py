"""What both suites share: a provider that is started for each test, and what it did not declare."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import pytest

from .. import errors
from ..specs import MAY_RAISE
from .description import UnderTest
from .runner import SECRET, Harness

UNDECLARED = "undeclared: "
"""How the reason of every skip of the kit begins; what is not declared follows."""

Work = Callable[[Harness], Awaitable[None]]


def undeclared(what: str) -> NoReturn:
    """Skip: the provider or its author declared no such thing."""
    pytest.skip(UNDECLARED + what)


def run(make: Callable[[], Harness], work: Work) -> None:
    """Start the provider on a loop of its own, do the work, shut it down."""

    async def main() -> None:
        harness = make()
        await harness.start()
        try:
            await work(harness)
        finally:
            await harness.stop()

    asyncio.run(main())


def with_provider(under_test: UnderTest, work: Work, *hooks: str) -> None:
    """Do the work with the provider started, where it implements these hooks."""

    def make() -> Harness:
        harness = Harness(under_test.provider, under_test.provider_name, under_test.settings, under_test.service)
        for hook in hooks:
            if hook not in harness.provider.hooks:
                undeclared(hook)
        return harness

    run(make, work)


async def outcome(work: Awaitable[Any]) -> tuple[Any, Exception | None]:
    """What came out of it: an answer, or an error."""
    try:
        return await work, None
    except AssertionError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it raises is looked at
        return None, error


def is_safe(error: Exception, hook: str) -> None:
    """An error of the tree is one that the hook may raise, itself and no subclass, and says nothing secret.

    Anything else that a provider raises reaches no client at all: the service answers with its own words.
    """
    if isinstance(error, errors.PlugportError):
        allowed = MAY_RAISE.get(hook, ())
        names = ", ".join(one.__name__ for one in allowed)
        assert type(error) in allowed, f"{type(error).__name__} may not be raised here: {names}"
        told = error.detail + json.dumps(dict(error.members))
        assert SECRET not in told, f"{type(error).__name__} would show a client what broke underneath: {told}"
