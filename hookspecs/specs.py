"""The hook specifications: every hook, its exact arguments, when it is called and what it may raise.

An implementation may leave out arguments that it does not need, and may be `def` (it then runs in a worker
thread) or `async def` (it then runs on the service's loop and must not block it). Every call has a deadline
(`PLUGPORT_HOOK_TIMEOUT`, seconds; the fetch and the delivery have longer ones). A hook may be called again after
any failure, so each must be safe to repeat.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pluggy

from . import errors
from .values import (
    Action,
    Event,
    InstalledPlugin,
    PolicyRequest,
    Receipt,
    Refusal,
    Removal,
    Resolved,
    RuleDescriptor,
    RunState,
    Source,
    StartupContext,
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
"""The argument without which an implementation of the hook can do nothing but raise. A `resolve_source` that misses
it is refused at load; of the others, which a backend without a push may well have, the author is told."""

HISTORY: Final[Mapping[int, str]] = {
    1: "The first: `startup` to `lint_rules`.",
    2: "`source_revision`: a source can say what a fetch would bring, and an unchanged one is not fetched again.",
}
"""What each version of the hooks brought. A hook or an argument is added, deprecated or removed in no other way."""

HOOK_API_VERSION: Final = max(HISTORY)
"""The hooks of this plugport. A provider may say which version it was written for, as the attribute
`hook_api_version`: a newer one than this, or one older than `OLDEST_HOOK_API_VERSION`, is refused at load."""

OLDEST_HOOK_API_VERSION: Final = 1
"""The oldest version whose providers still work unchanged. It is raised no earlier than two minor releases after
the deprecation of what is then removed; what is deprecated carries pluggy's `warn_on_impl` or
`warn_on_impl_args` until then, and every provider that still has it is named by `plugport providers`."""


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
    ),
    "preflight": _BACKEND,
    "list_installed": _BACKEND,
    "restart": _BACKEND,
    "deliver": _DELIVERY,
    "uninstall": (*_DELIVERY, errors.PluginNotFound),
    "check_policy": (errors.PluginNotAllowed,),
}
"""Which errors of the tree reach a client from which hook, each itself and no subclass. Whatever else a hook raises
is for the log alone; the hook's own documentation says what it becomes."""


@hookspec
def startup(context: StartupContext) -> None:
    """Called once, before the first request. A provider that raises here is FAILED and is not called again."""


@hookspec
def shutdown() -> None:
    """Called once, after the last request, also where `startup` failed. Close what `startup` opened."""


@hookspec(firstresult=True)
def resolve_source(source: Source, destination: Path) -> Resolved:  # type: ignore[empty-body]
    """Fetch the plugin into `destination`, an empty directory. Asked of the one provider whose `schemes` has
    the source's scheme.

    May raise `InvalidSource`, `UnpinnedSource`, `PluginNotFound`, `SourceUnavailable`, `SourceTimeout`,
    `BundleTooLarge`, `UnsafeBundle`, `InvalidPluginName`. Anything else becomes `source-unavailable`.
    """


@hookspec(firstresult=True)
def source_revision(source: Source) -> str | None:
    """The state that a fetch would bring right now, cheaply; None where only a fetch can tell. Optional.

    Asked before `resolve_source`. Where the source was fetched at the same revision and its bundle is still in the
    cache, nothing is fetched. Two answers may be equal only where every byte is. A failure counts as None.
    """


@hookspec(firstresult=True)
def preflight(workspace: Workspace, action: Action) -> None:
    """Called before anything is fetched; a backend that cannot serve the action says so here.

    May raise `PushNotSupported`, `UnsupportedTarget`, `WorkspaceNotRunning`, `BackendUnavailable`,
    `HostKeyMismatch`. Anything else becomes `backend-unavailable`.
    """


@hookspec(firstresult=True)
def is_running(workspace: Workspace) -> RunState:  # type: ignore[empty-body]
    """Whether the workspace runs. Called before the fetch, right before the delivery, and for `state`.

    What cannot be found out is `RunState.unknown(reason)`, never STOPPED. An exception, a late answer or an
    answer of another type counts as UNKNOWN.
    """


@hookspec(firstresult=True)
def deliver(workspace: Workspace, bundle: Bundle) -> Receipt:  # type: ignore[empty-body]
    """Put the bundle at `<config dir>/plugins/<bundle.name>`, atomically, and read its digest back.

    Whatever fails, the target keeps the whole old version or has the whole new one. May raise `DeliveryFailed`,
    `DeliveryTimeout`, `WorkspaceNotRunning`, `BackendUnavailable`, `UnsupportedTarget`, `HostKeyMismatch`,
    `PushNotSupported`. Anything else becomes `delivery-failed`.
    """


@hookspec(firstresult=True)
def uninstall(workspace: Workspace, removal: Removal) -> Receipt:  # type: ignore[empty-body]
    """Take away what `removal` says, and nothing else. May be repeated: what is gone already is fine.

    May raise what `deliver` may, and `PluginNotFound`.
    """


@hookspec(firstresult=True)
def list_installed(workspace: Workspace) -> list[InstalledPlugin]:  # type: ignore[empty-body]
    """What lies on the target, in one or two round trips. May raise what `preflight` may."""


@hookspec(firstresult=True)
def restart(workspace: Workspace) -> None:
    """Restart the agent. May raise what `preflight` may. Called after an install that asked for it."""


@hookspec
def lookup_workspace(workspace_id: str) -> Workspace | None:
    """The workspace of that id, or None where this provider does not know it. The first answer counts."""


@hookspec
def check_policy(request: PolicyRequest) -> Refusal | None:
    """None, or a refusal. Asked of all, before the fetch and again after it; any refusal wins.

    `PluginNotAllowed` may be raised instead. Whatever else happens is a refusal, too (`policy-unavailable`).
    """


@hookspec
def observe(event: Event) -> None:
    """Called after something has happened. A failing observer is logged and changes nothing."""


@hookspec
def lint_rules() -> list[RuleDescriptor]:  # type: ignore[empty-body]
    """The rules that this distribution brings, in the entry-point group `plugport.lint`. Imports no rule."""
