"""Providers for tests of the service itself: a backend in memory, a source whose fetch the test writes."""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

from plugport.hookspecs import (
    Action,
    Bundle,
    InstalledPlugin,
    Receipt,
    Removal,
    Resolved,
    RunState,
    Source,
    Workspace,
    hookimpl,
)


class MemoryBackend:
    """Keeps bundles in memory, as `plugins[workspace][name]`. `state` is what `is_running` returns."""

    def __init__(self, backend: str = "memory", state: RunState = RunState.RUNNING) -> None:
        self.backend, self.state = backend, state
        self.plugins: dict[str, dict[str, Bundle]] = {}
        self.deliveries: list[tuple[str, str, str]] = []
        self.at_once: dict[str, int] = {}
        self.most_at_once = 0
        self.seconds = 0.0

    @hookimpl
    def is_running(self, workspace: Workspace) -> RunState:
        return self.state

    @hookimpl
    async def deliver(self, workspace: Workspace, bundle: Bundle) -> Receipt:
        self.at_once[workspace.id] = self.at_once.get(workspace.id, 0) + 1
        self.most_at_once = max(self.most_at_once, self.at_once[workspace.id])
        try:
            await asyncio.sleep(self.seconds)
            self.plugins.setdefault(workspace.id, {})[bundle.name] = bundle
            self.deliveries.append((workspace.id, bundle.name, bundle.digest))
        finally:
            self.at_once[workspace.id] -= 1
        return Receipt(bundle.digest)

    @hookimpl
    def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        self.plugins.get(workspace.id, {}).pop(removal.name, None)
        return Receipt(None)

    @hookimpl
    def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        plugins = self.plugins.get(workspace.id, {})
        return [InstalledPlugin(name, bundle.digest, bundle.manifest) for name, bundle in plugins.items()]

    @hookimpl
    def restart(self, workspace: Workspace) -> None:
        return None


class StubSource:
    """A source `stub://…` that calls the test's `fetch(destination)`. `asked` counts the calls."""

    schemes = ("stub",)

    def __init__(self, fetch: Callable[[Path], Resolved]) -> None:
        self._fetch = fetch
        self.asked = 0

    @hookimpl
    def resolve_source(self, source: Source, destination: Path) -> Resolved:
        self.asked += 1
        return self._fetch(destination)


class Lookup:
    """A directory of workspaces in memory. An answer that is an exception is raised."""

    def __init__(self, answers: dict[str, Workspace | Exception]) -> None:
        self._answers = answers

    @hookimpl
    def lookup_workspace(self, workspace_id: str) -> Workspace | None:
        answer = self._answers.get(workspace_id)
        if isinstance(answer, Exception):
            raise answer
        return answer


class PullingBackend:
    """A backend whose workspaces pull; `preflight` refuses as the built-in `external` does."""

    backend = "pulling"

    @hookimpl
    def preflight(self, workspace: Workspace, action: Action) -> None:
        from plugport.hookspecs.errors import PushNotSupported

        raise PushNotSupported

    @hookimpl
    def is_running(self, workspace: Workspace) -> RunState:
        return RunState.RUNNING

    @hookimpl
    def deliver(self, workspace: Workspace, bundle: Bundle) -> Receipt:
        raise AssertionError("nothing is pushed into a workspace that pulls")


def tree_of(archive: bytes) -> dict[str, bytes]:
    """The files of a tar.gz."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        files = [member for member in opened.getmembers() if member.isfile()]
        return {member.name: opened.extractfile(member).read() for member in files}  # type: ignore[union-attr]
