"""Operations as values: what a client asks for, and what is stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ...hookspecs.values import JSON, Action, Source

OPEN = ("queued", "running")
"""The statuses of an operation that has not ended."""


@dataclass(frozen=True, slots=True)
class InstallRequest:
    """A request to install. `digest` pins the fetched tree, `sha256` pins its `plugin.yaml`; `restart` asks for a
    restart of the agent afterwards. `name` is another name for the plugin; `replace` lets it take the place of a
    plugin of another origin, `adopt` that of something that plugport did not put there. `grants` are the trusts that
    the caller gives (see `Grant`), `ask` lets the agent be asked, `require_seen` makes its "no" a failure."""

    action: ClassVar[Action] = Action.INSTALL
    plugin: ClassVar[None] = None
    source: Source
    digest: str | None = None
    sha256: str | None = None
    restart: bool = True
    name: str | None = None
    replace: bool = False
    adopt: bool = False
    grants: tuple[str, ...] = ()
    ask: bool = True
    require_seen: bool = False

    def to_json(self) -> dict[str, JSON]:
        """Return the request as the column `request` holds it."""
        return {
            "source": str(self.source),
            "digest": self.digest,
            "sha256": self.sha256,
            "restart": self.restart,
            **({"as": self.name} if self.name is not None else {}),
            **({"replace": True} if self.replace else {}),
            **({"adopt": True} if self.adopt else {}),
            **({"grant": list(self.grants)} if self.grants else {}),
            **({} if self.ask else {"ask": False}),
            **({"require_seen": True} if self.require_seen else {}),
        }


@dataclass(frozen=True, slots=True)
class UninstallRequest:
    """A request to uninstall the plugin of this name; `restart` asks for a restart of the agent afterwards. `adopt`
    removes it even if plugport did not put it there."""

    action: ClassVar[Action] = Action.UNINSTALL
    source: ClassVar[None] = None
    plugin: str
    restart: bool = True
    adopt: bool = False

    def to_json(self) -> dict[str, JSON]:
        """Return the request as the column `request` holds it. The name has a column of its own."""
        return {"restart": self.restart, **({"adopt": True} if self.adopt else {})}


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """A request to put back what was set aside of the plugin of this name: the directory `kept`, or the last one."""

    action: ClassVar[Action] = Action.RESTORE
    source: ClassVar[None] = None
    plugin: str
    kept: str | None = None

    def to_json(self) -> dict[str, JSON]:
        """Return the request as the column `request` holds it. The name has a column of its own."""
        return {"kept": self.kept}


Request = InstallRequest | UninstallRequest | RestoreRequest


def request_of_row(kind: str, plugin: str | None, stored: Mapping[str, Any]) -> Request:
    """Build the request from the columns `kind`, `plugin` and `request`, as this or an earlier release wrote them.

    A field that is missing has its default. Never raises: the source was checked when the operation was accepted.
    """
    restart, adopt = bool(stored.get("restart", True)), bool(stored.get("adopt", False))
    if kind == Action.UNINSTALL:
        return UninstallRequest(plugin or "", restart, adopt)
    if kind == Action.RESTORE:
        return RestoreRequest(plugin or "", stored.get("kept"))
    scheme, _, spec = str(stored.get("source")).partition("://")
    return InstallRequest(
        source=Source(scheme, spec),
        digest=stored.get("digest"),
        sha256=stored.get("sha256"),
        restart=restart,
        name=stored.get("as"),
        replace=bool(stored.get("replace", False)),
        adopt=adopt,
        grants=tuple(stored.get("grant", ())),
        ask=bool(stored.get("ask", True)),
        require_seen=bool(stored.get("require_seen", False)),
    )


@dataclass(frozen=True, slots=True)
class NewOperation:
    """An operation that is not stored yet. Two with the same `idempotency_key` in one workspace are the same."""

    workspace: str
    actor: str
    request_id: str
    request: Request
    idempotency_key: str | None = None

    @property
    def fingerprint(self) -> str:
        """The sha256 (hex) of the request: a repeated idempotency key must come with the same fingerprint."""
        request = self.request
        text = json.dumps([request.action.value, request.plugin, request.to_json()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Operation:
    """One stored operation. Times are in seconds since 1970. `error` is the problem document of a failure, `result`
    the reply of a success; `attempts` counts how often it was started. `prepared` is what an attempt stored before it
    changed the target."""

    seq: int
    id: str
    kind: str
    workspace: str
    actor: str
    request_id: str
    request: Request
    idempotency_key: str | None
    fingerprint: str
    plugin: str | None
    source: str | None
    digest: str | None
    status: str
    phase: str
    attempts: int
    created_at: float
    finished_at: float | None
    result: Mapping[str, JSON] | None
    error: Mapping[str, JSON] | None
    prepared: Mapping[str, JSON] | None = None

    @property
    def finished(self) -> bool:
        """Whether the operation has ended, with success or failure."""
        return self.status not in OPEN


class LeaseLost(Exception):
    """Raised when another worker has taken over the workspace: this worker leaves the operation as it is."""
