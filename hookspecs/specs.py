"""The hook specifications: every hook, its exact arguments, when it is called and what it may raise.

An implementation may leave out arguments that it does not need. It may be `def`, which runs in a worker thread, or
`async def`, which runs on the service's loop and must not block it. Every call has a deadline
(`PLUGPORT_HOOK_TIMEOUT`, seconds; a fetch and a delivery have longer ones). A hook may be called again after any
failure, so each implementation must be safe to repeat.

A routed hook (`firstresult`) is called for one provider, chosen by the scheme of the source or by the backend of the
workspace. Every other hook is called for all providers that implement it, one after the other, in pluggy's order.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pluggy

from . import errors
from .values import (
    Action,
    Activation,
    Answer,
    Contents,
    Event,
    Finding,
    InstalledPlugin,
    LayoutTarget,
    PluginTree,
    PolicyRequest,
    Question,
    Receipt,
    Refusal,
    Removal,
    Resolved,
    RuleDescriptor,
    RunState,
    Source,
    StartupContext,
    TargetChanges,
    TargetQuery,
    TargetState,
    Workspace,
)
from .values.bundle import Bundle

PROJECT = "plugport"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

ESSENTIAL_ARGUMENT: Final[Mapping[str, str]] = {
    "resolve_source": "destination",
    "deliver": "bundle",
    "uninstall": "removal",
}
"""The argument without which an implementation of the hook can do nothing but raise. A `resolve_source` without it is
refused at load. For the others the provider gets a note, because a backend that cannot push may leave it out."""

HISTORY: Final[Mapping[int, str]] = {
    1: "The first: `startup` to `lint_rules`.",
    2: "`source_revision`: a source can say what a fetch would bring, and an unchanged source is not fetched again.",
    3: "`inspect_target`: a backend says what lies on a target before anything is changed there. `check_workspace`: "
    "it checks a workspace's options. `deliver` takes `known`, `Removal` has edits on bytes.",
    4: "`read_plugin`: a format reads what a plugin has. `lay_out`: a layout says what makes it active in a runtime. "
    "`ask`: a backend runs the agent's own command. `deliver` takes `activation`, `Removal` has `changes`.",
}
"""What each version of the hooks brought. Every hook and argument that is added, deprecated or removed is named."""

HOOK_API_VERSION: Final = max(HISTORY)
"""The version of this plugport's hooks. A provider may say which version it was written for, by the attribute
`hook_api_version`. A newer version than this, or an older one than `OLDEST_HOOK_API_VERSION`, is refused at load."""

OLDEST_HOOK_API_VERSION: Final = 1
"""The oldest version whose providers still work unchanged. A deprecated hook or argument carries pluggy's
`warn_on_impl` or `warn_on_impl_args`, and `plugport providers` names every provider that still has it. It is removed,
and this number raised, no earlier than two minor releases later."""


_BACKEND: Final = (
    errors.PushNotSupported,
    errors.UnsupportedTarget,
    errors.WorkspaceNotRunning,
    errors.BackendUnavailable,
    errors.HostKeyMismatch,
)
_DELIVERY: Final = (*_BACKEND, errors.DeliveryFailed, errors.DeliveryTimeout)
MAY_RAISE: Final[Mapping[str, tuple[type[errors.PlugportError], ...]]] = {
    "resolve_source": (
        errors.InvalidSource,
        errors.InvalidPluginName,
        errors.UnpinnedSource,
        errors.PluginNotFound,
        errors.SourceUnavailable,
        errors.SourceTimeout,
        errors.BundleTooLarge,
        errors.UnsafeBundle,
        errors.InsufficientStorage,
    ),
    "preflight": _BACKEND,
    "inspect_target": _BACKEND,
    "list_installed": _BACKEND,
    "restart": _BACKEND,
    "ask": _BACKEND,
    "lay_out": (errors.ActivationImpossible,),
    "deliver": _DELIVERY,
    "uninstall": (*_DELIVERY, errors.PluginNotFound),
    "check_policy": (errors.PluginNotAllowed,),
}
"""Which errors reach a client from which hook: these classes, and no subclass. Anything else that a hook raises goes
into the log alone; the hook's documentation says which error the client gets."""


@hookspec
def startup(context: StartupContext) -> None:
    """Called once, before the first request. A provider that raises here is FAILED; of its hooks only `shutdown` is
    called then."""


@hookspec
def shutdown() -> None:
    """Called once, after the last request, also if `startup` failed. Close what `startup` opened."""


@hookspec(firstresult=True)
def resolve_source(source: Source, destination: Path) -> Resolved:  # type: ignore[empty-body]
    """Fetch the plugin into `destination`, an empty directory. Called for the one provider whose `schemes` has the
    source's scheme.

    May raise `InvalidSource`, `UnpinnedSource`, `PluginNotFound`, `SourceUnavailable`, `SourceTimeout`,
    `BundleTooLarge`, `UnsafeBundle`, `InvalidPluginName`, `InsufficientStorage` (the service's own
    disk is full). Anything else becomes `source-unavailable`.
    """


@hookspec(firstresult=True)
def source_revision(source: Source) -> str | None:
    """Return the revision that a fetch would bring right now; None if only a fetch can tell. Optional, and cheap.

    Called before `resolve_source`. If the source was fetched at this revision and its bundle is still in the cache,
    nothing is fetched. Two answers may be equal only if every byte is equal. A failure counts as None.
    """


