"""Calls the providers: a typed method per hook, routed by backend and scheme.

Nothing else in the core calls a provider. The dispatcher checks the type of each answer, contains what a provider
raises, and logs it as `HookFailed`. Only the errors that the hook's documentation names pass through, because their
text is ours.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from ..hookspecs import errors
from ..hookspecs.providers import Provider, ProviderManager, ProviderStatus, conflicts
from ..hookspecs.providers.calling import Outcome, call
from ..hookspecs.specs import MAY_RAISE
from ..hookspecs.values import (
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
    RunState,
    Source,
    StartupContext,
    TargetChanges,
    TargetQuery,
    TargetState,
    Workspace,
)
from ..hookspecs.values.bundle import Bundle
from .disk_space import is_disk_full

log = logging.getLogger("plugport.hooks")
_T = TypeVar("_T")
FORMATS: Final = ("plugport", "claude", "codex", "gemini", "qwen", "agent-plugins", "apm", "skills")
"""The built-in formats, in the order in which they are asked."""


class HookFailed(Exception):
    """A provider's call failed. For the log alone: it names provider, distribution, hook and workspace."""

    def __init__(self, provider: Provider | None, hook: str, workspace: str | None, what: str) -> None:
        owner = f"{hook} of {provider.label}" if provider else hook
        super().__init__(f"{owner} {what}" + (f" for workspace {workspace}" if workspace else ""))
        self.provider, self.hook, self.workspace = provider, hook, workspace


class HookTimedOut(HookFailed):
    """A provider's call did not end by its deadline."""


class DuplicateProvider(Exception):
    """Raised at start-up when two providers serve one backend or one scheme; names both distributions."""


class ProviderFailed(Exception):
    """Raised at start-up under `--strict-providers` when a provider is FAILED."""


