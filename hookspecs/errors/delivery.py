"""Errors of a delivery: the target cannot take it, or it failed on the way."""

from __future__ import annotations

from dataclasses import dataclass

from .base import PlugportError, declared


@dataclass(frozen=True, slots=True)
class PullHint:
    """How an external workspace gets its plugin: the route, and the command that is ready to be run."""

    method: str
    endpoint: str
    command: str


@declared
class PushNotSupported(PlugportError):
    """Raised by a backend whose workspaces pull. A provider raises it bare; the core fills the hint in."""

    slug, status, title = "push-not-supported", 422, "Push not supported"
    detail_template = "This workspace pulls its plugins: nothing can be pushed into it. The hint says how to pull."
    hint: PullHint | None = None


class UnsupportedTarget(PlugportError):
    """Raised when a target cannot do what is asked: an image without a shell cannot uninstall."""

    slug, status, title = "unsupported-target", 422, "Unsupported target"
    detail_template = "The workspace's image or host lacks what this needs (a shell with the usual tools)."


class DeliveryFailed(PlugportError):
    """Raised when the target refuses or breaks (disk full, read-only, not a directory): the old version stays."""

    slug, status, title = "delivery-failed", 502, "Delivery failed"
    detail_template = "The plugin could not be delivered. What was installed before is still there, whole."


class InsufficientStorage(PlugportError):
    """Raised when the service's own disk is full: nothing was delivered."""

    slug, status, title = "insufficient-storage", 507, "Insufficient storage"
    detail_template = "The service has no room left on its disk. Tell whoever runs it, and try again later."
    retry_after = 60


class DeliveryTimeout(PlugportError):
    """Raised when a delivery makes no progress in time; the old version or the new one is there, whole."""

    slug, status, title = "delivery-timeout", 504, "Delivery timed out"
    detail_template = "The target did not finish in time. It holds the old version or the new one, whole; try again."
