"""Errors of a workspace's backend: it does not run, does not answer, or is not the machine that it was."""

from __future__ import annotations

from .base import PlugportError


class WorkspaceNotRunning(PlugportError):
    """Raised when the workspace is stopped, or its container or instance is absent."""

    slug, status, title = "workspace-not-running", 503, "Workspace not running"
    detail_template = "The workspace does not run. Start it, then try again."


class BackendUnavailable(PlugportError):
    """Raised when nobody can say whether the workspace runs, or the engine or cloud cannot be reached."""

    slug, status, title = "backend-unavailable", 503, "Backend unavailable"
    detail_template = "The workspace's engine does not answer at the moment. Try again shortly."
    retry_after = 5


class HostKeyMismatch(PlugportError):
    """Raised when an instance shows another host key than the known one, or no key is known and the first one is not
    trusted."""

    slug, status, title = "host-key-mismatch", 409, "Host key mismatch"
    detail_template = (
        "The instance's host key is not the one that is known for it, or none is known and the first one is not "
        "trusted here. If a new key is expected, an admin deletes the old one: DELETE /workspaces/{{id}}/host-key."
    )
