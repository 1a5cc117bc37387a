"""Names of version 0.1 that are kept for one minor version: they warn, and are the new objects."""

from __future__ import annotations

import importlib
import sys
import warnings

import pytest

import plugport.hookspecs
from plugport.hookspecs import values

VALUES = "plugport.hookspecs.values"
PROVIDERS = "plugport.hookspecs.providers"
SHELL = "plugport.builtin_backends.shell"
NAMES_OF_0_1 = {
    "plugport.hookspecs.models": {
        VALUES: """Action Cleaned EMPTY Event InstalledPlugin JSON KeyValueStore PolicyRequest Receipt Refusal Removal
        Resolved RuleDescriptor RunState RunStateKind ServiceSettings Source StartupContext Workspace
        normalise_runtime""",
    },
    "plugport.hookspecs.bundles": {
        f"{VALUES}.bundle": "Bundle BundleFile MTIME OWNER TreeEntry pack tree_digest",
    },
    "plugport.hookspecs.loading": {
        PROVIDERS: """GROUP Implementation LINT_GROUP Provider ProviderInvalid ProviderStatus conflicts discover
        own_settings specifications""",
        f"{PROVIDERS}.inspection": "BACKEND_HOOKS SLOW_IMPORT_SECONDS examine=inspect_provider",
    },
    "plugport.builtin_backends.target": {SHELL: "Channel CommandChannel Completed ShellTarget"},
    "plugport.builtin_backends.target.channel": {
        SHELL: "Channel Completed",
        f"{SHELL}.script": "script=script_command failure=script_error",
    },
    "plugport.builtin_backends.target.command_channel": {SHELL: "CommandChannel"},
    "plugport.builtin_backends.target.shell_target": {SHELL: "ShellTarget"},
    "plugport.hookspecs.conformance": {
        "plugport.hookspecs.conformance.filesystems": """DirectoryPlace=DirectoryFilesystem Place=TargetFilesystem
        Seen=FileState ShellPlace=ShellFilesystem""",
    },
}
"""For each module of version 0.1 its names, by the module that has them now: `name`, or `old=new`."""


ALIASES = NAMES_OF_0_1.keys() - {"plugport.hookspecs.conformance"}


def import_anew(module: str, name: str) -> tuple[object, list[warnings.WarningMessage]]:
    """Import the name in a file of its own, as if no alias had been imported before; return it, and what warned."""
    for alias in ALIASES & sys.modules.keys():
        del sys.modules[alias]
    namespace: dict[str, object] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(compile(f"from {module} import {name}", "importer.py", "exec"), namespace)
    return namespace[name], caught


@pytest.mark.parametrize("alias", NAMES_OF_0_1)
def test_an_old_name_warns_where_it_is_imported_and_is_the_new_object(alias):
    for module, names in NAMES_OF_0_1[alias].items():
        for old, _, new in (name.partition("=") for name in names.split()):
            value, caught = import_anew(alias, old)
            assert value is getattr(importlib.import_module(module), new or old)
            assert {warning.category for warning in caught} == {DeprecationWarning}
            assert {warning.filename for warning in caught} == {"importer.py"}


def test_the_kit_has_no_other_names():
    with pytest.raises(ImportError):
        from plugport.hookspecs.conformance import Elsewhere  # noqa: F401


def test_hookspecs_exports_every_value():
    assert set(values.__all__) - {"EMPTY"} <= set(plugport.hookspecs.__all__)
