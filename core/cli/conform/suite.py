"""Runs the kit's suite with pytest, in this process, against one loaded provider."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import pytest

from .... import hookspecs
from ....hookspecs.providers import Provider, own_settings
from .reports import PromiseResult

if TYPE_CHECKING:
    from ....hookspecs.conformance.description import UnderTest

_SUITE_FILE: Final = Path(hookspecs.__file__).parent / "conformance" / "cli_suite.py"
_UNDECLARED: Final = "undeclared: "
_OPTIONS: Final = ("-q", "-c", os.devnull, "--noconftest", "--no-header", "--no-summary", "--import-mode=importlib")


class TargetUnusable(Exception):
    """Raised when the target cannot be loaded or gives nothing that the kit knows. The text says what to do."""


def run_suite(provider: Provider, target: EntryPoint) -> list[PromiseResult]:
    """Return one result for each promise and case. Raises `TargetUnusable`.

    Progress goes to standard error. The target is imported after pytest has started, so that pytest rewrites the
    kit's assertions.
    """
    plugin = _SuitePlugin(provider, target)
    arguments = [*_OPTIONS, f"--rootdir={_SUITE_FILE.parent}", "-p", "no:cacheprovider", str(_SUITE_FILE)]
    with contextlib.redirect_stdout(sys.stderr), pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        environment.delenv("PYTEST_ADDOPTS", raising=False)
        exit_code = pytest.main(arguments, plugins=[plugin])
    if plugin.unusable is not None:
        raise TargetUnusable(plugin.unusable)
    if exit_code not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED} or not plugin.results:
        raise TargetUnusable(f"the tests did not run to their end: pytest ended with {int(exit_code)}, as told above")
    return plugin.results


class _SuitePlugin:
    """The pytest plugin that provides the target, selects the suite that fits it, and collects the results."""

    def __init__(self, provider: Provider, target: EntryPoint) -> None:
        self._provider, self._target = provider, target
        self._promises: dict[str, tuple[str, str | None]] = {}
        self.unusable: str | None = None
        self.results: list[PromiseResult] = []

    @pytest.fixture
    def target(self) -> Iterator[UnderTest]:
        """Yield what the target gives, with the loaded provider and its settings from the environment."""
        with self._enter_target() as under_test:
            settings = MappingProxyType({**own_settings(self._provider.name), **under_test.settings})
            name = self._provider.name
            yield replace(under_test, settings=settings, provider=self._provider.plugin, provider_name=name)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep the tests of the suite that fits what the target gives."""
        from ....hookspecs.conformance.cli_suite import SUITES

        suite = None
        try:
            with self._enter_target() as under_test:
                suite = SUITES.get(type(under_test))
                if suite is None:
                    names = ", ".join(kind.__name__ for kind in SUITES)
                    self.unusable = f"it gave {type(under_test).__name__}; the kit knows {names}"
        except Exception as error:  # noqa: BLE001 - whatever the target raises, its author must see it
            self.unusable = f"it raised {type(error).__name__}: {error}"
        items[:] = [item for item in items if suite is not None and _is_of_suite(item, suite)]
        for item in items:
            name, _, case = item.name.partition("[")
            self._promises[item.nodeid] = (name.removeprefix("test_"), case.removesuffix("]") or None)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the outcome of a test's call, or of a set-up or clean-up that failed."""
        if report.when != "call" and report.outcome == "passed":
            return
        promise, case = self._promises[report.nodeid]
        outcome, reason = report.outcome, _reason(report)
        if outcome == "skipped" and not (reason or "").startswith(_UNDECLARED):
            outcome, reason = "failed", f"skipped, and not for being undeclared: {reason}"
        if report.when == "teardown":
            self.results = [each for each in self.results if (each["promise"], each["case"]) != (promise, case)]
        self.results.append(
            {
                "promise": promise,
                "case": case,
                "target": self._target.name,
                "outcome": outcome,
                "reason": reason,
                "seconds": round(report.duration, 3),
            }
        )

    def _enter_target(self) -> AbstractContextManager[Any]:
        return self._target.load()()  # type: ignore[no-any-return]


def _is_of_suite(item: pytest.Item, suite: type) -> bool:
    return isinstance(item, pytest.Function) and item.cls is not None and item.cls.__name__ == suite.__name__


def _reason(report: pytest.TestReport) -> str | None:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return None if report.longrepr is None else str(getattr(crash, "message", report.longrepr))
