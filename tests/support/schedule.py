"""Deals the tests out to the processes of pytest-xdist."""

from __future__ import annotations

from pathlib import PurePath

from xdist.scheduler import LoadScopeScheduling

TOGETHER = frozenset(
    {
        "test_addresses.py",
        "test_any_target.py",
        "test_commands.py",
        "test_ec2_simulator.py",
        "test_example_packages.py",
        "test_hook_validity.py",
        "test_mutants.py",
        "test_new_provider.py",
        "test_only_caller_properties.py",
        "test_ourselves.py",
        "test_postgres.py",
    }
)
"""The modules whose tests share a fixture that is expensive to make."""


class Scheduling(LoadScopeScheduling):
    """Gives the modules in TOGETHER to one process each, and every other test to the next process that is free."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return module if PurePath(module).name in TOGETHER else nodeid
