"""The checks that need no fetch, in one place and in one order: for install, uninstall and download."""

from __future__ import annotations

import shlex
from dataclasses import replace
from fnmatch import fnmatchcase
from urllib.parse import quote

from ...hookspecs import errors
from ...hookspecs.values import Action, Bundle, PolicyRequest, RunState, RunStateKind, Source, Workspace
from ..dispatcher import Dispatcher
from ..store.allowlists import Allowlists


class AdmissionChecks:
    """Asks the backend, the organisation's allowlist, the policies and the run state."""

    def __init__(self, dispatcher: Dispatcher, allowlists: Allowlists) -> None:
        self._dispatcher, self._allowlists = dispatcher, allowlists

    async def check_before_fetch(self, request: PolicyRequest, plugin: str | None) -> None:
        """Raise the first refusal, in this order: scheme, backend, allowlist, policies, run state.

        A download needs neither a backend that takes pushes nor a workspace that runs. `plugin` is the plugin's
        name if it is known; it goes into the hint of `PushNotSupported`.
        """
        workspace, source, action = request.workspace, request.source, request.action
        if source is not None and source.scheme not in self._dispatcher.schemes:
            raise errors.UnknownScheme(self._dispatcher.schemes)
        if action is not Action.DOWNLOAD:
            try:
                await self._dispatcher.preflight(workspace, action)
            except errors.PushNotSupported as refusal:
                raise errors.PushNotSupported(pull_hint(workspace, plugin, source)) from refusal
        await self._check_policies(request)
        if action is not Action.DOWNLOAD:
            await self.check_running(workspace)

    async def check_after_fetch(self, request: PolicyRequest, bundle: Bundle) -> None:
        """Check the allowlist and the policies again, now with the bundle.

        Raises `PluginNotAllowed`, or `PolicyUnavailable` if one of them cannot answer.
        """
        await self._check_policies(replace(request, bundle=bundle))

    async def check_running(self, workspace: Workspace) -> None:
        """Raise `WorkspaceNotRunning` or `BackendUnavailable` unless the workspace runs."""
        require_running(await self._dispatcher.is_running(workspace))

    async def _check_policies(self, request: PolicyRequest) -> None:
        if request.source is not None:
            await self._check_allowlist(request.workspace, request.source)
        await self._dispatcher.check_policy(request)

    async def _check_allowlist(self, workspace: Workspace, source: Source) -> None:
        if not workspace.org:
            raise errors.PolicyUnavailable(f"the organisation of workspace {workspace.id} is not known")
        try:
            allowed = await self._allowlists.get(workspace.org)
        except Exception as error:  # whatever the database does: fail closed
            raise errors.PolicyUnavailable("the allowlist could not be read") from error
        if allowed is not None and not any(allows(entry, source) for entry in allowed):
            raise errors.PluginNotAllowed(f"{source} is not on the allowlist of {workspace.org}")


def require_running(state: RunState) -> None:
    """Raise `WorkspaceNotRunning` for STOPPED and `BackendUnavailable` for UNKNOWN."""
    if state.kind is RunStateKind.STOPPED:
        raise errors.WorkspaceNotRunning("the backend says that it is stopped or absent")
    if state.kind is RunStateKind.UNKNOWN:
        raise errors.BackendUnavailable(state.reason or "no reason given")


def allows(entry: str, source: Source) -> bool:
    """Return whether an allowlist's entry admits the source.

    An entry is a source; a bare name means `local://name`. `*` stands for any text, and an entry without a ref
    (`github://owner/repository`) admits every ref of the repository.
    """
    pattern = entry if "://" in entry else f"local://{entry}"
    return fnmatchcase(str(source), pattern) or fnmatchcase(f"{source.scheme}://{_without_ref(source)}", pattern)


def pull_hint(workspace: Workspace, name: str | None, source: Source | None) -> errors.PullHint:
    """Build the download route and the command for a workspace that pulls.

    Without a name it uses the last segment of the source's path. If the manifest has another name, the download
    refuses it.
    """
    plugin = name or (_last_segment(source) if source else "NAME")
    query = f"?source={quote(str(source), safe='')}" if source else ""
    command = ["plugport", "pull", plugin, "--workspace", workspace.id, "--into", "PLUGINS_DIR"]
    command += ["--source", str(source)] if source else []
    return errors.PullHint(
        "GET", f"/workspaces/{workspace.id}/plugins/{quote(plugin, safe='')}/download{query}", shlex.join(command)
    )


def _without_ref(source: Source) -> str:
    return source.spec.split("#", 1)[0].split("@", 1)[0]


def _last_segment(source: Source) -> str:
    return _without_ref(source).rstrip("/").rsplit("/", 1)[-1].removesuffix(".git") or "NAME"
