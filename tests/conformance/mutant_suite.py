"""The kit's suites over each mutant and over the good providers. test_mutants.py runs this file."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import mutants  # noqa: F401 - it fills MUTANTS
import pytest
from good import GoodBackend, GoodLayout, GoodObserver, GoodPolicy, GoodSource
from good_activation import ActivatingBackend
from good_format import MANIFEST, GoodFormat
from good_target import KeepingBackend
from verdicts import CANCELLED_SECONDS, LONGEST_BLOCK, MUTANTS

from plugport.hookspecs import Action, PolicyRequest, ServiceSettings, Source, Workspace
from plugport.hookspecs.conformance import (
    BackendConformance,
    BackendUnderTest,
    DirectoryFilesystem,
    FormatConformance,
    FormatUnderTest,
    LayoutConformance,
    LayoutUnderTest,
    ObserverConformance,
    ObserverUnderTest,
    PolicyConformance,
    PolicyUnderTest,
    SourceConformance,
    SourceUnderTest,
    observer,
    runner,
)
from plugport.hookspecs.conformance import format as format_suites
from plugport.hookspecs.conformance.backend import assertions
from plugport.hookspecs.conformance.description import CONDITIONS

# A mutant often uses up the time that it has, and the good providers are done at once.
assertions.CLEAN_UP_SECONDS = observer.ARRIVES_SECONDS = 1.0
format_suites.MOST_SECONDS = LONGEST_BLOCK
runner.CANCELLED_SECONDS, runner.LONGEST_BLOCK = CANCELLED_SECONDS, LONGEST_BLOCK
assertions.NEW["big"] = bytes(range(256)) * 1000

FILES = {"plugin.yaml": b"name: plug\n", "run.sh": b"#!/bin/sh\n", "deep/er": b"x"}


@contextlib.contextmanager
def away(provider):
    provider.away = True
    try:
        yield
    finally:
        provider.away = False


def condition(provider, name):
    @contextlib.contextmanager
    def entered():
        provider.condition = name
        try:
            yield
        finally:
            provider.condition = ""

    return entered


def backend_suite(kind: type) -> type:
    class Suite(BackendConformance):
        @pytest.fixture
        def under_test(self, tmp_path: Path):
            folder, provider = tmp_path / "config", kind()
            folder.mkdir()
            return BackendUnderTest(
                provider,
                Workspace("w", backend="good", options={"path": str(folder)}),
                DirectoryFilesystem(folder, owned=os.geteuid() == 0),
                stopped=Workspace("s", backend="good", options={"path": str(tmp_path / "absent")}),
                unreachable=lambda: away(provider),
                conditions={name: condition(provider, name) for name in CONDITIONS},
            )

    return Suite


def source_suite(kind: type) -> type:
    class Suite(SourceConformance):
        @pytest.fixture
        def under_test(self, tmp_path_factory):
            shelf, provider = tmp_path_factory.mktemp("shelf"), kind()
            for path, content in FILES.items():
                (shelf / "plug" / path).parent.mkdir(parents=True, exist_ok=True)
                (shelf / "plug" / path).write_bytes(content)
            (shelf / "plug/run.sh").chmod(0o755)
            return SourceUnderTest(
                provider,
                Source("good", "plug"),
                FILES,
                frozenset({"run.sh"}),
                name="plug",
                settings={"shelf": str(shelf)},
                service=ServiceSettings(plugins_dir=str(shelf)),
                absent=Source("good", "absent"),
                malformed=("../plug", "a b"),
                unreachable=lambda: away(provider),
                change=lambda: (shelf / "plug/deep/er").write_bytes(b"y"),
            )

    return Suite


def policy_suite(kind: type) -> type:
    class Suite(PolicyConformance):
        @pytest.fixture
        def under_test(self):
            provider, workspace = kind(), Workspace("w", org="acme")
            good, bad = (
                PolicyRequest(Action.INSTALL, workspace, Source(scheme, "p"), "admin") for scheme in ("good", "bad")
            )
            return PolicyUnderTest(provider, good, bad, unreachable=lambda: away(provider))

    return Suite


def observer_suite(kind: type) -> type:
    class Suite(ObserverConformance):
        @pytest.fixture
        def under_test(self):
            provider = kind()
            return ObserverUnderTest(provider, lambda: len(provider.heard), unreachable=lambda: away(provider))

    return Suite


def layout_suite(kind: type) -> type:
    class Suite(LayoutConformance):
        @pytest.fixture
        def under_test(self):
            return LayoutUnderTest(kind(), refused=("data",))

    return Suite


def format_suite(kind: type) -> type:
    class Suite(FormatConformance):
        @pytest.fixture
        def under_test(self):
            files = {MANIFEST: b"plug\nhello\nbye\n", "other/x": b"x"}
            components = (("skill", "hello"), ("skill", "bye"))
            return FormatUnderTest(kind(), files, "plug", components, MANIFEST)

    return Suite


SUITES = {
    GoodBackend: backend_suite,
    KeepingBackend: backend_suite,
    ActivatingBackend: backend_suite,
    GoodSource: source_suite,
    GoodPolicy: policy_suite,
    GoodObserver: observer_suite,
    GoodLayout: layout_suite,
    GoodFormat: format_suite,
}
_shard, _shards = map(int, os.environ.get("SHARD", "0/1").split("/"))
for _kind in [*SUITES, *MUTANTS][_shard::_shards]:
    _suite = next(make for good, make in SUITES.items() if issubclass(_kind, good))(_kind)
    globals()[f"Test{_kind.__name__}"] = type(f"Test{_kind.__name__}", (_suite,), {})
