"""The backend `external`: workspaces on machines that nobody reaches from here. They pull."""

from __future__ import annotations

from ..hookspecs import Action, Bundle, InstalledPlugin, Receipt, Removal, RunState, Workspace, hookimpl
from ..hookspecs.errors import PushNotSupported


class ExternalBackend:
    """Refuses every push, before anything is fetched; the service adds the hint how to pull."""

    backend = "external"

    @hookimpl
    def preflight(self, workspace: Workspace, action: Action) -> None:
        """Raises `PushNotSupported` for whatever would change the workspace from here."""
        if action in {Action.INSTALL, Action.UNINSTALL, Action.RESTART}:
            raise PushNotSupported

    @hookimpl
    def is_running(self, workspace: Workspace) -> RunState:
        """Nobody here can say that it does not run, and nothing depends on it."""
        return RunState.RUNNING

    @hookimpl
    def deliver(self, workspace: Workspace, bundle: Bundle) -> Receipt:
        """Raises `PushNotSupported`."""
        raise PushNotSupported

    @hookimpl
    def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        """Raises `PushNotSupported`."""
        raise PushNotSupported

    @hookimpl
    def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        """Nothing: what was pulled is in the service's own record, and nobody has read it back."""
        return []


provider = ExternalBackend()
