"""Checks a workspace before its target is contacted."""

from __future__ import annotations

from pathlib import PurePosixPath

from ..hookspecs import RunState, RunStateKind, Workspace
from ..hookspecs.errors import BackendUnavailable, WorkspaceNotRunning


def require_running(state: RunState, target: str) -> None:
    """Raise `BackendUnavailable` for UNKNOWN and `WorkspaceNotRunning` for STOPPED. `target` names the workspace's
    target in the error's reason."""
    if state.kind is RunStateKind.UNKNOWN:
        raise BackendUnavailable(state.reason or f"the state of {target} is unknown")
    if state.kind is RunStateKind.STOPPED:
        raise WorkspaceNotRunning(f"{target} does not run")


def require_absolute(path: str) -> str:
    """Return a directory without its trailing slash. Raises `WorkspaceNotRunning` if it is relative or has `..`."""
    if not PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise WorkspaceNotRunning(f"the directory {path!r} is not an absolute path")
    return path.rstrip("/") or "/"


def home_of(workspace: Workspace) -> str | None:
    """Return the option `home`, None if the workspace has none. Raises `WorkspaceNotRunning` if it is relative."""
    home = workspace.options.get("home")
    return require_absolute(home) if isinstance(home, str) else None
