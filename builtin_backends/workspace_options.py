"""Checks the options of a workspace when it is registered: known names, and values that the backend can use."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from pathlib import PurePosixPath

from ..hookspecs import JSON, Finding, Workspace, is_name

OptionCheck = Callable[[JSON], str | None]
"""Takes the option's value and returns what it must be, or None if it is that."""


def check_options(
    workspace: Workspace, checks: Mapping[str, OptionCheck], required: Collection[str] = ()
) -> list[Finding]:
    """Return what is wrong with the workspace's options. `checks` has a check for each option of the backend."""
    findings = [
        Finding(f"options.{name}", f"is required: it {checks[name](None)}")
        for name in required
        if name not in workspace.options
    ]
    for name, value in workspace.options.items():
        where = f"options.{name}" if is_name(name) else "options"
        if name not in checks:
            findings.append(Finding(where, _unknown(name, workspace, checks)))
        elif (problem := checks[name](value)) is not None:
            findings.append(Finding(where, problem))
    return findings


def _unknown(name: str, workspace: Workspace, checks: Mapping[str, OptionCheck]) -> str:
    nearest = get_close_matches(name, checks, 1)
    known = f"it has {', '.join(checks)}" if checks else "it has none"
    guess = f"; did you mean {nearest[0]}?" if nearest else ""
    return f"is not an option of the backend {workspace.backend}: {known}{guess}"


def absolute_path(value: JSON) -> str | None:
    """Accept an absolute path without `..`."""
    is_path = isinstance(value, str) and PurePosixPath(value).is_absolute() and ".." not in PurePosixPath(value).parts
    return None if is_path else "is an absolute path, without .."


def text(value: JSON) -> str | None:
    """Accept a text that is not empty."""
    return None if isinstance(value, str) and value.strip() else "is a text that is not empty"


def port(value: JSON) -> str | None:
    """Accept a TCP port."""
    is_port = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536
    return None if is_port else "is a port: a number from 1 to 65535"


def command_or_false(value: JSON) -> str | None:
    """Accept a shell command, or false."""
    return None if value is False or text(value) is None else "is a command, or false"
