"""The requests and replies of the API as pydantic models. The handlers and /openapi.json both use them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from ..inventory import Drift
from .model_fields import BackendName, Digest, InstanceId, Name, Options, Runtime, Sha256, Text


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True)


class WorkspaceChange(_In):
    """What PATCH may change. A field that you leave out keeps its value; null removes it."""

    org: Name | None = None
    runtime: Runtime | None = None
    backend: BackendName | None = None
    container: Name | None = None
    instance_id: InstanceId | None = None
    layout: Annotated[str | None, Field(max_length=64)] = None
    options: Options | None = None


class WorkspaceNew(WorkspaceChange):
    """A workspace to register. Without a backend it follows from the runtime and the instance."""

    id: Name


class WorkspaceOut(_Out):
    """A workspace. `state` comes from its backend; lists leave it null."""

    id: str
    org: str | None
    runtime: str | None
    backend: str
    container: str | None
    instance_id: str | None
    layout: str | None
    options: dict[str, Any]
    state: Literal["running", "stopped", "unknown"] | None = None


class WorkspaceRegistered(WorkspaceOut):
    """A workspace that was registered or changed. `warnings` say what may be a mistake."""

    warnings: list[str] = []


class AgentFound(_Out):
    """A folder of an agent that lies on a workspace's target: options for a workspace of that layout."""

    layout: str
    config_dir: str
    home: str


class AgentsFound(_Out):
    """What was found on a target. `next` is null: there are no more."""

    items: list[AgentFound]
    next: None = None


class WorkspacePage(_Out):
    """Workspaces, ordered by id. Pass `next` as `cursor` to get the next page; null on the last one."""

    items: list[WorkspaceOut]
    next: str | None


class TokenOut(_Out):
    """A new token. It is shown only once: the service keeps its hash."""

    token: str


class Install(_In):
    """What to install. `digest` pins the fetched tree, `sha256` pins its `plugin.yaml`. `as` is another name for the
    plugin. `replace` lets it take the place of a plugin of the same name from another origin, `adopt` the place of
    something that plugport did not put there (what lies there is set aside). `grant` gives the trusts that the agent
    demands (`needs_grant` of an earlier reply names them). `ask: false` does not ask the agent what it sees;
    `require_seen` makes its "no" a failure, after which the old state is back."""

    source: Annotated[str, Field(max_length=4096)]
    digest: Digest | None = None
    sha256: Sha256 | None = None
    restart: bool = True
    name: Annotated[str | None, Field(alias="as", max_length=128)] = None
    replace: bool = False
    adopt: bool = False
    grant: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=16)] = []
    ask: bool = True
    require_seen: bool = False


class FindingOut(_Out):
    """What is wrong with a plugin's file. `line` and `column` count from 1, 0 if they are not known. `runtime` is the
    runtime that it concerns, null for every one."""

    rule: str
    severity: Literal["error", "warning", "note"]
    path: str
    line: int
    column: int
    message: str
    runtime: str | None


class ComponentOut(_Out):
    """A component of a plugin; `path` is below the plugin's root, `version` is what the component itself names."""

    kind: str
    name: str
    path: str
    description: str | None = None
    version: str | None = None


class UnsupportedOut(_Out):
    """A component that the runtime cannot use, and why."""

    component: str
    why: str


class GrantOut(_Out):
    """A trust that the agent demands: install again with its name in `grant` to give it."""

    name: str
    why: str


class _Changed(_Out):
    plugin: str
    kept: list[str] = []
    dropped: list[str] = []
    operation: str


class Installed(_Changed):
    """The reply to an install; `operation` is the operation's id.

    `left` names what somebody had edited of the versions before: copies of the adaptor's that stay, and files of the
    plugin's directory that were set aside in the directories `kept`. `dropped` names older ones that were deleted for
    it. `overwritten` names a person's hooks and commands in whose place the agent's start puts the plugin's; an
    uninstall brings them back. `stale` says that copies of an older version stay until an install with a restart.
    `adopted` says that the plugin's directory was taken over. `format` says how the plugin was read,
    `components` what it has, `warnings` what is wrong with it.

    Under a native layout, `digest` is that of the tree with the layout's own files, `source_digest` that of the tree
    as it was fetched. `unsupported` names what the runtime cannot use, `needs_grant` what it uses only if it is
    trusted. `takes_effect` says when a running agent uses it. `seen` is the agent's own answer, `seen_reason` why it
    is not `yes`, `complaint` the agent's own words.
    """

    status: Literal["installed"]
    source: str
    digest: str
    revision: str | None = None
    restarted: bool
    left: list[str] = []
    overwritten: list[str] = []
    stale: bool = False
    adopted: bool = False
    layout: str = "adaptor"
    source_digest: str | None = None
    unsupported: list[UnsupportedOut] = []
    needs_grant: list[GrantOut] = []
    takes_effect: Literal["at-once", "on-command", "at-start"] | None = None
    seen: Literal["yes", "no", "unknown"] = "unknown"
    seen_reason: str | None = None
    complaint: str | None = None
    format: str | None = None
    version: str | None = None
    components: list[ComponentOut] = []
    warnings: list[FindingOut] = []