@hookspec
def read_plugin(tree: PluginTree) -> Contents | None:
    """Return what the plugin in the tree has, or None if the tree is of another format. Pure and fast.

    Called for every provider with a `format`, in the order of the formats (docs/formats.md). The first that answers
    names the plugin, and where another disagrees with it, that is a finding. What is malformed is a finding, too, and
    never an error. A failure counts as None.
    """


@hookspec(firstresult=True)
def lay_out(contents: Contents, target: LayoutTarget) -> Activation:  # type: ignore[empty-body]
    """Return what makes the plugin active in the runtime, beside its directory `plugins/<name>`. Pure and fast.

    Called for the one provider whose `layouts` has the workspace's layout, before anything is written. May raise
    `ActivationImpossible`. Anything else becomes `activation-impossible`, too.
    """


@hookspec(firstresult=True)
def preflight(workspace: Workspace, action: Action) -> None:
    """Refuse an action that the backend cannot serve. Called before anything is fetched.

    May raise `PushNotSupported`, `UnsupportedTarget`, `WorkspaceNotRunning`, `BackendUnavailable`,
    `HostKeyMismatch`. Anything else becomes `backend-unavailable`.
    """


@hookspec(firstresult=True)
def check_workspace(workspace: Workspace) -> list[Finding]:  # type: ignore[empty-body]
    """Return what is wrong with a workspace's options, an empty list if nothing is. Optional, and cheap.

    Called when a workspace is registered or changed. An option that the backend does not know is a finding. A failure
    lets the workspace pass and is logged: the engine may be away.
    """


@hookspec(firstresult=True)
def inspect_target(workspace: Workspace, query: TargetQuery) -> TargetState:  # type: ignore[empty-body]
    """Return what lies at the paths of the query on the target, in one round trip. Changes nothing. Optional.

    Called before a delivery and before an uninstall. A backend without it has no record of what was there before, and
    its removals know neither `keeps_plugin` nor `restore`. Links are not followed (`PathKind.LINK`). May raise
    `PushNotSupported`, `UnsupportedTarget`, `WorkspaceNotRunning`, `BackendUnavailable`, `HostKeyMismatch`.
    """


@hookspec(firstresult=True)
def is_running(workspace: Workspace) -> RunState:  # type: ignore[empty-body]
    """Return whether the workspace runs. Called before the fetch, right before the delivery, and for `state`.

    If that cannot be found out, return `RunState.unknown(reason)`, never STOPPED. An exception, a late answer and an
    answer of another type count as UNKNOWN.
    """


@hookspec(firstresult=True)
def deliver(  # type: ignore[empty-body]
    workspace: Workspace, bundle: Bundle, known: tuple[str, ...] = (), activation: TargetChanges | None = None
) -> Receipt:
    """Put the bundle at `<config dir>/plugins/<bundle.name>`, atomically, and read its digest back.

    What somebody edited in the directory that it replaces is set aside, and named in `Receipt.kept`. `known` are
    digests (`sha256:<hex>`) of versions that plugport delivered there: see `Removal.known`. After the swap
    `activation` is done. A backend that does not take it serves the layout `adaptor` alone.

    If anything fails, the target keeps the whole old version or has the whole new one. May raise `DeliveryFailed`,
    `DeliveryTimeout`, `WorkspaceNotRunning`, `BackendUnavailable`, `UnsupportedTarget`, `HostKeyMismatch`,
    `PushNotSupported`. Anything else becomes `delivery-failed`.
    """


@hookspec(firstresult=True)
def uninstall(workspace: Workspace, removal: Removal) -> Receipt:  # type: ignore[empty-body]
    """Remove what `removal` says, and nothing else. May be repeated: what is gone already is no error.

    May raise what `deliver` may raise, and `PluginNotFound`.
    """


@hookspec(firstresult=True)
def list_installed(workspace: Workspace) -> list[InstalledPlugin]:  # type: ignore[empty-body]
    """Return what lies on the target, in one or two round trips. May raise what `preflight` may raise."""


@hookspec(firstresult=True)
def restart(workspace: Workspace) -> None:
    """Restart the agent. Called after an install that asked for it. May raise what `preflight` may raise."""


@hookspec(firstresult=True)
def ask(workspace: Workspace, question: Question) -> Answer:  # type: ignore[empty-body]
    """Run the agent's own command on the target and return what it prints. Optional.

    Called after an activation. Bounded in time by the call's deadline and in size by the question; the whole process
    group ends with the call. May raise what `preflight` may raise; the agent then counts as not asked.
    """


@hookspec
def lookup_workspace(workspace_id: str) -> Workspace | None:
    """Return the workspace of that id, or None if this provider does not know it. The first answer counts."""


@hookspec
def check_policy(request: PolicyRequest) -> Refusal | None:
    """Return None, or a refusal. Called before the fetch and again after it; the first refusal wins.

    May raise `PluginNotAllowed` instead. Any other failure refuses the request, too (`policy-unavailable`).
    """


@hookspec
def observe(event: Event) -> None:
    """Take note of something that has happened. A failing observer is logged and changes nothing."""


@hookspec
def lint_rules() -> list[RuleDescriptor]:  # type: ignore[empty-body]
    """Return the rules that this distribution brings, in the entry-point group `plugport.lint`. Import no rule. Must
    be `def`."""
