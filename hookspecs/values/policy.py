"""What a policy is asked, and how it refuses."""

from __future__ import annotations

from dataclasses import dataclass

from .bundle import Bundle
from .delivery import Action
from .source import Source
from .workspace import Workspace


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """What `check_policy` is asked: before the fetch with `bundle` None, and again with it after the fetch.

    `actor` is who asks: `admin`, `org:<id>` or `workspace:<id>`.
    """

    action: Action
    workspace: Workspace
    source: Source | None
    actor: str
    bundle: Bundle | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A policy's no. The reason goes to the log and to the audit, not into the response."""

    reason: str
