"""The question to a policy, and its refusal."""

from __future__ import annotations

from dataclasses import dataclass

from .bundle import Bundle
from .delivery import Action
from .source import Source
from .workspace import Workspace


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """What `check_policy` decides on: before the fetch, with `bundle` None, and again after it, with the bundle.

    `actor` is the caller: `admin`, `org:<id>` or `workspace:<id>`.
    """

    action: Action
    workspace: Workspace
    source: Source | None
    actor: str
    bundle: Bundle | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A policy's refusal. `reason` goes to the log and to the audit log, never to the client."""

    reason: str