class Uninstalled(_Changed):
    """The reply to an uninstall. `left` names what somebody edited: it stays, or was set aside in one of the
    directories `kept`. `dropped` names older ones that were deleted for it."""

    status: Literal["uninstalled"]
    left: list[str]
    restarted: bool
    adopted: bool = False


class Restore(_In):
    """What to restore: the name of a directory below `plugins/.plugport/kept/<name>/`; without it the newest."""

    kept: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")] = None


class Restored(_Changed):
    """The reply to a restore. `restored` names the files that were put back; what they replaced was set aside in
    `kept`."""

    status: Literal["restored"]
    restored: list[str]


class PluginOut(_Out):
    """A plugin of a workspace. `drift` is `none`, `modified` (another digest than was installed), `missing`
    (recorded, but not on the target), `unmanaged` (on the target, but not installed by this service) or `unknown` (an
    external workspace pulled it, and the service cannot read it back; or a file of it cannot be read, and `digest` is
    null). `seen` is what the agent itself answered after the install; `seen_reason` and `complaint` say why it is not
    `yes`."""

    name: str
    version: str | None
    description: str | None = None
    digest: str | None
    source: str | None
    supported_on_runtime: bool
    verified: bool
    drift: Drift
    installed_digest: str | None = None
    revision: str | None = None
    layout: str | None = None
    seen: Literal["yes", "no", "unknown"] = "unknown"
    seen_reason: str | None = None
    complaint: str | None = None
    format: str | None = None
    components: list[ComponentOut] = []


class CatalogPluginOut(_Out):
    """A plugin of the catalog."""

    name: str
    version: str | None
    description: str | None
    runtimes: list[str]
    skills: list[str]
    source: str
    supported_on_runtime: bool
    format: str | None = None
    components: list[ComponentOut] = []


class Schemes(_Out):
    """The schemes that a source may have."""

    schemes: list[str]


class Allowed(_In):
    """An organisation's allowlist: sources and local names; `*` stands for any text. Null removes the list."""

    plugins: Annotated[list[Text], Field(max_length=4096)] | None


class AllowedIn(RootModel[Allowed | Annotated[list[Text], Field(max_length=4096)]]):
    """An allowlist, as an object or as the plain list of its entries."""


class AllowlistOut(_Out):
    """An allowlist. `plugins` is null if the organisation has none: then every plugin is allowed."""

    org: str
    plugins: list[str] | None


class OperationOut(_Out):
    """One install or uninstall. Times are RFC 3339 in UTC; `error` is the problem document of a failure."""

    id: str
    kind: Literal["install", "uninstall", "restore"]
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
    """Operations, newest first. Pass `next` as `cursor` to get the next page; null on the last one."""

    items: list[OperationOut]
    next: str | None


class ProviderOut(_Out):
    """A provider. If it is not loaded, `reason` says why and what to do."""

    name: str
    distribution: str
    version: str
    status: Literal["loaded", "failed", "blocked"]
    reason: str | None
    hooks: list[str]
    schemes: list[str]
    backend: str | None
    layouts: list[str]
    format: str | None
    import_seconds: float
    hook_api_version: int
    notes: list[str]


class Health(_Out):
    """The reply to a probe."""

    status: str


class Problem(_Out):
    """An error by RFC 9457. `type` ends in the slug, `request_id` finds the log line; some slugs add members."""

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
    cursor: Name | None = None


class OperationQuery(BaseModel):
    """`limit` (1 to 200) and `cursor` of a list, and the workspace to filter by."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,18}$")] | None = None
    workspace: Name | None = None


class RuntimeQuery(BaseModel):
    """A runtime to filter by."""

    runtime: Runtime | None = None


class RequiredRuntimeQuery(BaseModel):
    """The runtime to check the plugins for."""

    runtime: Runtime


class SourceQuery(BaseModel):
    """The source of a download. Without it, the catalog's plugin of that name."""

    source: Annotated[str, Field(max_length=4096)] | None = None


class UninstallQuery(BaseModel):
    """Whether to restart the agent afterwards, and whether to remove what plugport did not put there (`adopt`)."""

    restart: bool = True
    adopt: bool = False
