"""Errors of an operation as such: unknown, asked for twice, or not allowed by a policy."""

from __future__ import annotations

from .base import PlugportError, declared, error_field, escaped


class OperationNotFound(PlugportError):
    """Raised when no operation, or none that the token may see, has the id."""

    slug, status, title = "operation-not-found", 404, "Operation not found"
    detail_template = "No operation has this id."


class IdempotencyConflict(PlugportError):
    """Raised when an idempotency key comes back with another request."""

    slug, status, title = "idempotency-conflict", 409, "Idempotency key in use"
    detail_template = "This Idempotency-Key was used in this workspace for another request. Use a new one."


@declared
class NameTaken(PlugportError):
    """Raised when a plugin of the same name, from another origin, is installed in the workspace."""

    slug, status, title = "name-taken", 409, "Name taken"
    detail_template = (
        "A plugin of this name from {installed} is installed; {requested} is another one. "
        "Send replace: true to replace it, or as: <another name>."
    )
    installed: str
    requested: str


@declared
class NotManaged(PlugportError):
    """Raised when something lies at a plugin's place that plugport did not put there; `path` is where, escaped."""

    slug, status, title = "not-managed", 409, "Not managed by plugport"
    detail_template = "plugport did not put {path} there. Send adopt: true to take it over."
    path: str = error_field(clean=escaped)


@declared
class PlaceBlocked(PlugportError):
    """Raised when something lies where plugport keeps its own files on a target: nothing was changed.

    `path` is where, escaped.
    """

    slug, status, title = "place-blocked", 409, "Place blocked"
    detail_template = (
        "plugport keeps its own files at {path}, and something else lies there. Move it away, and try again."
    )
    path: str = error_field(clean=escaped)


class PluginNotAllowed(PlugportError):
    """Raised when the organisation's allowlist or a policy refuses; the reason is in the audit log."""

    slug, status, title = "plugin-not-allowed", 403, "Plugin not allowed"
    detail_template = "The organisation's policy does not allow this plugin here. The audit log has the reason."


class PolicyUnavailable(PlugportError):
    """Raised when a policy, the allowlist or the organisation cannot be asked. The operation is refused then."""

    slug, status, title = "policy-unavailable", 503, "Policy unavailable"
    detail_template = "Whether this plugin is allowed could not be found out. Try again shortly."
    retry_after = 5
