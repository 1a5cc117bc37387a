"""The one tree of errors: what may go wrong, as a client sees it.

Each class fixes a slug, a status and a title. A constructor takes safe, typed fields only (numbers, enums,
names that were validated, and `reason`, which is for the log alone); what went wrong underneath is chained with
`raise … from …`, again for the log alone. `detail` is the sentence for the client, `members` are the fields that
the problem document has beside RFC 9457's own. `str(error)` is for the log.

A provider may raise the classes that its hook's documentation names; anything else that it raises becomes a
`HookFailed` and reaches the client as the hook's general failure, without a word of the provider's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from ..json import EMPTY, JSON


class PlugportError(Exception):
    """The root. Raised only through its subclasses."""

    slug: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retry_after: int | None = None
    """Seconds after which a client may try again; sent as `Retry-After`."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def detail(self) -> str:
        """One sentence for the client that says what to do."""
        return "Something went wrong on our side. Quote the request id to whoever runs this service."

    @property
    def members(self) -> Mapping[str, JSON]:
        """Further members of the problem document."""
        return EMPTY

    def __repr__(self) -> str:
        return f"{type(self).__name__}(slug={self.slug!r}, reason={self.reason!r})"


class Internal(PlugportError):
    """Raised in place of anything that nobody foresaw."""


# What the request itself gets wrong


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with a request: `where` it is (`body.source`, `query.limit`) and `what` must be."""

    where: str
    what: str


class InvalidRequest(PlugportError):
    """Raised when a body, a parameter or a header is not what the route takes."""

    slug, status, title = "invalid-request", 400, "Invalid request"

    def __init__(self, *problems: FieldProblem) -> None:
        super().__init__("; ".join(f"{problem.where} {problem.what}" for problem in problems))
        self.problems: Sequence[FieldProblem] = problems

    @property
    def detail(self) -> str:
        return (
            "; ".join(f"{problem.where}: {problem.what}" for problem in self.problems) or "The request is not valid."
        )

    @property
    def members(self) -> Mapping[str, JSON]:
        return {"errors": [{"where": problem.where, "what": problem.what} for problem in self.problems]}


class RouteNotFound(PlugportError):
    """Raised when no route has the path."""

    slug, status, title = "not-found", 404, "No such route"

    @property
    def detail(self) -> str:
        return "Nothing is served under this path. /docs lists the routes."


class MethodNotAllowed(PlugportError):
    """Raised when a route does not know the method; `allowed` goes into the header `Allow`."""

    slug, status, title = "method-not-allowed", 405, "Method not allowed"

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(", ".join(allowed))
        self.allowed = tuple(allowed)

    @property
    def detail(self) -> str:
        return f"This route takes {', '.join(self.allowed)}."

    @property
    def members(self) -> Mapping[str, JSON]:
        return {"allowed": list(self.allowed)}


class SourceFault(StrEnum):
    """What is wrong with a source, as a closed list: nothing of the text is repeated."""

    EMPTY = "give a source as scheme://spec, or the bare name of a plugin of the local registry"
    MALFORMED = "a source is scheme://spec without blanks or control characters, in at most 2,048 characters"
    TRAVERSAL = "a local name is one path segment: letters, digits, dot, dash and underscore"
    BAD_REPOSITORY = "name the repository as owner/repository"
    BAD_REF = "a ref must not start with a dash and must be a valid git ref name or a full commit SHA"
    BAD_HOST = "this host is not one that sources may reach"
    BAD_SPEC = "the scheme's provider does not understand this spec"


class InvalidSource(PlugportError):
    """Raised when a source cannot be read, by the core or by a source provider before it fetches."""

    slug, status, title = "invalid-source", 400, "Invalid source"

    def __init__(self, fault: SourceFault, reason: str = "") -> None:
        super().__init__(reason or str(fault))
        self.fault = SourceFault(fault)

    @property
    def detail(self) -> str:
        return f"source: {self.fault.value}"

    @property
    def members(self) -> Mapping[str, JSON]:
        return {"fault": self.fault.name.lower().replace("_", "-")}


class InvalidPluginName(PlugportError):
    """Raised when a plugin's name, from a path, a source or a manifest, is not a plain name."""

    slug, status, title = "invalid-plugin-name", 400, "Invalid plugin name"

    @property
    def detail(self) -> str:
        return (
            "A plugin's name has 1 to 128 letters, digits, dots, dashes and underscores, "
            "and starts with a letter or a digit."
        )


