"""Reads a plugin from a directory or a source and asks the layouts, with the service's own dispatcher."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ....hookspecs.errors import ActivationImpossible, PlugportError, UnsafeBundle
from ....hookspecs.providers import discover
from ....hookspecs.values import (
    BundleFile,
    ContentFinding,
    Contents,
    LayoutTarget,
    Resolved,
    Severity,
    Source,
    TargetState,
    TreeEntry,
    normalise_runtime,
    tree_digest,
)
from ...dispatcher import Dispatcher
from ...pipeline.adaptor_rules import ADAPTOR, adaptor_findings
from ...pipeline.manifest import FILE, name_of, plugin_name, read_manifest
from ...pipeline.read import normalised_name, read_contents, with_name
from ...pipeline.tree_check import check_tree
from ...startup_contexts import startup_contexts
from ...store.database import Database
from .result import CheckResult, LayoutResult, intended_runtimes, of_layout

if TYPE_CHECKING:
    from ...settings import Settings


_CHUNK: Final = 1 << 20


class NoSuchLayout(Exception):
    """Raised for a runtime that no loaded layout serves. The text names those that there are."""


@dataclass(frozen=True, slots=True)
class _Tree:
    """The files of a plugin: where each lies, by its path, and what is known of each, sorted by path."""

    files: Mapping[str, Path]
    listed: tuple[BundleFile, ...]

    @classmethod
    def of(cls, entries: Iterable[TreeEntry]) -> _Tree:
        """Read and hash the files."""
        files = {entry.path: entry for entry in entries}
        ordered = sorted(files, key=lambda path: path.encode("utf-8", "surrogateescape"))
        listed = tuple(_hashed(files[path]) for path in ordered)
        return cls({path: entry.origin for path, entry in files.items()}, listed)

    def read(self, path: str) -> bytes:
        """Return a file's bytes. Raises `KeyError` if there is no such file."""
        return self.files[path].read_bytes()

    def chunks(self, path: str) -> Iterator[bytes]:
        """Yield a file's bytes piece by piece. Raises `KeyError` as `read` does."""
        with self.files[path].open("rb") as file:
            yield from iter(lambda: file.read(_CHUNK), b"")


def _hashed(entry: TreeEntry) -> BundleFile:
    with entry.origin.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return BundleFile(entry.path, file.tell(), entry.executable, sha256)


async def check_plugin(plugin: Path | Source, runtimes: Sequence[str], settings: Settings) -> CheckResult:
    """Check a directory or a source for the layouts of these runtimes; without any for all of them.

    Raises `NoSuchLayout`, and the errors that a fetch raises.
    """
    async with _dispatcher(settings) as dispatcher:
        layouts = _layouts(dispatcher, runtimes, settings)
        if isinstance(plugin, Path):
            result = await _check_tree(dispatcher, plugin, None, layouts, settings)
        else:
            with tempfile.TemporaryDirectory(prefix="plugport-check-") as folder:
                resolved = await dispatcher.resolve_source(plugin, Path(folder), settings.fetch_seconds)
                result = await _check_tree(dispatcher, Path(folder), resolved, layouts, settings)
    if runtimes:
        return replace(result, intended=frozenset((*layouts, *map(normalise_runtime, runtimes))))
    if result.contents is None:
        return result
    return replace(result, intended=intended_runtimes(result.contents, settings.layout_of_runtime))


@asynccontextmanager
async def _dispatcher(settings: Settings) -> AsyncIterator[Dispatcher]:
    """Start the sources, the formats and the layouts, with a data directory of their own; no backend is started."""
    discovered = discover(allowed=settings.providers_allow, blocked=settings.providers_block)
    providers = [each for each in discovered if each.schemes or each.layouts or each.format is not None]
    dispatcher = Dispatcher(providers, timeout=settings.hook_timeout, trace=settings.trace_hooks)
    with tempfile.TemporaryDirectory(prefix="plugport-check-") as folder:
        database = await Database.open(f"sqlite+aiosqlite:///{folder}/check.sqlite3")
        try:
            await dispatcher.startup(startup_contexts(dispatcher.providers, settings, database))
            yield dispatcher
        finally:
            await dispatcher.shutdown()
            await database.close()


def _layouts(dispatcher: Dispatcher, runtimes: Sequence[str], settings: Settings) -> list[str]:
    if not runtimes:
        return list(dispatcher.layouts)
    wanted = [settings.layout_of_runtime.get(name, name) for name in map(normalise_runtime, runtimes)]
    for name in wanted:
        if name not in dispatcher.layouts:
            raise NoSuchLayout(f"no layout serves the runtime {name}; there are: {', '.join(dispatcher.layouts)}")
    return list(dict.fromkeys(wanted))


async def _check_tree(
    dispatcher: Dispatcher, root: Path, resolved: Resolved | None, layouts: Sequence[str], settings: Settings
) -> CheckResult:
    place = str(root) if resolved is None else ""
    try:
        limits = {"max_bytes": settings.max_tree_bytes, "max_files": settings.max_tree_files}
        entries = await asyncio.to_thread(check_tree, root, **limits)
        manifest = await asyncio.to_thread(read_manifest, root)
        contents = await read_contents(dispatcher, entries, manifest)
        contents, named = with_name(contents, resolved or Resolved(None), manifest)
        if named.name is None and name_of(manifest) is None:
            named = Resolved(normalised_name(await asyncio.to_thread(_folder_name, root)) or "plugin")
        name = plugin_name(named, manifest)
    except PlugportError as error:
        path = error.path if isinstance(error, UnsafeBundle) else FILE
        finding = ContentFinding(error.slug, Severity.ERROR, path, error.detail)
        return CheckResult(None, None, (finding,), place=place)
    tree = await asyncio.to_thread(_Tree.of, entries)
    digest = tree_digest(tree.listed)
    results = [await _ask(dispatcher, contents, tree, LayoutTarget(name, digest, layout)) for layout in layouts]
    return CheckResult(name, contents, contents.findings, tuple(results), place)


def _folder_name(root: Path) -> str:
    return root.resolve().name


async def _ask(dispatcher: Dispatcher, contents: Contents, tree: _Tree, target: LayoutTarget) -> LayoutResult:
    layout = target.layout
    runtime = None if layout == ADAPTOR else layout
    asked = LayoutTarget(
        target.name, target.digest, layout, runtime, read=tree.read, files=tree.listed, chunks=tree.chunks
    )
    try:
        activation = await dispatcher.lay_out(contents, asked)
    except ActivationImpossible as error:
        finding = ContentFinding(error.slug, Severity.ERROR, "", error.detail, runtime=layout)
        return LayoutResult(layout, None, (finding,))
    findings = list(activation.findings)
    findings += activation.check(TargetState("/config", "/home/agent"))
    if layout == ADAPTOR:
        findings += adaptor_findings(contents, tree.files)
    return LayoutResult(layout, activation, tuple(dict.fromkeys(of_layout(each, layout) for each in findings)))
