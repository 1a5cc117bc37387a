"""The backend `external`: workspaces on machines that the service cannot reach. They pull their plugins."""

from __future__ import annotations

from ..hookspecs import Action, Bundle, Finding, InstalledPlugin, Receipt, Removal, RunState, Workspace, hookimpl
from ..hookspecs.errors import PushNotSupported
from .workspace_options import check_options


class ExternalBackend:
    """Refuses every push before the fetch. The service adds the hint that says how to pull."""

    backend = "external"

    @hookimpl
    def check_workspace(self, workspace: Workspace) -> list[Finding]:
        """Return a finding for each option: the backend has none."""
        return check_options(workspace, {})

    @hookimpl
    def preflight(self, workspace: Workspace, action: Action) -> None:
        """Raise `PushNotSupported` for every action that changes the workspace."""
        if action in {Action.INSTALL, Action.UNINSTALL, Action.RESTART}:
            raise PushNotSupported

    @hookimpl
    def is_running(self, workspace: Workspace) -> RunState:
        """Return RUNNING: the service cannot know, and nothing depends on it."""
        return RunState.RUNNING

    @hookimpl
    def deliver(self, workspace: Workspace, bundle: Bundle) -> Receipt:
        """Raise `PushNotSupported`."""
        raise PushNotSupported

    @hookimpl
    def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        """Raise `PushNotSupported`."""
        raise PushNotSupported

    @hookimpl
    def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        """Return nothing: pulled plugins stand in the service's own records, and cannot be read back."""
        return []


provider = ExternalBackend()