class NameMismatch(PlugportError):
    """Raised when the name that was asked for, the source's and the manifest's do not agree."""

    slug, status, title = "name-mismatch", 400, "Names disagree"

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"{expected!r} was expected, {found!r} was found")
        self.expected, self.found = expected, found

    @property
    def detail(self) -> str:
        return f"The plugin was expected to be called {self.expected}, but it calls itself {self.found}."

    @property
    def members(self) -> Mapping[str, JSON]:
        return {"expected": self.expected, "found": self.found}


class UnknownScheme(PlugportError):
    """Raised when no source provider has the scheme."""

    slug, status, title = "unknown-scheme", 400, "Unknown scheme"

    def __init__(self, available: Sequence[str]) -> None:
        super().__init__("available: " + ", ".join(available))
        self.available = tuple(sorted(available))

    @property
    def detail(self) -> str:
        return f"No source has this scheme. Available: {', '.join(self.available) or 'none'}."

    @property
    def members(self) -> Mapping[str, JSON]:
        return {"available_schemes": list(self.available)}


# Who may


class Unauthenticated(PlugportError):
    """Raised when a request has no valid bearer token."""

    slug, status, title = "unauthenticated", 401, "Unauthenticated"

    @property
    def detail(self) -> str:
        return "Send a valid token: Authorization: Bearer <token>."


class Forbidden(PlugportError):
    """Raised when the token is valid and does not open this."""

    slug, status, title = "forbidden", 403, "Forbidden"

    @property
    def detail(self) -> str:
        return "This token does not open this resource."


class PluginNotAllowed(PlugportError):
    """Raised when the organisation's allowlist or a policy refuses; the reason is in the audit log."""

    slug, status, title = "plugin-not-allowed", 403, "Plugin not allowed"

    @property
    def detail(self) -> str:
        return "The organisation's policy does not allow this plugin here. The audit log has the reason."


# What is not there


class WorkspaceNotFound(PlugportError):
    """Raised when neither a lookup nor the service's own table knows the workspace."""

    slug, status, title = "workspace-not-found", 404, "Workspace not found"

    @property
    def detail(self) -> str:
        return "No workspace has this id. An admin registers one with POST /workspaces."


class OperationNotFound(PlugportError):
    """Raised when no operation, or none that the token may see, has the id."""

    slug, status, title = "operation-not-found", 404, "Operation not found"

    @property
    def detail(self) -> str:
        return "No operation has this id."


class PluginNotFound(PlugportError):
    """Raised by a source that does not have the plugin, and by the service when it is not installed.

    `scheme` is filled in by the core when a fetch says so.
    """

    slug, status, title = "plugin-not-found", 404, "Plugin not found"

    def __init__(self, reason: str = "", *, scheme: str | None = None) -> None:
        super().__init__(reason)
        self.scheme = scheme

    @property
    def detail(self) -> str:
        if self.scheme is not None:
            return f"failed to fetch plugin from {self.scheme}"
        return "No plugin of this name is installed in the workspace."


# What clashes


class IdempotencyConflict(PlugportError):
    """Raised when an idempotency key comes back with another request."""

    slug, status, title = "idempotency-conflict", 409, "Idempotency key in use"

    @property
    def detail(self) -> str:
        return "This Idempotency-Key was used in this workspace for another request. Use a new one."


class WorkspaceExists(PlugportError):
    """Raised when a workspace is registered under an id that is taken."""

    slug, status, title = "workspace-exists", 409, "Workspace exists"

    @property
    def detail(self) -> str:
        return "A workspace has this id already. Change it with PATCH /workspaces/{id}."


