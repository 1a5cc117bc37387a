"""What comes in and what goes out, as pydantic models: the handlers and /openapi.json both go by them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel

Identity = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
BackendName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9._-]{0,63}$")]
Runtime = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
InstanceId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-fA-F]{64}$")]
Sha256 = Annotated[str, Field(pattern=r"^(sha256:)?[0-9a-fA-F]{64}$")]
Text = Annotated[str, Field(min_length=1, max_length=2048)]

_MAX_DEPTH = 16


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """JSON that every database keeps: no NUL, no number beyond JSON's, no endless nesting."""
    waiting: list[tuple[object, int]] = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            raise ValueError(f"is nested at most {_MAX_DEPTH} levels deep")
        if isinstance(one, str) and "\0" in one:
            raise ValueError("has no NUL character")
        if isinstance(one, float) and not math.isfinite(one):
            raise ValueError("has finite numbers alone")
        if isinstance(one, int) and abs(one) >= 2**63:
            raise ValueError("has numbers of at most 64 bits")
        if isinstance(one, Mapping):
            waiting += [(each, depth + 1) for pair in one.items() for each in pair]
        elif isinstance(one, Sequence) and not isinstance(one, str):
            waiting += [(each, depth + 1) for each in one]
    return value


Options = Annotated[dict[str, Any], AfterValidator(_plain)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True)


class WorkspaceChange(_In):
    """What PATCH may change; a field that is left out stays, null clears it."""

    org: Identity | None = None
    runtime: Runtime | None = None
    backend: BackendName | None = None
    container: Identity | None = None
    instance_id: InstanceId | None = None
    options: Options | None = None


class WorkspaceNew(WorkspaceChange):
    """A workspace to register. Its backend follows from runtime and instance where none is given."""

    id: Identity


class WorkspaceOut(_Out):
    """A workspace. `state` is asked of its backend when one workspace is asked for, and left out of lists."""

    id: str
    org: str | None
    runtime: str | None
    backend: str
    container: str | None
    instance_id: str | None
    options: dict[str, Any]
    state: Literal["running", "stopped", "unknown"] | None = None


class WorkspacePage(_Out):
    """Workspaces by id; `next` goes into `cursor` for the page after this one."""

    items: list[WorkspaceOut]
    next: str | None


class TokenOut(_Out):
    """A new token, shown this once and kept as its hash."""

    token: str


class Install(_In):
    """What to install. `digest` pins the tree, `sha256` pins `plugin.yaml`."""

    source: Annotated[str, Field(max_length=4096)]
    digest: Digest | None = None
    sha256: Sha256 | None = None
    restart: bool = True


class Installed(_Out):
    """The reply to an install; `operation` is the operation's id."""

    status: Literal["installed"]
    plugin: str
    source: str
    digest: str
    revision: str | None = None
    restarted: bool
    operation: str


class Uninstalled(_Out):
    """The reply to an uninstall; `left` names what somebody edited, and so stays."""

    status: Literal["uninstalled"]
    plugin: str
    left: list[str]
    restarted: bool
    operation: str


class PluginOut(_Out):
    """A plugin of a workspace. `drift`: `none`, `modified` (another digest than was installed), `missing` (recorded,
    but not on the target), `unmanaged` (on the target, but not installed by this service) or `unknown` (an
    external workspace pulled it, and nobody read it back)."""

    name: str
    version: str | None
    description: str | None = None
    digest: str | None
    source: str | None
    supported_on_runtime: bool
    verified: bool
    drift: Literal["none", "modified", "missing", "unmanaged", "unknown"]
    installed_digest: str | None = None


class RegistryPlugin(_Out):
    """A plugin of the curated registry."""

    name: str
    version: str | None
    description: str | None
    runtimes: list[str]
    skills: list[str]
    source: str
    supported_on_runtime: bool


class Schemes(_Out):
    """The schemes that sources may have."""

    schemes: list[str]


class Allowed(_In):
    """An organisation's allowlist: sources, bare local names, `*` for anything; null takes the list away."""

    plugins: Annotated[list[Text], Field(max_length=4096)] | None


class AllowedIn(RootModel[Allowed | Annotated[list[Text], Field(max_length=4096)]]):
    """An allowlist, as an object or as the plain list of its entries."""


class AllowlistOut(_Out):
    """An allowlist; `plugins` is null where the organisation has none, and everything is allowed."""

    org: str
    plugins: list[str] | None


class OperationOut(_Out):
    """One install or uninstall. Times are RFC 3339 in UTC; `error` is the problem document of a failure."""

    id: str
    kind: Literal["install", "uninstall"]
    workspace: str
    plugin: str | None
    source: str | None
    digest: str | None
    status: Literal["queued", "running", "succeeded", "failed"]
    phase: str
    created_at: str
    finished_at: str | None
    error: dict[str, Any] | None


class OperationPage(_Out):
    """Operations, the newest first; `next` goes into `cursor` for the page after this one."""

    items: list[OperationOut]
    next: str | None


class ProviderOut(_Out):
    """A provider, whatever became of it; `reason` says what to do where it is not loaded."""

    name: str
    distribution: str
    version: str
    status: Literal["loaded", "failed", "blocked"]
    reason: str | None
    hooks: list[str]
    schemes: list[str]
    backend: str | None
    import_seconds: float
    hook_api_version: int
    notes: list[str]


class Health(_Out):
    """A probe's answer."""

    status: str


class Problem(_Out):
    """RFC 9457. `type` ends in the error's slug; `request_id` finds the log line; further members by slug."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    request_id: str


class PageQuery(BaseModel):
    """`limit` (1 to 200) and `cursor` of a list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(min_length=1, max_length=128)] | None = None


class OperationQuery(BaseModel):
    """A list's page, of one workspace where that is given."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,18}$")] | None = None
    workspace: Identity | None = None


class RuntimeQuery(BaseModel):
    """A runtime to filter by."""

    runtime: Runtime | None = None


class RuntimeWanted(BaseModel):
    """The runtime that is asked about."""

    runtime: Runtime


class SourceQuery(BaseModel):
    """Where a download comes from; the local registry's plugin of that name where it is left out."""

    source: Annotated[str, Field(max_length=4096)] | None = None


class RestartQuery(BaseModel):
    """Whether the agent is restarted afterwards."""

    restart: bool = True