class Dispatcher:
    """Routes to the providers and calls them. Made once per application, with what `discover` returns.

    `manager` may be watched by its `add_hookcall_monitoring`. `timeout` is the deadline of a call in seconds, unless
    the call has its own; `trace` logs each call. Raises `DuplicateProvider`.
    """

    def __init__(self, providers: Iterable[Provider], *, timeout: float = 30.0, trace: bool = False) -> None:
        self.manager = ProviderManager(providers)
        self._timeout = timeout
        self._trace = trace
        if lines := conflicts(self.providers):
            raise DuplicateProvider("; ".join(lines))

    @property
    def providers(self) -> Sequence[Provider]:
        """Return every provider as it is now, the failed and the blocked ones included."""
        return self.manager.providers

    @property
    def schemes(self) -> Sequence[str]:
        """Return the schemes that can be resolved, sorted."""
        return sorted(scheme for provider in self.providers if _is_loaded(provider) for scheme in provider.schemes)

    @property
    def backends(self) -> Sequence[str]:
        """Return the backends that a loaded provider serves, sorted."""
        return sorted(
            provider.backend for provider in self.providers if _is_loaded(provider) and provider.backend is not None
        )

    @property
    def layouts(self) -> Sequence[str]:
        """Return the layouts that a loaded provider has, sorted."""
        return sorted(layout for provider in self.providers if _is_loaded(provider) for layout in provider.layouts)

    async def startup(self, contexts: Mapping[str, StartupContext]) -> None:
        """Call every `startup`; a provider that raises or is late is FAILED from here on."""
        for provider in self._loaded("startup"):
            try:
                await self._call(provider, "startup", {"context": contexts[provider.name]})
            except HookFailed as failure:
                log.exception("provider failed to start")
                cause = failure.__cause__
                reason = f"startup raised {type(cause).__name__}: {cause}" if cause else str(failure)
                self.manager.fail(provider, reason)

    async def shutdown(self) -> None:
        """Call every `shutdown`, also of providers that failed to start; failures are logged."""
        for provider in self.manager.implementers("shutdown"):
            try:
                await self._call(provider, "shutdown", {})
            except HookFailed:
                log.exception("provider failed to shut down")

    async def resolve_source(self, source: Source, destination: Path, deadline: float) -> Resolved:
        """Fetch into `destination`. Raises `UnknownScheme` and what the hook's documentation names."""
        provider = self._source_provider("resolve_source", source)
        if provider is None:
            raise errors.UnknownScheme(self.schemes)
        arguments = {"source": source, "destination": destination}
        try:
            answer = await self._call(provider, "resolve_source", arguments, deadline=deadline)
            return _expect(answer, Resolved, provider, "resolve_source", None)
        except HookFailed as failure:
            if is_disk_full(failure):
                raise errors.InsufficientStorage(str(failure)) from failure
            kind = errors.SourceTimeout if isinstance(failure, HookTimedOut) else errors.SourceUnavailable
            raise kind(str(failure), scheme=source.scheme) from failure
        except (errors.PluginNotFound, errors.SourceUnavailable) as error:
            if is_disk_full(error):  # the files are written to this machine, so the disk is ours
                raise errors.InsufficientStorage(error.reason) from error
            raise type(error)(error.reason, scheme=source.scheme) from error

    async def source_revision(self, source: Source) -> str | None:
        """Return the revision that a fetch would bring; None if it is not known. A failure counts as None."""
        provider = self._source_provider("source_revision", source)
        if provider is None:
            return None
        try:
            answer = await self._call(provider, "source_revision", {"source": source})
            return None if answer is None else _expect(answer, str, provider, "source_revision", None)
        except HookFailed:
            log.exception("the source's revision is not known")
            return None

    async def read_plugin(self, tree: PluginTree) -> Sequence[Contents]:
        """Return what the formats read from the tree, in their order; a format that fails is left out."""
        contents = []
        for provider in _in_order_of_formats(self._loaded("read_plugin")):
            try:
                answer = await self._call(provider, "read_plugin", {"tree": tree})
                if answer is not None:
                    contents.append(_expect(answer, Contents, provider, "read_plugin", None))
            except HookFailed:
                log.exception("a format could not read the plugin")
        return contents

    async def lay_out(self, contents: Contents, target: LayoutTarget) -> Activation:
        """Return what makes the plugin active under the target's layout. Raises `ActivationImpossible`."""
        layout = target.layout
        provider = next((each for each in self._loaded("lay_out") if layout in each.layouts), None)
        try:
            if provider is None:
                raise HookFailed(None, "lay_out", None, f"has no provider for the layout {layout}")
            answer = await self._call(provider, "lay_out", {"contents": contents, "target": target})
            return _expect(answer, Activation, provider, "lay_out", None)
        except HookFailed as failure:
            raise errors.ActivationImpossible(f"plugins/{target.name}", errors.ActivationFault.LAYOUT) from failure

    def can_activate(self, workspace: Workspace) -> bool:
        """Return whether the backend takes an activation. Raises `BackendUnavailable` if none is loaded."""
        hooks = self.backend_of(workspace).hooks
        return "inspect_target" in hooks and "activation" in hooks["deliver"].arguments

    async def ask(self, workspace: Workspace, question: Question, deadline: float) -> Answer:
        """Run the agent's own command. Raises `UnsupportedTarget` if the backend cannot, and `BackendUnavailable`."""
        provider = self.backend_of(workspace)
        if "ask" not in provider.hooks:
            raise errors.UnsupportedTarget(f"{provider.label} cannot ask the agent")
        arguments = {"workspace": workspace, "question": question}
        with _failure_as(errors.BackendUnavailable):
            answer = await self._call(provider, "ask", arguments, workspace.id, deadline=deadline)
            return _expect(answer, Answer, provider, "ask", workspace.id)

    def backend_of(self, workspace: Workspace) -> Provider:
        """Return the provider of the workspace's backend. Raises `BackendUnavailable` if none is loaded."""
        for provider in self.providers:
            if _is_loaded(provider) and provider.backend is not None and provider.backend == workspace.backend:
                return provider
        raise errors.BackendUnavailable(f"no provider of the backend {workspace.backend!r} is loaded")

    async def preflight(self, workspace: Workspace, action: Action) -> None:
        """Ask the backend whether it serves the action at all."""
        provider = self.backend_of(workspace)
        if "preflight" in provider.hooks:
            with _failure_as(errors.BackendUnavailable):
                await self._call(provider, "preflight", {"workspace": workspace, "action": action}, workspace.id)

    async def check_workspace(self, workspace: Workspace) -> Sequence[Finding]:
        """Return what the backend finds wrong with the workspace's options; nothing if it cannot be asked."""
        try:
            provider = self.backend_of(workspace)
            if "check_workspace" not in provider.hooks:
                return ()
            answer = await self._call(provider, "check_workspace", {"workspace": workspace}, workspace.id)
            listed: list[object] = _expect(answer, list, provider, "check_workspace", workspace.id)
            return [_expect(finding, Finding, provider, "check_workspace", workspace.id) for finding in listed]
        except (HookFailed, errors.PlugportError):
            log.exception("the workspace's options could not be checked")
            return ()

    def can_inspect(self, workspace: Workspace) -> bool:
        """Return whether the backend implements `inspect_target`. Raises `BackendUnavailable` if none is loaded."""
        return "inspect_target" in self.backend_of(workspace).hooks

    async def inspect_target(self, workspace: Workspace, query: TargetQuery) -> TargetState:
        """Return what lies on the target at the paths of the query."""
        provider = self.backend_of(workspace)
        arguments = {"workspace": workspace, "query": query}
        with _failure_as(errors.BackendUnavailable):
            answer = await self._call(provider, "inspect_target", arguments, workspace.id)
            return _expect(answer, TargetState, provider, "inspect_target", workspace.id)

    async def is_running(self, workspace: Workspace) -> RunState:
        """Return the one answer to "is it running?" that everybody gets. Never raises because of a provider."""
        try:
            provider = self.backend_of(workspace)
            answer = await self._call(provider, "is_running", {"workspace": workspace}, workspace.id)
            return _expect(answer, RunState, provider, "is_running", workspace.id)
        except (HookFailed, errors.PlugportError) as failure:
            log.exception("run state unknown")
            return RunState.unknown(str(failure))

    async def deliver(
        self,
        workspace: Workspace,
        bundle: Bundle,
        deadline: float,
        known: tuple[str, ...] = (),
        activation: TargetChanges | None = None,
    ) -> Receipt:
        """Deliver the bundle; the receipt's digest is what the backend read back. For `known` see `Removal.known`."""
        arguments = {"workspace": workspace, "bundle": bundle, "known": known, "activation": activation}
        return await self._change(workspace, "deliver", arguments, deadline)

    async def uninstall(self, workspace: Workspace, removal: Removal, deadline: float) -> Receipt:
        """Remove what `removal` says."""
        return await self._change(workspace, "uninstall", {"workspace": workspace, "removal": removal}, deadline)

    async def list_installed(self, workspace: Workspace) -> Sequence[InstalledPlugin]:
        """Return what lies on the target."""
        provider = self.backend_of(workspace)
        with _failure_as(errors.BackendUnavailable):
            answer = await self._call(provider, "list_installed", {"workspace": workspace}, workspace.id)
            listed = list(answer) if isinstance(answer, tuple) else answer
            plugins: list[object] = _expect(listed, list, provider, "list_installed", workspace.id)
            return [_expect(plugin, InstalledPlugin, provider, "list_installed", workspace.id) for plugin in plugins]

    async def restart(self, workspace: Workspace) -> None:
        """Restart the agent. Raises `UnsupportedTarget` if the backend cannot."""
        provider = self.backend_of(workspace)
        if "restart" not in provider.hooks:
            raise errors.UnsupportedTarget(f"{provider.label} has no restart")
        with _failure_as(errors.BackendUnavailable):
            await self._call(provider, "restart", {"workspace": workspace}, workspace.id)

    async def lookup_workspace(self, workspace_id: str) -> tuple[Workspace | None, bool]:
        """Return the first answer, and whether any lookup failed before it."""
        failed = False
        for provider in self._loaded("lookup_workspace"):
            try:
                arguments = {"workspace_id": workspace_id}
                answer = await self._call(provider, "lookup_workspace", arguments, workspace_id)
                if answer is not None:
                    workspace = _expect(answer, Workspace, provider, "lookup_workspace", workspace_id)
                    if workspace.id != workspace_id:
                        raise HookFailed(provider, "lookup_workspace", workspace_id, "answered for another workspace")
                    return workspace, failed
            except HookFailed:
                log.exception("workspace lookup failed")
                failed = True
        return None, failed

    async def check_policy(self, request: PolicyRequest) -> None:
        """Ask every policy. Raises `PluginNotAllowed` for a refusal, `PolicyUnavailable` for a failure."""
        for provider in self._loaded("check_policy"):
            with _failure_as(errors.PolicyUnavailable):
                answer = await self._call(provider, "check_policy", {"request": request}, request.workspace.id)
                if answer is not None:
                    refusal = _expect(answer, Refusal, provider, "check_policy", request.workspace.id)
                    raise errors.PluginNotAllowed(f"{provider.label}: {refusal.reason}")

    async def observe(self, event: Event) -> None:
        """Tell every observer; failures are logged and change nothing."""
        for provider in self._loaded("observe"):
            try:
                await self._call(provider, "observe", {"event": event}, event.workspace)
            except HookFailed:
                log.exception("observer failed")

    def _loaded(self, hook: str) -> list[Provider]:
        """Return the loaded providers that implement the hook, in pluggy's order."""
        return [provider for provider in self.manager.implementers(hook) if _is_loaded(provider)]

    def _source_provider(self, hook: str, source: Source) -> Provider | None:
        return next((provider for provider in self._loaded(hook) if source.scheme in provider.schemes), None)

    async def _change(
        self, workspace: Workspace, hook: str, arguments: Mapping[str, object], deadline: float
    ) -> Receipt:
        provider = self.backend_of(workspace)
        with _failure_as(errors.DeliveryFailed, errors.DeliveryTimeout):
            answer = await self._call(provider, hook, arguments, workspace.id, deadline=deadline)
            return _expect(answer, Receipt, provider, hook, workspace.id)

    async def _call(
        self,
        provider: Provider,
        hook: str,
        arguments: Mapping[str, object],
        workspace: str | None = None,
        *,
        deadline: float | None = None,
    ) -> object:
        if hook not in provider.hooks:
            raise HookFailed(provider, hook, workspace, "is not implemented")
        outcome = await call(self.manager.only(provider.plugin, hook), arguments, deadline or self._timeout)
        if self._trace:
            _log_call(provider, hook, workspace, outcome)
        error = outcome.error
        if outcome.timed_out:
            raise HookTimedOut(provider, hook, workspace, f"did not answer in {deadline or self._timeout:g} s")
        if type(error) is errors.PushNotSupported and hook in MAY_RAISE:
            raise errors.PushNotSupported from error  # the hint is ours to give
        if isinstance(error, errors.PlugportError) and type(error) in MAY_RAISE.get(hook, ()):
            raise error  # a subclass does not pass: its text is not ours
        if error is not None:
            raise HookFailed(provider, hook, workspace, f"raised {type(error).__name__}: {error}") from error
        return outcome.value