class HostKeyMismatch(PlugportError):
    """Raised when an instance shows another host key than the one that is known for it, or when none is known and the
    first one seen is not to be trusted."""

    slug, status, title = "host-key-mismatch", 409, "Host key mismatch"

    @property
    def detail(self) -> str:
        return (
            "The instance's host key is not the one that is known for it, or none is known and the first one is not "
            "trusted here. Where a new key is expected, an admin forgets the old one with "
            "DELETE /workspaces/{id}/host-key."
        )


# What is too much


class RequestTooLarge(PlugportError):
    """Raised when a request's body is larger than the service takes; `limit` in bytes."""

    slug, status, title = "request-too-large", 413, "Request too large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"limit {limit}")
        self.limit = limit

    @property
    def detail(self) -> str:
        return f"A request's body has at most {self.limit} bytes."

    @property
    def members(self) -> Mapping[str, JSON]:
        return {"limit": self.limit}


class BundleTooLarge(PlugportError):
    """Raised when a fetched tree has more bytes (or, with `unit="files"`, more files) than the limit."""

    slug, status, title = "bundle-too-large", 413, "Plugin too large"

    def __init__(self, limit: int, unit: str = "bytes") -> None:
        super().__init__(f"limit {limit} {unit}")
        self.limit = int(limit)
        self.unit = "files" if unit == "files" else "bytes"

    @property
    def detail(self) -> str:
        return f"The plugin has more than {self.limit} {self.unit}."

    @property
    def members(self) -> Mapping[str, JSON]:
        return {"limit": self.limit, "unit": self.unit}


class RateLimited(PlugportError):
    """Raised when a token has used up its requests; `retry_after` in seconds."""

    slug, status, title = "rate-limited", 429, "Too many requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"retry after {retry_after} s")
        self.retry_after = max(1, retry_after)

    @property
    def detail(self) -> str:
        return f"Too many requests. Try again in {self.retry_after} seconds."


# What the plugin gets wrong


class UnpinnedSource(PlugportError):
    """Raised by a source whose spec names no fixed state (no tag, branch or commit)."""

    slug, status, title = "unpinned-source", 422, "Unpinned source"

    @property
    def detail(self) -> str:
        return "Pin the source to a tag, a branch or a full commit SHA, as in github://owner/repository#v1.2.0."


class DigestMismatch(PlugportError):
    """Raised when what was fetched does not have the digest that the request pins."""

    slug, status, title = "digest-mismatch", 422, "Digest mismatch"

    def __init__(self, field: str, expected: str, actual: str) -> None:
        super().__init__(f"{field}: {expected} was expected, {actual} was found")
        self.field, self.expected, self.actual = field, expected, actual

    @property
    def detail(self) -> str:
        return f"{self.field}: {self.expected} was pinned, but what was fetched has {self.actual}."

    @property
    def members(self) -> Mapping[str, JSON]:
        return {"field": self.field, "expected": self.expected, "actual": self.actual}


class ManifestInvalid(PlugportError):
    """Raised when `plugin.yaml` cannot be used; `field` is the key at fault, or `plugin.yaml` as a whole."""

    slug, status, title = "manifest-invalid", 422, "Manifest not valid"

    def __init__(self, field: str, what: str) -> None:
        super().__init__(f"{field}: {what}")
        self.field, self.what = field, what

    @property
    def detail(self) -> str:
        return f"{self.field}: {self.what}"

    @property
    def members(self) -> Mapping[str, JSON]:
        return {"field": self.field}


class BundleFault(StrEnum):
    """Why a tree is refused."""

    LINK_OUTSIDE = "a link leaves the plugin"
    LINK_BROKEN = "a link leads nowhere"
    HARD_LINK = "a hard link to a file outside the plugin"
    SPECIAL = "a device, a pipe or a socket"
    SETUID = "a setuid, setgid or sticky bit"
    NAME = "a name with a control character, a backslash, or bytes that are not UTF-8, or one that is too long"
    CASE = "two names that differ by case alone"
    BOMB = "it expands to far more than it holds"
    EMPTY = "there is no file in it"
    CHANGED = "it changed while it was read"


