"""Makes a pulled plugin active in this machine's agent, as the service does in workspaces that it reaches."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from ....hookspecs import errors
from ....hookspecs.providers import discover
from ....hookspecs.values import (
    JSON,
    Bundle,
    Resolved,
    Seen,
    SeenState,
    TargetState,
    Workspace,
    normalise_runtime,
    pack,
)
from ...dispatcher import Dispatcher
from ...pipeline.activate import Activator, LaidOut, records_of_json
from ...pipeline.activation.plan import Plan, activation_query
from ...pipeline.activation.record import ActivationRecord
from ...pipeline.manifest import read_manifest
from ...pipeline.read import read_contents, with_name
from ...pipeline.take_back import take_back
from ...pipeline.tree_check import check_tree
from .unpack import MAX_BYTES, MAX_FILES, PullFailed, TakenBack

_SECONDS: Final = 600.0
_ASK_SECONDS: Final = 10.0
_ATTEMPTS: Final = 3
_RECORDS: Final = ".plugport/pulled"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a plugin under a layout: what the runtime cannot use, what it must trust, what the agent says,
    what somebody edited and therefore stays, and what is wrong with the plugin (as in the reply to an install)."""

    unsupported: tuple[str, ...] = ()
    needs_grant: tuple[str, ...] = ()
    seen: Seen = field(default_factory=lambda: Seen(SeenState.UNKNOWN, "the agent was not asked"))
    left: tuple[str, ...] = ()
    warnings: tuple[JSON, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalAgent:
    """The agent of this machine: `plugins` is `<its config dir>/plugins`, `home` its home, `layout` its layout."""

    plugins: Path
    home: Path
    layout: str
    grants: tuple[str, ...] = ()

    async def install(self, tree: Path, name: str, scratch: Path) -> Outcome:
        """Put the plugin of the checked tree in place, activate it, and ask the agent. `scratch` holds the archives.

        May be repeated. Raises `PullFailed`, with the old version still in place, and `TakenBack`.
        """
        workspace = self._workspace()
        dispatcher = Dispatcher(discover())
        activator = Activator(dispatcher, scratch, _ASK_SECONDS)
        with _failures():
            bundle = await self._bundle(dispatcher, tree, name, scratch)
            async with activator.lay_out(workspace, bundle, self.grants) as laid_out:
                records = self._records(name)
                state, plan, left = await self._deliver(dispatcher, activator, workspace, laid_out, records)
                seen = await activator.ask(workspace, laid_out.activation, state)
        if seen.broken and plan is not None:
            with _failures():
                await take_back(dispatcher, workspace, name, [plan.record], _SECONDS, whole=True)
            self._forget(name)
            raise TakenBack("the agent does not start with it, so it was removed again")
        unsupported = (f"{each.component}: {each.why}" for each in laid_out.unsupported(self.grants))
        grants = (grant.name for grant in laid_out.needs_grant(self.grants))
        warnings = laid_out.warnings(normalise_runtime(self.layout))
        return Outcome(tuple(unsupported), tuple(grants), seen, left, tuple(warnings))

    async def remove(self, name: str) -> Outcome:
        """Remove the plugin, and what lies beside it. Raises `PullFailed`."""
        if not self._record_of(name).exists():
            raise PullFailed(f"{name} was not pulled into {self.plugins} under a native layout")
        with _failures():
            dispatcher, records = Dispatcher(discover()), self._records(name)
            left = await take_back(dispatcher, self._workspace(), name, records, _SECONDS, whole=True)
        self._forget(name)
        return Outcome(left=left)

    def _workspace(self) -> Workspace:
        options = {"path": str(self.plugins.parent.resolve()), "home": str(self.home.resolve())}
        return Workspace("here", backend="host", options=options, layout=self.layout)

    async def _bundle(self, dispatcher: Dispatcher, tree: Path, name: str, scratch: Path) -> Bundle:
        entries = check_tree(tree, max_bytes=MAX_BYTES, max_files=MAX_FILES)
        manifest = read_manifest(tree)
        packed = pack(name, entries, scratch / "source.tar", manifest=manifest)
        contents, _ = with_name(await read_contents(dispatcher, entries, manifest), Resolved(name), manifest)
        return replace(packed, contents=contents)

    async def _deliver(
        self,
        dispatcher: Dispatcher,
        activator: Activator,
        workspace: Workspace,
        laid_out: LaidOut,
        records: list[ActivationRecord],
    ) -> tuple[TargetState, Plan | None, tuple[str, ...]]:
        name = laid_out.bundle.name
        for _ in range(_ATTEMPTS):
            query = activation_query(laid_out.activation, records)
            state = await activator.look(workspace, query, laid_out.activation)
            plan = activator.plan(laid_out, state, records)
            if plan is not None:
                self._save(name, [plan.record, *records])
            changes = plan.changes if plan else None
            receipt = await dispatcher.deliver(workspace, laid_out.bundle, _SECONDS, (), changes)
            if not receipt.refused:
                if plan is not None:
                    self._save(name, [plan.record])
                return state, plan, (*(plan.left if plan else ()), *receipt.kept_files)
        raise PullFailed(f"{receipt.refused[0]} kept changing")

    def _forget(self, name: str) -> None:
        """Delete the plugin's record, and the folders above it if they are empty."""
        record = self._record_of(name)
        record.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # what is not empty stays
            record.parent.rmdir()
            record.parent.parent.rmdir()

    def _record_of(self, name: str) -> Path:
        return self.plugins / _RECORDS / f"{name}.json"

    def _records(self, name: str) -> list[ActivationRecord]:
        """Return what the last pull of the plugin left beside it. An unreadable record counts as none."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            stored: list[dict[str, Any]] = json.loads(self._record_of(name).read_text("utf-8"))
            return records_of_json(stored)
        return []

    def _save(self, name: str, records: list[ActivationRecord]) -> None:
        path = self._record_of(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps([record.to_json() for record in records]), "utf-8")
        fresh.replace(path)


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    """Raise the tree's errors as `PullFailed`, with the sentence that a client of the service would get."""
    try:
        yield
    except errors.PlugportError as error:
        raise PullFailed(error.detail.rstrip(".")) from error
    except OSError as error:
        raise PullFailed(f"a file cannot be read or written: {error.strerror}") from error