def _in_order_of_formats(providers: Sequence[Provider]) -> Iterator[Provider]:
    """Yield the providers in pluggy's order, but the built-in formats among themselves in that of `FORMATS`."""
    built_in = {provider.format: provider for provider in providers if provider.format in FORMATS}
    ordered = iter([built_in[name] for name in FORMATS if name in built_in])
    return (next(ordered) if provider.format in FORMATS else provider for provider in providers)


def _is_loaded(provider: Provider) -> bool:
    return provider.status is ProviderStatus.LOADED


def _expect(answer: object, kind: type[_T], provider: Provider, hook: str, workspace: str | None) -> _T:
    if not isinstance(answer, kind):
        raise HookFailed(provider, hook, workspace, f"answered with {type(answer).__name__}")
    return answer


@contextmanager
def _failure_as(
    failed: type[errors.PlugportError], timed_out: type[errors.PlugportError] | None = None
) -> Iterator[None]:
    """Raise a failed call as the error `failed`, a late one as `timed_out` if it is given."""
    try:
        yield
    except HookFailed as failure:
        kind = timed_out if timed_out is not None and isinstance(failure, HookTimedOut) else failed
        raise kind(str(failure)) from failure


def _log_call(provider: Provider, hook: str, workspace: str | None, outcome: Outcome) -> None:
    ended = "ok" if outcome.error is None else f"raised {type(outcome.error).__name__}"
    ended = "timed out" if outcome.timed_out else ended
    log.info(
        "hook %s of %s: %s after %.1f ms",
        *(hook, provider.label, ended, outcome.seconds * 1000),
        extra={
            "hook": hook,
            "provider": provider.name,
            "distribution": f"{provider.distribution} {provider.version}",
            "workspace": workspace,
            "seconds": round(outcome.seconds, 6),
            "outcome": ended,
        },
    )
