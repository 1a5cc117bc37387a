"""The dispatcher: knows the providers, routes by backend and scheme, and turns what they do into our errors.

Each hook has a typed method here; nothing else in the core calls a provider. A provider's answer is checked, its
exception is contained and logged as `HookFailed`, and only the errors that the hook's documentation names pass
through, since those say nothing but what we wrote for them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ..hookspecs import errors
from ..hookspecs.providers import calling as calls
from ..hookspecs.providers.discovery import Provider, ProviderStatus, conflicts
from ..hookspecs.specs import MAY_RAISE
from ..hookspecs.values import (
    Action,
    Event,
    InstalledPlugin,
    PolicyRequest,
    Receipt,
    Refusal,
    Removal,
    Resolved,
    RunState,
    Source,
    StartupContext,
    Workspace,
)
from ..hookspecs.values.bundle import Bundle

log = logging.getLogger("plugport.hooks")
_T = TypeVar("_T")


class HookFailed(Exception):
    """A provider's call failed. For the log alone: it names provider, distribution, hook and workspace."""

    def __init__(self, provider: Provider, hook: str, workspace: str | None, what: str) -> None:
        super().__init__(f"{hook} of {provider.label} {what}" + (f" for workspace {workspace}" if workspace else ""))
        self.provider, self.hook, self.workspace = provider, hook, workspace


class DuplicateProvider(Exception):
    """Raised at start-up when two providers serve one backend or one scheme; names both distributions."""


class ProviderFailed(Exception):
    """Raised at start-up under `--strict-providers` when a provider is FAILED."""


