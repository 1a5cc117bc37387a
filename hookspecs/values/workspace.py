"""Workspaces: where agents run, and whether they do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from ..json import EMPTY, JSON


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where one agent runs.

    `backend` and `layout` are filled in by the core before any backend hook sees the workspace. `org` and `runtime`
    are None if they are not known. `options` belongs to the backend (for `host`: `path`, its config dir).
    """

    id: str
    org: str | None = None
    runtime: str | None = None
    backend: str | None = None
    container: str | None = None
    instance_id: str | None = None
    options: Mapping[str, JSON] = field(default_factory=lambda: EMPTY)
    layout: str | None = None

    @property
    def container_name(self) -> str:
        """The container's name: `container`, else `ws-<id>`."""
        return self.container or f"ws-{self.id}"

    @property
    def runtime_name(self) -> str | None:
        """The runtime in one spelling: lower case, with `-` for `_`; None if it is not known."""
        return normalise_runtime(self.runtime) if self.runtime else None


def normalise_runtime(runtime: str) -> str:
    """Return a runtime's name in one spelling: `claude_code` becomes `claude-code`."""
    return runtime.strip().lower().replace("_", "-")


class RunStateKind(StrEnum):
    """The three answers to "is it running?"."""

    RUNNING = "running"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RunState:
    """Whether a workspace runs: `RunState.RUNNING`, `RunState.STOPPED` or `RunState.unknown(reason)`.

    STOPPED means that the engine said so (exited, never started, absent). UNKNOWN means that it could not be found
    out (a hung daemon, a throttled cloud); its reason is for the log and never reaches a client.
    """

    kind: RunStateKind
    reason: str | None = None

    RUNNING: ClassVar[RunState]
    STOPPED: ClassVar[RunState]

    @classmethod
    def unknown(cls, reason: str) -> RunState:
        """Return the state of a workspace whose state could not be found out. `reason` is for the log alone."""
        return cls(RunStateKind.UNKNOWN, reason)


RunState.RUNNING = RunState(RunStateKind.RUNNING)
RunState.STOPPED = RunState(RunStateKind.STOPPED)
