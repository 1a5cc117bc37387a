"""Providers of each kind in plain Python that keep every promise. The mutants are broken copies of them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import tarfile
import threading
import uuid
from pathlib import Path

from plugport.hookspecs import (
    JSON,
    Action,
    Activation,
    Answer,
    Bundle,
    BundleFile,
    ComponentKind,
    Contents,
    Event,
    FileSyntax,
    InstalledPlugin,
    LayoutTarget,
    Link,
    PolicyRequest,
    Question,
    Receipt,
    Refusal,
    Removal,
    Resolved,
    RunState,
    Seen,
    SeenState,
    SettingsEntry,
    Source,
    StartupContext,
    TargetQuery,
    TargetState,
    Unsupported,
    Workspace,
    errors,
    hookimpl,
    tree_digest,
)
from plugport.hookspecs.conformance import FEW_TOOLS, NO_COMMANDS


class GoodBackend:
    """Delivers into the directory `options["path"]`. While it is `away`, its target cannot be reached.

    `condition` is what its target is like at the moment: see the kit's `CONDITIONS`.
    """

    backend = "good"

    def __init__(self) -> None:
        self.away = False
        self.condition = ""
        self.lock = threading.Lock()

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        self.ready = True

    @hookimpl
    def shutdown(self) -> None:
        self.ready = False

    @hookimpl
    def preflight(self, workspace: Workspace, action: Action) -> None:
        return None

    @hookimpl
    def is_running(self, workspace: Workspace) -> RunState:
        if self.away:
            return RunState.unknown("away")
        return RunState.RUNNING if self.root(workspace).is_dir() else RunState.STOPPED

    @hookimpl
    async def deliver(self, workspace: Workspace, bundle: Bundle) -> Receipt:
        self.require(workspace)
        stop = threading.Event()
        work = asyncio.ensure_future(asyncio.to_thread(self.install, self.root(workspace), bundle, stop))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            stop.set()
            work.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise

    @hookimpl
    def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        self.require(workspace)
        return Receipt(None, tuple(self.remove(self.root(workspace), removal)))

    @hookimpl
    def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        self.require(workspace)
        if self.condition == NO_COMMANDS:
            return self.list_without_commands()
        plugins = self.root(workspace) / "plugins"
        folders = sorted(plugins.iterdir()) if plugins.is_dir() else []
        return [self.describe(folder) for folder in folders if not folder.name.startswith(".")]

    def list_without_commands(self) -> list[InstalledPlugin]:
        raise errors.BackendUnavailable("no command can be started")

    @hookimpl
    def restart(self, workspace: Workspace) -> None:
        self.require(workspace)

    def root(self, workspace: Workspace) -> Path:
        return Path(str(workspace.options["path"]))

    def require(self, workspace: Workspace) -> None:
        if not self.ready:
            raise errors.BackendUnavailable("not started")
        if self.is_running(workspace) == RunState.STOPPED:
            raise errors.WorkspaceNotRunning("no directory")

    def require_commands(self, plugins: Path) -> None:
        if self.condition == NO_COMMANDS:
            raise errors.DeliveryFailed("no command can be started")
        if self.condition == FEW_TOOLS:
            raise errors.UnsupportedTarget("there is no tar")

    def install(self, root: Path, bundle: Bundle, stop: threading.Event) -> Receipt:
        plugins = root / "plugins"
        plugins.mkdir(exist_ok=True)
        self.require_commands(plugins)
        staging = self.staging(plugins)
        staging.mkdir()
        try:
            self.unpack(bundle, staging, stop)
            digest = digest_of(staging)
            if digest != bundle.digest:
                raise errors.DeliveryFailed("what arrived is not what was sent")
            self.swap(staging, plugins / bundle.name, stop)
        except OSError as error:
            raise errors.DeliveryFailed(f"{error}") from error
        finally:
            self.clean_up(staging)
        return Receipt(digest)

    def staging(self, plugins: Path) -> Path:
        return plugins / f".stg-{uuid.uuid4().hex}"

    def unpack(self, bundle: Bundle, staging: Path, stop: threading.Event) -> None:
        with bundle.open_tar() as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for entry in archive:
                self.member(archive, entry, staging)
                if stop.is_set():
                    raise errors.DeliveryFailed("cancelled")
            while stream.read(65536):
                pass

    def member(self, archive: tarfile.TarFile, entry: tarfile.TarInfo, staging: Path) -> None:
        archive.extract(entry, staging, filter="fully_trusted" if os.geteuid() == 0 else "data")

    def swap(self, staging: Path, place: Path, stop: threading.Event) -> None:
        with self.lock:
            if stop.is_set():
                raise errors.DeliveryFailed("cancelled")
            if place.is_symlink() or place.is_file():
                place.unlink()
            if place.exists():
                aside = place.with_name(f".old-{uuid.uuid4().hex}")
                place.rename(aside)
                staging.rename(place)
                shutil.rmtree(aside)
            else:
                staging.rename(place)

    def clean_up(self, staging: Path) -> None:
        shutil.rmtree(staging, ignore_errors=True)

    def describe(self, folder: Path) -> InstalledPlugin:
        manifest = folder / "plugin.yaml"
        text = manifest.read_text() if manifest.is_file() else None
        return InstalledPlugin(folder.name, digest_of(folder), text)

    def remove(self, root: Path, removal: Removal) -> list[str]:
        left: list[str] = []
        for path, accepted in removal.files.items():
            target = root / path
            if target.is_file():
                if hashlib.sha256(target.read_bytes()).hexdigest() in accepted:
                    target.unlink()
                else:
                    left.append(path)
        for path in removal.directories:
            with contextlib.suppress(OSError):
                (root / path).rmdir()
        for path in removal.memory_files:
            left += self.clean(root / path, path, removal.clean_memory)
        settings = removal.settings_file
        left += self.clean(root / settings, settings, lambda text: removal.clean_settings(text, f"{root}/.claude"))
        shutil.rmtree(root / "plugins" / removal.name, ignore_errors=True)
        return left

    def clean(self, target, path, cleaning) -> list[str]:
        if not target.is_file():
            return []
        text = target.read_bytes().decode()
        cleaned = cleaning(text)
        if cleaned.text is None:
            target.unlink()
        elif cleaned.text != text:
            target.write_bytes(cleaned.text.encode())
        return [f"{path}: {what}" for what in cleaned.left]


def digest_of(folder: Path) -> str:
    files = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name, sha = path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()
            files.append(BundleFile(name, 0, False, sha))
    return tree_digest(files)


class GoodSource:
    """`good://NAME` from the folder in the setting `shelf`."""

    schemes = ("good",)

    def __init__(self) -> None:
        self.away = False

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        self.shelf, self.limit = Path(context.settings["shelf"]), context.service.max_tree_bytes

    @hookimpl
    def source_revision(self, source: Source) -> str | None:
        return digest_of(self.folder(source))

    @hookimpl
    async def resolve_source(self, source: Source, destination: Path) -> Resolved:
        await asyncio.sleep(0.05)
        return await asyncio.to_thread(self.fetch, source, destination)

    def folder(self, source: Source) -> Path:
        if self.away:
            raise errors.SourceUnavailable(f"away: {self.shelf}")
        if not source.spec.isidentifier():
            raise errors.InvalidSource(errors.SourceFault.BAD_SPEC)
        if not (self.shelf / source.spec).is_dir():
            raise errors.PluginNotFound("not on the shelf")
        return self.shelf / source.spec

    def fetch(self, source: Source, destination: Path) -> Resolved:
        folder = self.folder(source)
        if sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) > self.limit:
            raise errors.BundleTooLarge(self.limit)
        self.copy(folder, destination)
        return Resolved(source.spec, digest_of(folder))

    def copy(self, folder: Path, destination: Path) -> None:
        shutil.copytree(folder, destination, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git"))


class GoodPolicy:
    """Allows what comes from `good`. While it is `away`, it cannot decide."""

    def __init__(self) -> None:
        self.away = self.ready = False

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        self.ready = True

    @hookimpl
    def shutdown(self) -> None:
        self.ready = False

    @hookimpl
    async def check_policy(self, request: PolicyRequest) -> Refusal | None:
        await asyncio.sleep(0.01)
        return self.judge(request)

    def judge(self, request: PolicyRequest) -> Refusal | None:
        if self.away or not self.ready:
            raise RuntimeError("it cannot decide")
        if request.source is not None and request.source.scheme == "good":
            return None
        return Refusal("it does not come from good")


class GoodObserver:
    """Keeps the events. While it is `away`, they are lost."""

    def __init__(self) -> None:
        self.away = self.ready = False
        self.heard: list[Event] = []

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        self.ready = True

    @hookimpl
    def shutdown(self) -> None:
        self.ready = False

    @hookimpl
    async def observe(self, event: Event) -> None:
        await asyncio.sleep(0.01)
        self.tell(event)

    def tell(self, event: Event) -> None:
        if not self.ready:
            raise RuntimeError("not started")
        if not self.away:
            self.heard.append(event)


class GoodLayout:
    """Links a plugin, adds a manifest and enters a key. `data` is a name that its runtime uses itself."""

    layouts = ("good",)

    @hookimpl
    def lay_out(self, contents: Contents, target: LayoutTarget) -> Activation:
        if target.name == "data":
            raise errors.ActivationImpossible(f"plugins/{target.name}", errors.ActivationFault.RESERVED)
        return self.activation(contents, target)

    def activation(self, contents: Contents, target: LayoutTarget) -> Activation:
        commands = contents.of_kind(ComponentKind.COMMAND)
        return Activation(
            tree_files=self.tree_files(contents, target),
            links=(Link(self.place(target), f"plugins/{target.name}"),),
            entries=(
                SettingsEntry("settings.json", FileSyntax.JSON, ("plugins", target.name), self.value(contents)),
            ),
            unsupported=tuple(Unsupported(self.label(command), "it has no commands") for command in commands),
            question=Question(("good", "list"), self.read),
            query=TargetQuery(paths=("settings.json",)),
            check=self.check,
        )

    def tree_files(self, contents: Contents, target: LayoutTarget) -> dict[str, bytes]:
        return {"good.json": str(contents.version).encode()}

    def place(self, target: LayoutTarget) -> str:
        return f"skills/{target.name}"

    def value(self, contents: Contents) -> JSON:
        return {"on": True}

    def label(self, command) -> str:
        return f"command {command.name}"

    def read(self, answer: Answer) -> Seen:
        if answer.exit_code is None:
            return Seen(SeenState.UNKNOWN, "it did not end")
        if answer.exit_code == 0 and answer.output.startswith(b"demo "):
            return Seen(SeenState.YES)
        return Seen(SeenState.NO, "it is not listed")

    def check(self, state: TargetState) -> tuple:
        return ()
