"""The source `github://<owner>/<repository>#<ref>`: a plugin that is a GitHub repository, at a pinned ref."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...hookspecs import Resolved, ServiceSettings, Source, StartupContext, hookimpl
from ...hookspecs.errors import (
    BundleFault,
    BundleTooLarge,
    InsufficientStorage,
    InvalidSource,
    PluginNotFound,
    SourceFault,
    SourceTimeout,
    SourceUnavailable,
    UnpinnedSource,
    UnsafeBundle,
)
from ...hookspecs.values.bundle import MAX_PATH
from ..output_tail import output_tail

BASE_URL: Final = "https://github.com"
_OWNER: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})\Z")
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}\Z")
_BAD_REF: Final = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|\Z)|\.\Z|/\Z|^[/.@-]")
_NOT_FOUND: Final = re.compile(
    rb"couldn't find remote ref|not found|does not exist|does not appear to be a git repository|not our ref"
    rb"|could not read Username",
    re.IGNORECASE,
)
_TOO_DEEP: Final = re.compile(rb"tree depth")
_DISK_FULL: Final = re.compile(rb"^(?!remote:).*(?:No space left on device|Disk quota exceeded)", re.MULTILINE)
_WATCH_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class RepositoryRef:
    """A repository at a ref: a branch, a tag or a full commit SHA; None means the default branch."""

    owner: str
    repository: str
    ref: str | None

    @classmethod
    def parse(cls, spec: str) -> RepositoryRef:
        """Parse `owner/repository#ref` (or `@ref`). Raises `InvalidSource`.

        A ref follows git-check-ref-format. It must not start with a dash, since git would take it for an option.
        """
        path, separator, ref = spec.partition("#")
        if not separator:
            path, separator, ref = spec.partition("@")
        owner, _, repository = path.partition("/")
        repository = repository.removesuffix(".git")
        if not _OWNER.match(owner) or not _REPOSITORY.match(repository) or repository in {".", ".."}:
            raise InvalidSource(SourceFault.BAD_REPOSITORY)
        if separator and (not ref or len(ref) > 255 or _BAD_REF.search(ref)):
            raise InvalidSource(SourceFault.BAD_REF)
        return cls(owner, repository, ref or None)


class GithubSource:
    """Fetches one commit with git: no history, submodules, filters, hooks, and no git configuration of this machine.

    Settings: `PLUGPORT_GITHUB_BASE_URL` (https://github.com), `PLUGPORT_GITHUB_TOKEN` for private repositories.
    """

    schemes = ("github",)

    def __init__(self) -> None:
        self._service = ServiceSettings("")
        self._settings: Mapping[str, str] = {}

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        """Read the settings."""
        self._service, self._settings = context.service, context.settings

    @hookimpl
    def source_revision(self, source: Source) -> str | None:
        """Return the commit if the source is pinned to one, else None: a tag or a branch may move."""
        ref = RepositoryRef.parse(source.spec).ref
        return ref if ref is not None and _COMMIT.match(ref) else None

    @hookimpl
    async def resolve_source(self, source: Source, destination: Path) -> Resolved:
        """Fetch the files at the ref. May be repeated.

        Raises `InvalidSource`, `UnpinnedSource`, `PluginNotFound`, `BundleTooLarge`, `UnsafeBundle`,
        `InsufficientStorage`, `SourceTimeout` and `SourceUnavailable`. What git prints goes only into the log.
        """
        pinned = RepositoryRef.parse(source.spec)
        if pinned.ref is None and not self._service.allow_unpinned:
            raise UnpinnedSource("the source has no ref")
        base = self._settings.get("base_url", BASE_URL).rstrip("/")
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="plugport-git-"))
        try:
            git = _Git(folder, destination, self._service, self._settings.get("token"))
            revision = await git.fetch(f"{base}/{pinned.owner}/{pinned.repository}.git", pinned.ref)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        has_manifest = (destination / "plugin.yaml").exists()
        origin = f"github://{pinned.owner}/{pinned.repository}".lower()  # GitHub ignores the case
        return Resolved(None if has_manifest else pinned.repository, revision, origin)


class _Git:
    """One fetch. `folder` holds the repository, `destination` gets the files."""

    def __init__(self, folder: Path, destination: Path, limits: ServiceSettings, token: str | None) -> None:
        self._folder, self._destination, self._limits, self._token = folder, destination, limits, token

    async def fetch(self, url: str, ref: str | None) -> str:
        """Fetch the ref, write its files into the destination, and return the commit."""
        try:
            async with asyncio.timeout(self._limits.fetch_timeout):
                await self._git("init", "--quiet", "--bare", str(self._folder / "repository"))
                await self._fetch_first(url, _remote_refs(ref))
                commit = (await self._git("rev-parse", "--verify", "FETCH_HEAD^{commit}")).decode("ascii").strip()
                await self._check_paths(commit)
                await self._git("--work-tree", str(self._destination), "checkout", "--quiet", "--force", commit)
                if await asyncio.to_thread(_size, self._destination) > self._limits.max_tree_bytes:
                    raise BundleTooLarge(self._limits.max_tree_bytes)
        except TimeoutError as error:
            raise SourceTimeout("git took too long") from error
        return commit

    async def _fetch_first(self, url: str, remote_refs: list[str]) -> None:
        """Fetch the first of the refs that exists. Raises `PluginNotFound` if none does."""
        for remote_ref in remote_refs:
            try:
                await self._git("fetch", "--quiet", "--depth=1", "--no-tags", "--", url, remote_ref)
            except PluginNotFound:
                if remote_ref == remote_refs[-1]:
                    raise
            else:
                return

    async def _check_paths(self, commit: str) -> None:
        """Look at the commit's paths before they are written: a tree may be too deep or too large for any disk.

        Raises `BundleTooLarge` and `UnsafeBundle`.
        """
        process = await self._start("ls-tree", "-r", "-z", "--full-tree", "--name-only", commit)
        assert process.stdout is not None and process.stderr is not None  # noqa: PT018, S101 - both are pipes
        files, rest = 0, b""
        try:
            while chunk := await process.stdout.read(1 << 16):
                *paths, rest = (rest + chunk).split(b"\0")
                files += len(paths)
                if files > self._limits.max_tree_files:
                    raise BundleTooLarge(self._limits.max_tree_files, "files")
                if too_long := next((path for path in (*paths, rest) if len(path) > MAX_PATH), None):
                    raise UnsafeBundle(os.fsdecode(too_long), BundleFault.NAME)
            if _TOO_DEEP.search(await process.stderr.read(1 << 16)):
                raise UnsafeBundle(".", BundleFault.NAME)
        finally:
            if process.returncode is None:
                _kill(process)
            await process.wait()

    async def _start(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            "git",
            *_OPTIONS,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment(),
            cwd=self._folder,
            start_new_session=True,
        )

    async def _git(self, *arguments: str) -> bytes:
        process = await self._start(*arguments)
        watcher = asyncio.create_task(self._watch_size(process))
        try:
            stdout, stderr = await process.communicate()
        finally:
            watcher.cancel()
            if process.returncode is None:
                _kill(process)
                await process.wait()
        if watcher.done() and not watcher.cancelled() and watcher.result():
            raise BundleTooLarge(self._limits.max_tree_bytes)
        if process.returncode == 0:
            return stdout
        reason = output_tail(stderr)
        if self._token:
            reason = reason.replace(self._token, "***")
        if _DISK_FULL.search(stderr):
            raise InsufficientStorage(reason)
        if _NOT_FOUND.search(stderr):
            raise PluginNotFound(reason)
        raise SourceUnavailable(reason)

    async def _watch_size(self, process: asyncio.subprocess.Process) -> bool:
        """Kill git if it writes more than twice the limit (packed and unpacked files), and return true then."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if await asyncio.to_thread(_size, self._folder, self._destination) > 2 * self._limits.max_tree_bytes:
                _kill(process)
                return True

    def _environment(self) -> dict[str, str]:
        environment = {name: os.environ[name] for name in _PASSED_VARIABLES if name in os.environ}
        environment |= {
            "GIT_DIR": str(self._folder / "repository"),
            "HOME": str(self._folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "true",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "LC_ALL": "C",
        }
        if self._token:  # in the environment, since every user of this machine can read arguments
            environment |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "http.extraHeader",
                "GIT_CONFIG_VALUE_0": f"Authorization: Bearer {self._token}",
            }
        return environment


_OPTIONS: Final = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.autocrlf=false"),
    *("-c", "core.symlinks=true"),
    *("-c", "core.protectHFS=true"),
    *("-c", "core.protectNTFS=true"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "init.templateDir="),
    *("-c", "init.defaultBranch=main"),
    *("-c", "protocol.ext.allow=never"),
    *("-c", "protocol.file.allow=always"),
    *("-c", "submodule.recurse=false"),
    *("-c", "advice.detachedHead=false"),
)
_PASSED_VARIABLES: Final = (
    "PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
)


def _remote_refs(ref: str | None) -> list[str]:
    """Return the refs to fetch, in order: a commit as it is, else a tag, then a branch of the same name."""
    if ref is None:
        return ["HEAD"]
    if _COMMIT.match(ref):
        return [ref]
    return [f"refs/tags/{ref}", f"refs/heads/{ref}"]


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _size(*folders: Path) -> int:
    """Return the bytes below the folders. Files that vanish meanwhile count as 0."""
    total, pending = 0, [str(folder) for folder in folders]
    while pending:
        with contextlib.suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                else:
                    with contextlib.suppress(OSError):
                        total += entry.stat(follow_symlinks=False).st_size
    return total


provider = GithubSource()