class UnsafeBundle(PlugportError):
    """Raised when a fetched tree must not be delivered; `path` is where, below the plugin's root."""

    slug, status, title = "unsafe-bundle", 422, "Unsafe plugin"

    def __init__(self, path: str, fault: BundleFault) -> None:
        shown = path.encode("unicode_escape", "backslashreplace").decode("ascii")[:512]
        super().__init__(f"{shown}: {fault.value}")
        self.path, self.fault = shown, fault

    @property
    def detail(self) -> str:
        return f"{self.path}: {self.fault.value}"

    @property
    def members(self) -> Mapping[str, JSON]:
        return {"path": self.path, "fault": self.fault.name.lower().replace("_", "-")}


# What the target does not do


@dataclass(frozen=True, slots=True)
class PullHint:
    """How an external workspace gets its plugin: the route, and the command that is ready to be run."""

    method: str
    endpoint: str
    command: str


class PushNotSupported(PlugportError):
    """Raised by a backend whose workspaces pull. The core fills the hint in, a provider raises it bare."""

    slug, status, title = "push-not-supported", 422, "Push not supported"

    def __init__(self, hint: PullHint | None = None) -> None:
        super().__init__()
        self.hint = hint

    @property
    def detail(self) -> str:
        return "This workspace pulls its plugins: nothing can be pushed into it. The hint says how to pull."

    @property
    def members(self) -> Mapping[str, JSON]:
        if self.hint is None:
            return EMPTY
        return {"hint": {"method": self.hint.method, "endpoint": self.hint.endpoint, "command": self.hint.command}}


class UnsupportedTarget(PlugportError):
    """Raised when a target cannot do what is asked: an image without a shell cannot uninstall."""

    slug, status, title = "unsupported-target", 422, "Unsupported target"

    @property
    def detail(self) -> str:
        return "The workspace's image or host lacks what this needs (a shell with the usual tools)."


# What fails, and what is away


class SourceUnavailable(PlugportError):
    """Raised when a source cannot be reached or answers with an error; `scheme` is filled in by the core."""

    slug, status, title = "source-unavailable", 502, "Source unavailable"

    def __init__(self, reason: str = "", *, scheme: str = "its source") -> None:
        super().__init__(reason)
        self.scheme = scheme

    @property
    def detail(self) -> str:
        return f"failed to fetch plugin from {self.scheme}"


class SourceTimeout(SourceUnavailable):
    """Raised when a source does not answer in time."""

    slug, status, title = "source-timeout", 504, "Source timed out"


class DeliveryFailed(PlugportError):
    """Raised when the target refuses or breaks (disk full, read-only, not a directory): the old version stays."""

    slug, status, title = "delivery-failed", 502, "Delivery failed"

    @property
    def detail(self) -> str:
        return "The plugin could not be delivered. What was installed before is still there, whole."


class DeliveryTimeout(PlugportError):
    """Raised when a delivery makes no progress in time; the old version or the new one is there, whole."""

    slug, status, title = "delivery-timeout", 504, "Delivery timed out"

    @property
    def detail(self) -> str:
        return "The target did not finish in time. It holds the old version or the new one, whole; try again."


class WorkspaceNotRunning(PlugportError):
    """Raised when the workspace is stopped, or its container or instance is absent."""

    slug, status, title = "workspace-not-running", 503, "Workspace not running"

    @property
    def detail(self) -> str:
        return "The workspace does not run. Start it, then try again."


class BackendUnavailable(PlugportError):
    """Raised when nobody can say whether the workspace runs, or the engine or cloud cannot be reached."""

    slug, status, title = "backend-unavailable", 503, "Backend unavailable"
    retry_after = 5

    @property
    def detail(self) -> str:
        return "The workspace's engine does not answer at the moment. Try again shortly."


class PolicyUnavailable(PlugportError):
    """Raised when a policy, the allowlist or the organisation cannot be asked: closed, not open."""

    slug, status, title = "policy-unavailable", 503, "Policy unavailable"
    retry_after = 5

    @property
    def detail(self) -> str:
        return "Whether this plugin is allowed could not be found out. Try again shortly."


class NotReady(PlugportError):
    """Raised by the readiness probe, and while the service starts or stops."""

    slug, status, title = "not-ready", 503, "Not ready"
    retry_after = 2

    @property
    def detail(self) -> str:
        return "The service is starting or stopping. Try again shortly."
