"""Errors of the request itself: its form, its size, its token, and the records that it names or clashes with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from .base import PlugportError, declared, error_field


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with a request: `where` it is (`body.source`, `query.limit`) and `what` it must be."""

    where: str
    what: str


@declared
class InvalidRequest(PlugportError):
    """Raised when a body, a parameter or a header is not what the route takes."""

    slug, status, title = "invalid-request", 400, "Invalid request"
    problems: Sequence[FieldProblem] = error_field(member="errors")

    def __init__(self, *problems: FieldProblem) -> None:
        self.problems = problems
        self.__post_init__()

    @property
    def detail(self) -> str:
        """The problems in their order, or that there is one."""
        return "; ".join(f"{each.where}: {each.what}" for each in self.problems) or "The request is not valid."


class RouteNotFound(PlugportError):
    """Raised when no route has the path."""

    slug, status, title = "not-found", 404, "No such route"
    detail_template = "Nothing is served under this path. /docs lists the routes."


@declared
class MethodNotAllowed(PlugportError):
    """Raised when a route does not know the method; `allowed` goes into the header `Allow`."""

    slug, status, title = "method-not-allowed", 405, "Method not allowed"
    detail_template = "This route takes {allowed}."
    allowed: Sequence[str] = error_field(clean=tuple)


class Unauthenticated(PlugportError):
    """Raised when a request has no valid bearer token."""

    slug, status, title = "unauthenticated", 401, "Unauthenticated"
    detail_template = "Send a valid token: Authorization: Bearer <token>."


class Forbidden(PlugportError):
    """Raised when the token is valid and does not open this."""

    slug, status, title = "forbidden", 403, "Forbidden"
    detail_template = "This token does not open this resource."


class WorkspaceNotFound(PlugportError):
    """Raised when neither a lookup nor the service's own table knows the workspace."""

    slug, status, title = "workspace-not-found", 404, "Workspace not found"
    detail_template = "No workspace has this id. An admin registers one with POST /workspaces."


class WorkspaceExists(PlugportError):
    """Raised when a workspace is registered under an id that is taken."""

    slug, status, title = "workspace-exists", 409, "Workspace exists"
    detail_template = "A workspace has this id already. Change it with PATCH /workspaces/{{id}}."


@declared
class RequestTooLarge(PlugportError):
    """Raised when a request's body is larger than the service takes; `limit` in bytes."""

    slug, status, title = "request-too-large", 413, "Request too large"
    detail_template = "A request's body has at most {limit} bytes."
    limit: int


@declared
class RangeNotSatisfiable(PlugportError):
    """Raised when no byte range of a request overlaps the file, which has `size` bytes."""

    slug, status, title = "range-not-satisfiable", 416, "Range not satisfiable"
    detail_template = "The file has {size} bytes, and none of them is in a range of the request."
    size: int = error_field(clean=int)


@declared
class RateLimited(PlugportError):
    """Raised when a token has used up its requests; `retry_after` in seconds, at least 1."""

    slug, status, title = "rate-limited", 429, "Too many requests"
    detail_template = "Too many requests. Try again in {retry_after} seconds."
    retry_after: int = error_field(clean=lambda seconds: max(1, int(seconds)), member=None)


class ReadinessFault(StrEnum):
    """Why the service cannot handle requests, as a closed list."""

    STARTING = "it is starting or stopping"
    DATABASE = "its database does not answer"
    DISK_FULL = "the disk of its data directory is full"
    UNWRITABLE = "its data directory cannot be written"


@declared
class NotReady(PlugportError):
    """Raised by the readiness probe, and while the service starts or stops."""

    slug, status, title = "not-ready", 503, "Not ready"
    detail_template = "The service cannot handle requests now: {because}. Try again shortly."
    retry_after = 2
    reason: str = ""
    because: ReadinessFault = error_field(default=ReadinessFault.STARTING, clean=ReadinessFault)
