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

    `backend` is filled in by the core before any backend hook sees the workspace. `org` and `runtime` are
    None where they are not known. `options` belongs to the backend (for `host`: `path`, its config dir).
    """

    id: str
    org: str | None = None
    runtime: str | None = None
    backend: str | None = None
    container: str | None = None
    instance_id: str | None = None
    options: Mapping[str, JSON] = field(default_factory=lambda: EMPTY)

    @property
    def container_name(self) -> str:
        """The container's name: the row's, else `ws-<id>`."""
        return self.container or f"ws-{self.id}"

    @property
    def runtime_name(self) -> str | None:
        """The runtime in one spelling: lower case, `-` for `_`; None where it is not known."""
        return normalise_runtime(self.runtime) if self.runtime else None


def normalise_runtime(runtime: str) -> str:
    """One spelling for a runtime's name: `claude_code` and `claude-code` are equal."""
    return runtime.strip().lower().replace("_", "-")


class RunStateKind(StrEnum):
    """The three answers to "is it running?"."""

    RUNNING = "running"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RunState:
    """Whether a workspace runs: `RunState.RUNNING`, `RunState.STOPPED` or `RunState.unknown(reason)`.

    STOPPED means that the engine said so (exited, never started, absent). UNKNOWN means that nobody could
    say (a hung daemon, a throttled cloud); its reason is for the log and never reaches a client.
    """

    kind: RunStateKind
    reason: str | None = None

    RUNNING: ClassVar[RunState]
    STOPPED: ClassVar[RunState]

    @classmethod
    def unknown(cls, reason: str) -> RunState:
        """The state of a workspace that could not be asked; `reason` is for the log alone."""
        return cls(RunStateKind.UNKNOWN, reason)


RunState.RUNNING = RunState(RunStateKind.RUNNING)
RunState.STOPPED = RunState(RunStateKind.STOPPED)