class Dispatcher:
    """Routes to and calls the providers. Made once per application, with what `loading.discover` found."""

    def __init__(self, providers: Iterable[Provider], *, timeout: float = 30.0, trace: bool = False) -> None:
        self._providers: dict[int, Provider] = dict(enumerate(providers))
        self._timeout = timeout
        self._trace = trace
        self._check_unique()

    @property
    def providers(self) -> Sequence[Provider]:
        """Every provider as it stands now, the failed and the blocked ones included."""
        return tuple(self._providers.values())

    @property
    def schemes(self) -> Sequence[str]:
        """The schemes that can be resolved, sorted."""
        return sorted(scheme for provider in self._loaded() for scheme in provider.schemes)

    def add(self, provider: Provider) -> None:
        """Add a provider that is at hand. Raises `DuplicateProvider`, and then has not added it."""
        key = len(self._providers)
        self._providers[key] = provider
        try:
            self._check_unique()
        except DuplicateProvider:
            del self._providers[key]
            raise

    def _loaded(self, hook: str | None = None) -> list[Provider]:
        return [
            provider
            for provider in self._providers.values()
            if provider.status is ProviderStatus.LOADED and (hook is None or hook in provider.hooks)
        ]

    def _check_unique(self) -> None:
        if found := conflicts(self._providers.values()):
            raise DuplicateProvider("; ".join(found))

    # Start and end

    async def startup(self, contexts: Mapping[str, StartupContext]) -> None:
        """Call every `startup`; a provider that raises or is late is FAILED from here on."""
        for key, provider in list(self._providers.items()):
            if provider.status is not ProviderStatus.LOADED or "startup" not in provider.hooks:
                continue
            try:
                await self._call(provider, "startup", {"context": contexts[provider.name]})
            except HookFailed as failure:
                log.exception("provider failed to start")
                cause = failure.__cause__
                reason = f"startup raised {type(cause).__name__}: {cause}" if cause else str(failure)
                self._providers[key] = replace(provider, status=ProviderStatus.FAILED, reason=reason)

    async def shutdown(self) -> None:
        """Call every `shutdown`; failures are logged."""
        for provider in self._providers.values():
            if "shutdown" in provider.hooks:
                try:
                    await self._call(provider, "shutdown", {})
                except HookFailed:
                    log.exception("provider failed to shut down")

    # Sources

    async def resolve_source(self, source: Source, destination: Path, deadline: float) -> Resolved:
        """Fetch into `destination`. Raises `UnknownScheme` and what the hook's documentation names."""
        provider = next((one for one in self._loaded("resolve_source") if source.scheme in one.schemes), None)
        if provider is None:
            raise errors.UnknownScheme(self.schemes)
        arguments = {"source": source, "destination": destination}
        try:
            answer = await self._call(provider, "resolve_source", arguments, deadline=deadline)
            return self._expect(answer, Resolved, provider, "resolve_source", None)
        except HookFailed as failure:
            kind = errors.SourceTimeout if isinstance(failure, HookTimedOut) else errors.SourceUnavailable
            raise kind(str(failure), scheme=source.scheme) from failure
        except errors.PluginNotFound as error:
            raise errors.PluginNotFound(error.reason, scheme=source.scheme) from error
        except errors.SourceUnavailable as error:
            raise type(error)(error.reason, scheme=source.scheme) from error

    async def source_revision(self, source: Source) -> str | None:
        """The state that a fetch would bring; None where nobody can say. Never raises for a provider's sake."""
        provider = next((one for one in self._loaded("source_revision") if source.scheme in one.schemes), None)
        if provider is None:
            return None
        try:
            answer = await self._call(provider, "source_revision", {"source": source})
            return None if answer is None else self._expect(answer, str, provider, "source_revision", None)
        except HookFailed:
            log.exception("the source's revision could not be had")
            return None

    # Backends

    def backend_of(self, workspace: Workspace) -> Provider:
        """The provider of the workspace's backend. Raises `BackendUnavailable` where none is loaded."""
        for provider in self._loaded():
            if provider.backend is not None and provider.backend == workspace.backend:
                return provider
        raise errors.BackendUnavailable(f"no provider of the backend {workspace.backend!r} is loaded")

    async def preflight(self, workspace: Workspace, action: Action) -> None:
        """Ask the backend whether it serves the action at all."""
        provider = self.backend_of(workspace)
        if "preflight" not in provider.hooks:
            return
        try:
            await self._call(provider, "preflight", {"workspace": workspace, "action": action}, workspace.id)
        except HookFailed as failure:
            raise errors.BackendUnavailable(str(failure)) from failure

    async def is_running(self, workspace: Workspace) -> RunState:
        """The one answer to "is it running?" that every consumer gets. Never raises for a provider's sake."""
        try:
            provider = self.backend_of(workspace)
            answer = await self._call(provider, "is_running", {"workspace": workspace}, workspace.id)
            return self._expect(answer, RunState, provider, "is_running", workspace.id)
        except (HookFailed, errors.PlugportError) as failure:
            log.exception("run state unknown")
            return RunState.unknown(str(failure))

    async def deliver(self, workspace: Workspace, bundle: Bundle, deadline: float) -> Receipt:
        """Deliver the bundle; the receipt's digest is what the backend read back."""
        return await self._deliver(workspace, "deliver", {"bundle": bundle}, deadline)

    async def uninstall(self, workspace: Workspace, removal: Removal, deadline: float) -> Receipt:
        """Take away what `removal` says."""
        return await self._deliver(workspace, "uninstall", {"removal": removal}, deadline)

    async def _deliver(self, workspace: Workspace, hook: str, what: dict[str, object], deadline: float) -> Receipt:
        provider = self.backend_of(workspace)
        arguments = {"workspace": workspace, **what}
        try:
            answer = await self._call(provider, hook, arguments, workspace.id, deadline=deadline)
            return self._expect(answer, Receipt, provider, hook, workspace.id)
        except HookFailed as failure:
            kind = errors.DeliveryTimeout if isinstance(failure, HookTimedOut) else errors.DeliveryFailed
            raise kind(str(failure)) from failure

    async def list_installed(self, workspace: Workspace) -> Sequence[InstalledPlugin]:
        """What lies on the target."""
        provider = self.backend_of(workspace)
        try:
            answer = await self._call(provider, "list_installed", {"workspace": workspace}, workspace.id)
            listed = list(answer) if isinstance(answer, tuple) else answer
            found: list[object] = self._expect(listed, list, provider, "list_installed", workspace.id)
            return [self._expect(one, InstalledPlugin, provider, "list_installed", workspace.id) for one in found]
        except HookFailed as failure:
            raise errors.BackendUnavailable(str(failure)) from failure

    async def restart(self, workspace: Workspace) -> None:
        """Restart the agent. Raises `UnsupportedTarget` where the backend cannot."""
        provider = self.backend_of(workspace)
        if "restart" not in provider.hooks:
            raise errors.UnsupportedTarget(f"{provider.label} has no restart")
        try:
            await self._call(provider, "restart", {"workspace": workspace}, workspace.id)
        except HookFailed as failure:
            raise errors.BackendUnavailable(str(failure)) from failure

    # Questions to all

    async def lookup_workspace(self, workspace_id: str) -> tuple[Workspace | None, bool]:
        """The first answer, in the order of the providers' names, and whether any lookup failed."""
        failed = False
        for provider in self._loaded("lookup_workspace"):
            try:
                arguments = {"workspace_id": workspace_id}
                answer = await self._call(provider, "lookup_workspace", arguments, workspace_id)
                if answer is not None:
                    found = self._expect(answer, Workspace, provider, "lookup_workspace", workspace_id)
                    if found.id != workspace_id:
                        raise HookFailed(provider, "lookup_workspace", workspace_id, "answered for another workspace")
                    return found, failed
            except HookFailed:
                log.exception("workspace lookup failed")
                failed = True
        return None, failed

    async def check_policy(self, request: PolicyRequest) -> None:
        """Ask every policy. Raises `PluginNotAllowed` for a refusal, `PolicyUnavailable` for a failure."""
        for provider in self._loaded("check_policy"):
            try:
                answer = await self._call(provider, "check_policy", {"request": request}, request.workspace.id)
                if answer is not None:
                    refusal = self._expect(answer, Refusal, provider, "check_policy", request.workspace.id)
                    raise errors.PluginNotAllowed(f"{provider.label}: {refusal.reason}")
            except HookFailed as failure:
                raise errors.PolicyUnavailable(str(failure)) from failure

    async def observe(self, event: Event) -> None:
        """Tell every observer; failures are logged and change nothing."""
        for provider in self._loaded("observe"):
            try:
                await self._call(provider, "observe", {"event": event}, event.workspace)
            except HookFailed:
                log.exception("observer failed")

    # The call itself

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
        started = time.perf_counter()
        outcome = await calls.call(provider.hooks[hook], arguments, deadline or self._timeout)
        if self._trace:
            _trace(provider, hook, workspace, time.perf_counter() - started, outcome)
        if outcome.timed_out:
            raise HookTimedOut(provider, hook, workspace, f"did not answer in {deadline or self._timeout:g} s")
        if type(outcome.error) is errors.PushNotSupported and hook in MAY_RAISE:
            raise errors.PushNotSupported from outcome.error  # the hint is ours to give
        if isinstance(outcome.error, errors.PlugportError) and type(outcome.error) in MAY_RAISE.get(hook, ()):
            raise outcome.error  # exactly ours: a subclass could say what it likes
        if outcome.error is not None:
            raise HookFailed(
                provider, hook, workspace, f"raised {type(outcome.error).__name__}: {outcome.error}"
            ) from outcome.error
        return outcome.value

    def _expect(self, answer: object, kind: type[_T], provider: Provider, hook: str, workspace: str | None) -> _T:
        if not isinstance(answer, kind):
            raise HookFailed(provider, hook, workspace, f"answered with {type(answer).__name__}")
        return answer


def _trace(provider: Provider, hook: str, workspace: str | None, seconds: float, outcome: calls.Outcome) -> None:
    ended = "ok" if outcome.error is None else f"raised {type(outcome.error).__name__}"
    ended = "timed out" if outcome.timed_out else ended
    log.info(
        "hook %s of %s: %s after %.1f ms",
        *(hook, provider.label, ended, seconds * 1000),
        extra={
            "hook": hook,
            "provider": provider.name,
            "distribution": f"{provider.distribution} {provider.version}",
            "workspace": workspace,
            "seconds": round(seconds, 6),
            "outcome": ended,
        },
    )


class HookTimedOut(HookFailed):
    """A provider's call that did not end by its deadline."""
