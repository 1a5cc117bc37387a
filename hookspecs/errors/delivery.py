"""Errors of a delivery: the target cannot take it, or it failed on the way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from .base import PlugportError, declared, error_field, escaped


@dataclass(frozen=True, slots=True)
class PullHint:
    """How an external workspace gets its plugin: the route, and the command that is ready to be run."""

    method: str
    endpoint: str
    command: str


_UNCHANGED: Final = "The plugin could not be delivered. What was installed before is still there, whole."


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
    """Raised when the target refuses or breaks (disk full, read-only, not a directory).

    The core sets `is_unchanged` if it has looked at the target after that, and saw there what was there before.
    """

    slug, status, title = "delivery-failed", 502, "Delivery failed"
    detail_template = (
        "The plugin could not be delivered. The target has what was there before, or the new version, whole."
    )
    is_unchanged = False

    @property
    def detail(self) -> str:
        """See `PlugportError.detail`: that the old version is still there is said only if it was seen."""
        return _UNCHANGED if self.is_unchanged else super().detail


class ActivationFault(Enum):
    """Why a plugin cannot be made active; each value says what stands at the path."""

    UNPARSABLE = "cannot be parsed"
    UNSAFE = "cannot be edited without changing something else in it"
    CONFLICT = "has another value already at that place"
    FOREIGN = "is not plugport's"
    LINK = "is a link, or lies behind one"
    TOO_LARGE = "is too large"
    RESERVED = "is a name that the runtime uses itself"
    NAME = "is a name that the runtime refuses"
    TAKEN = "is a name that another plugin of the runtime has"
    CHANGING = "kept changing while the plugin was made active"
    NOT_SEEN = "is not seen by the agent"
    NO_WAY_BACK = "could not be put back as it is: its version is neither in the cache nor at its source any more"
    LAYOUT = "could not be laid out: the layout failed"
    NO_ACTIVATION = "needs a backend that can activate plugins"

    def __str__(self) -> str:
        return self.value


def _path(path: str) -> str:
    return escaped(path)


@declared
class ActivationImpossible(PlugportError):
    """Raised when a plugin cannot be made active in the runtime: nothing was changed, the old version stays.

    `path` is relative to the config dir, or to the home (`~/`); `line` counts from 1 and is None if it is not known.
    """

    slug, status, title = "activation-impossible", 422, "Activation impossible"
    detail_template = "The plugin cannot be made active, and nothing was changed: {path} {fault}."
    path: str = error_field(clean=_path)
    fault: ActivationFault
    line: int | None = None


class InsufficientStorage(PlugportError):
    """Raised when the service's own disk is full: nothing was delivered."""

    slug, status, title = "insufficient-storage", 507, "Insufficient storage"
    detail_template = "The service has no room left on its disk. Tell whoever runs it, and try again later."
    retry_after = 60


class DeliveryTimeout(PlugportError):
    """Raised when a delivery makes no progress in time; the old version or the new one is there, whole."""

    slug, status, title = "delivery-timeout", 504, "Delivery timed out"
    detail_template = "The target did not finish in time. It holds the old version or the new one, whole; try again."
