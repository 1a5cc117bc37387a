"""Runs the kit's suite in this process, with pytest, against one loaded provider."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pytest

from .... import hookspecs
from ....hookspecs.providers import Provider, own_settings

_LIVE: Final = Path(hookspecs.__file__).parent / "conformance" / "cli_suite.py"
_UNDECLARED: Final = "undeclared: "
_OPTIONS: Final = ("-q", "-c", os.devnull, "--noconftest", "--no-header", "--no-summary", "--import-mode=importlib")


class CannotBeTried(Exception):
    """Raised when the target cannot be had, or gives nothing that the kit knows; its text says what to do."""


def hold(provider: Provider, target: str, load: Callable[[], Any]) -> list[dict[str, Any]]:
    """One result for each promise and case. `load` brings the target's function. Raises `CannotBeTried`.

    Progress goes to standard error. The target is imported when pytest has begun, so that the kit's own asserts say
    what they saw.
    """
    session = _Session(provider, target, load)
    arguments = [*_OPTIONS, f"--rootdir={_LIVE.parent}", "-p", "no:cacheprovider", str(_LIVE)]
    with contextlib.redirect_stdout(sys.stderr), _no_other_plugins():
        ended = pytest.main(arguments, plugins=[session])
    if session.cannot is not None:
        raise CannotBeTried(session.cannot)
    if ended not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED} or not session.results:
        raise CannotBeTried(f"the tests did not run to their end: pytest ended with {int(ended)}, as told above")
    return session.results


@contextlib.contextmanager
def _no_other_plugins() -> Iterator[None]:
    """What else is installed beside pytest is none of the kit's business."""
    before = {name: os.environ.get(name) for name in ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_ADDOPTS")}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Session:
    """The plugin of one run."""

    def __init__(self, provider: Provider, target: str, load: Callable[[], Any]) -> None:
        self._provider, self._target, self._load = provider, target, load
        self._of: dict[str, tuple[str, str]] = {}
        self.cannot: str | None = None
        self.results: list[dict[str, Any]] = []

    @pytest.fixture
    def target(self) -> Iterator[Any]:
        """What the target gives, with the provider that was loaded and its settings from the environment."""
        with self._enter() as given:
            settings = MappingProxyType({**own_settings(self._provider.name), **given.settings})
            known: Mapping[str, Any] = {"provider": self._provider.plugin, "provider_name": self._provider.name}
            yield replace(given, settings=settings, **known)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep the tests of the suite that fits what the target gives."""
        from ....hookspecs.conformance.cli_suite import SUITES

        suite = None
        try:
            with self._enter() as given:
                suite = SUITES.get(type(given))
                if suite is None:
                    names = ", ".join(kind.__name__ for kind in SUITES)
                    self.cannot = f"it gave {type(given).__name__}; the kit knows {names}"
        except Exception as error:  # noqa: BLE001 - whatever the target does, its author is told
            self.cannot = f"it raised {type(error).__name__}: {error}"
        items[:] = [one for one in items if suite is not None and _of(one, suite)]
        for one in items:
            name, _, case = one.name.partition("[")
            self._of[one.nodeid] = (name.removeprefix("test_"), case.removesuffix("]"))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how the test ended: its call, or a set-up or clean-up that failed."""
        if report.when != "call" and report.outcome == "passed":
            return
        promise, case = self._of[report.nodeid]
        outcome, reason = report.outcome, _reason(report)
        if outcome == "skipped" and not (reason or "").startswith(_UNDECLARED):
            outcome, reason = "failed", f"skipped, and not for being undeclared: {reason}"
        if report.when == "teardown":
            self.results = [one for one in self.results if (one["promise"], one["case"]) != (promise, case)]
        self.results.append(
            {
                "promise": promise,
                "case": case or None,
                "target": self._target,
                "outcome": outcome,
                "reason": reason,
                "seconds": round(report.duration, 3),
            }
        )

    def _enter(self) -> AbstractContextManager[Any]:
        return self._load()()  # type: ignore[no-any-return]


def _of(item: pytest.Item, suite: type) -> bool:
    return isinstance(item, pytest.Function) and item.cls is not None and item.cls.__name__ == suite.__name__


def _reason(report: pytest.TestReport) -> str | None:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return None if report.longrepr is None else str(getattr(crash, "message", report.longrepr))
