"""The kit finds faults: each mutant is failed by the test that names its fault, and by few others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import mutants  # noqa: E402, F401 - it fills MUTANTS
from verdicts import MUTANTS  # noqa: E402

GOOD = [
    "GoodBackend",
    "KeepingBackend",
    "ActivatingBackend",
    "GoodSource",
    "GoodPolicy",
    "GoodObserver",
    "GoodLayout",
    "GoodFormat",
]
SHARDS = 4
"""Processes that share the mutants: most of their time they wait."""


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """The tests that each mutant failed, by name, without their parameters."""
    folder = tmp_path_factory.mktemp("mutants")
    with ThreadPoolExecutor(SHARDS) as pool:
        reports = list(pool.map(lambda shard: _report(shard, folder), range(SHARDS)))
    failures: dict[str, set[str]] = defaultdict(set)
    for case in (case for report in reports for case in ElementTree.parse(report).iter("testcase")):
        name = case.get("classname", "").rpartition("Test")[2]
        failures.setdefault(name, set())
        if case.find("failure") is not None or case.find("error") is not None:
            failures[name].add(case.get("name", "").partition("[")[0])
    return failures


def _report(shard: int, folder: Path) -> Path:
    """Run the kit against a part of the mutants; pytest's report of it."""
    report = folder / f"{shard}.xml"
    options = ["-q", "--tb=native", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(HERE)]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", *options, f"--junitxml={report}", str(HERE / "mutant_suite.py")],
        cwd=HERE,
        env=os.environ
        | {"PYTHONPATH": str(HERE), "SHARD": f"{shard}/{SHARDS}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=570,
        check=False,
    )
    assert report.is_file(), done.stdout[-3000:] + done.stderr[-3000:]
    return report


@pytest.mark.parametrize("good", GOOD)
def test_a_provider_that_keeps_every_promise_passes(failed, good):
    assert failed[good] == set()


@pytest.mark.parametrize(("mutant", "test"), [(kind.__name__, test) for kind, test in MUTANTS.items()])
def test_each_mutant_is_failed_by_its_test_and_by_few_others(failed, mutant, test):
    assert test in failed[mutant]
    assert len(failed[mutant]) <= 3, sorted(failed[mutant])


def test_there_are_mutants_enough():
    assert len(MUTANTS) >= 20
