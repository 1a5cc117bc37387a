"""The refusals that need no fetch, in one place and in one order: for install, uninstall and download."""

from __future__ import annotations

import shlex
from dataclasses import replace
from fnmatch import fnmatchcase
from urllib.parse import quote

from ...hookspecs import errors
from ...hookspecs.values import Action, PolicyRequest, RunState, RunStateKind, Source, Workspace
from ...hookspecs.values.bundle import Bundle
from ..dispatcher import Dispatcher
from ..store.registry import Allowlists


class Refusals:
    """Asks the backend, the organisation's allowlist, the policies and the run state."""

    def __init__(self, dispatcher: Dispatcher, allowlists: Allowlists) -> None:
        self._dispatcher, self._allowlists = dispatcher, allowlists

    async def before_fetch(
        self, action: Action, workspace: Workspace, source: Source | None, name: str | None, actor: str
    ) -> None:
        """Raises the first refusal: unknown scheme, backend, allowlist and policies, run state."""
        if source is not None and source.scheme not in self._dispatcher.schemes:
            raise errors.UnknownScheme(self._dispatcher.schemes)
        if action is not Action.DOWNLOAD:
            try:
                await self._dispatcher.preflight(workspace, action)
            except errors.PushNotSupported as refusal:
                hint = pull_hint(workspace, name, source)
                raise errors.PushNotSupported(hint) from refusal
        await self.policies(PolicyRequest(action, workspace, source, actor))
        if action is not Action.DOWNLOAD:
            require_running(await self._dispatcher.is_running(workspace))

    async def policies(self, request: PolicyRequest) -> None:
        """The allowlist of the workspace's organisation, and every policy.

        Raises `PluginNotAllowed`, or `PolicyUnavailable` where one of them cannot be asked.
        """
        if request.source is not None:
            await self._allowlist(request.workspace, request.source)
        await self._dispatcher.check_policy(request)

    async def after_fetch(self, request: PolicyRequest, bundle: Bundle) -> None:
        """The policies again, now with the bundle at hand."""
        await self.policies(replace(request, bundle=bundle))

    async def running(self, workspace: Workspace) -> None:
        """Raises unless the workspace runs."""
        require_running(await self._dispatcher.is_running(workspace))

    async def _allowlist(self, workspace: Workspace, source: Source) -> None:
        if not workspace.org:
            raise errors.PolicyUnavailable(f"the organisation of workspace {workspace.id} is not known")
        try:
            allowed = await self._allowlists.get(workspace.org)
        except Exception as error:  # whatever the database does: closed, not open
            raise errors.PolicyUnavailable("the allowlist could not be read") from error
        if allowed is not None and not any(allows(entry, source) for entry in allowed):
            raise errors.PluginNotAllowed(f"{source} is not on the allowlist of {workspace.org}")


def require_running(state: RunState) -> None:
    """Raises `WorkspaceNotRunning` for STOPPED and `BackendUnavailable` for UNKNOWN: the two are never one."""
    if state.kind is RunStateKind.STOPPED:
        raise errors.WorkspaceNotRunning("the backend says that it is stopped or absent")
    if state.kind is RunStateKind.UNKNOWN:
        raise errors.BackendUnavailable(state.reason or "no reason given")


def allows(entry: str, source: Source) -> bool:
    """Whether an allowlist's entry admits the source.

    An entry is a source; a bare name means `local://name`. `*` stands for anything, and an entry without a ref
    (`github://owner/repository`) admits every ref of it.
    """
    pattern = entry if "://" in entry else f"local://{entry}"
    whole = str(source)
    unpinned = f"{source.scheme}://{source.spec.split('#', 1)[0].split('@', 1)[0]}"
    return fnmatchcase(whole, pattern) or fnmatchcase(unpinned, pattern)


def pull_hint(workspace: Workspace, name: str | None, source: Source | None) -> errors.PullHint:
    """The download route and the command for an external workspace. A name that only a fetch could tell is
    taken from the source's last word; the download refuses it where the manifest says otherwise."""
    plugin = name or (guess_name(source) if source else "NAME")
    query = f"?source={quote(str(source), safe='')}" if source else ""
    words = ["plugport", "pull", plugin, "--workspace", workspace.id, "--into", "PLUGINS_DIR"]
    words += ["--source", str(source)] if source else []
    return errors.PullHint(
        "GET", f"/workspaces/{workspace.id}/plugins/{quote(plugin, safe='')}/download{query}", shlex.join(words)
    )


def guess_name(source: Source) -> str:
    """The last word of a source's path, without its ref."""
    path = source.spec.split("#", 1)[0].split("@", 1)[0].rstrip("/")
    return path.rsplit("/", 1)[-1].removesuffix(".git") or "NAME"
