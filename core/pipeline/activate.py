"""Lays a plugin out for its runtime, plans what makes it active there, and asks the agent what it sees."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from ...hookspecs import errors
from ...hookspecs.values import (
    JSON,
    Activation,
    Bundle,
    Contents,
    Grant,
    LayoutTarget,
    Question,
    Seen,
    SeenState,
    Severity,
    TargetQuery,
    TargetState,
    Unsupported,
    Workspace,
)
from ...hookspecs.values.bundle import with_files
from ..dispatcher import Dispatcher
from ..store.installed import InstalledRecord
from .activation.plan import Plan, activation_query, plan_activation, plan_undo
from .activation.record import ActivationRecord
from .adaptor_rules import ADAPTOR, adaptor_findings
from .contents_record import warnings_for

log = logging.getLogger("plugport.pipeline")
_Result = TypeVar("_Result")
_MAX_COMPLAINT: Final = 2000
_NO_COMMAND: Final = 127
_MORE_LOOKS: Final = 2
_BY_HAND: Final = "plugport cannot give this trust."


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A plugin as it is delivered: `bundle` has the layout's files, `source_digest` is that of the fetched tree."""

    layout: str
    bundle: Bundle
    source_digest: str
    activation: Activation = field(default_factory=Activation)

    @property
    def is_native(self) -> bool:
        """Whether it is laid out for the runtime itself, and not for its adaptor."""
        return self.layout != ADAPTOR

    def needs_grant(self, granted: Sequence[str]) -> list[Grant]:
        """Return the trusts that the agent still demands."""
        return [grant for grant in self.activation.grants if grant.name not in granted or not grant.has_means]

    def unsupported(self, granted: Sequence[str]) -> list[Unsupported]:
        """Return what the runtime cannot use, and which of the `granted` trusts plugport cannot give."""
        without_means = [grant for grant in self.needs_grant(granted) if grant.name in granted]
        refused = [Unsupported(f"grant {grant.name}", f"{_BY_HAND} {grant.why}") for grant in without_means]
        return [*self.activation.unsupported, *refused]

    def warnings(self, runtime: str | None) -> list[JSON]:
        """Return what is wrong with the plugin's contents and what `runtime` makes of them, for a reply."""
        contents = self.bundle.contents
        findings = [*self.activation.findings]  # all of them: a layout may call its runtime by another name
        if not self.is_native:
            findings += adaptor_findings(contents, [file.path for file in self.bundle.files])
        of_formats = warnings_for(contents.findings if contents else (), runtime)
        return [*of_formats, *warnings_for(dict.fromkeys(findings), None)]

    def reply(self, granted: Sequence[str]) -> dict[str, JSON]:
        """Return what the reply to an install says of the layout."""
        return {
            "layout": self.layout,
            "source_digest": self.source_digest,
            "unsupported": [{"component": each.component, "why": each.why} for each in self.unsupported(granted)],
            "needs_grant": [{"name": each.name, "why": each.why} for each in self.needs_grant(granted)],
            "takes_effect": str(self.activation.takes_effect) if self.is_native else None,
        }


@dataclass(frozen=True, slots=True)
class Activator:
    """Lays out, plans and asks. `folder` holds laid-out archives while they are delivered; `ask_seconds` is the time
    that the agent has to answer."""

    dispatcher: Dispatcher
    folder: Path
    ask_seconds: float

    @asynccontextmanager
    async def lay_out(
        self, workspace: Workspace, fetched: Bundle, grants: Sequence[str] = ()
    ) -> AsyncIterator[LaidOut]:
        """Give the plugin as it is delivered under the workspace's layout. Its archive is there until the block ends.

        Raises `ActivationImpossible`.
        """
        layout = workspace.layout or ADAPTOR
        if layout == ADAPTOR:
            yield LaidOut(layout, fetched, fetched.digest, await self._adaptor(workspace, fetched))
            return
        if not self.dispatcher.can_activate(workspace):
            fault = errors.ActivationFault.NO_ACTIVATION
            raise errors.ActivationImpossible(f"plugins/{fetched.name}", fault)
        activation = await self._ask_layout(workspace, fetched, layout)
        granted = [grant for grant in activation.grants if grant.name in grants]
        activation = replace(
            activation,
            entries=(*activation.entries, *(entry for grant in granted for entry in grant.entries)),
            files=(*activation.files, *(file for grant in granted for file in grant.files)),
        )
        if not activation.tree_files:
            yield LaidOut(layout, fetched, fetched.digest, activation)
            return
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            archive = Path(folder) / "archive.tar"
            bundle = await asyncio.to_thread(with_files, fetched, activation.tree_files, archive)
            yield LaidOut(layout, bundle, fetched.digest, activation)

    async def look(self, workspace: Workspace, query: TargetQuery, activation: Activation) -> TargetState:
        """Look at the target, and again for what the layout wants to know besides. Raises `ActivationImpossible`, and
        what the hook `inspect_target` raises."""
        state = await self.dispatcher.inspect_target(workspace, query)
        for _ in range(_MORE_LOOKS):
            more = _by_layout(activation.look_again, state)
            if more == TargetQuery():
                break
            further = await self.dispatcher.inspect_target(workspace, more)
            state = replace(state, paths={**further.paths, **state.paths})
        return state

    def plan(self, laid_out: LaidOut, state: TargetState, records: Sequence[ActivationRecord]) -> Plan | None:
        """Plan the activation in place of what `records` say; None if there is nothing to do. Blocking.

        Raises `ActivationImpossible`.
        """
        if not laid_out.is_native and not records:
            return None
        name = laid_out.bundle.name
        for finding in _by_layout(laid_out.activation.check, state):
            if finding.severity is Severity.ERROR:
                raise errors.ActivationImpossible(finding.path, errors.ActivationFault.TAKEN, finding.line or None)
        activation = laid_out.activation if laid_out.is_native else Activation()
        return plan_activation(activation, state, name, laid_out.bundle.digest, laid_out.layout, records)

    async def ask(self, workspace: Workspace, activation: Activation, state: TargetState) -> Seen:
        """Ask the agent what it sees. Never raises the tree's errors: an agent that cannot be asked is UNKNOWN."""
        if activation.question is None:
            return Seen(SeenState.UNKNOWN, "the layout knows no question that the agent answers")
        question = _filled(activation.question, state)
        try:
            answer = await self.dispatcher.ask(workspace, question, self.ask_seconds)
        except errors.UnsupportedTarget:
            return Seen(SeenState.UNKNOWN, "the backend cannot run the agent's command there")
        except errors.PlugportError:
            log.exception("the agent could not be asked")
            return Seen(SeenState.UNKNOWN, "the agent did not answer")
        if answer.exit_code == _NO_COMMAND:
            return Seen(SeenState.UNKNOWN, f"there is no {question.command[0]} on the target")
        try:
            seen = question.read(answer)
        except Exception:  # a layout's own code
            log.exception("the layout could not read the agent's answer")
            return Seen(SeenState.UNKNOWN, "the layout could not read the agent's answer")
        return replace(seen, complaint=None if seen.complaint is None else _shown(seen.complaint))

    async def _adaptor(self, workspace: Workspace, fetched: Bundle) -> Activation:
        """Return what the layout `adaptor` says of the plugin: findings alone."""
        if ADAPTOR not in self.dispatcher.layouts:
            return Activation()
        try:
            return await self._ask_layout(workspace, fetched, ADAPTOR)
        except errors.ActivationImpossible:
            log.exception("the layout adaptor failed")
            return Activation()

    async def _ask_layout(self, workspace: Workspace, fetched: Bundle, layout: str) -> Activation:
        tree = await asyncio.to_thread(fetched.reader)
        runtime, options = workspace.runtime_name, workspace.options
        target = LayoutTarget(
            fetched.name, fetched.digest, layout, runtime, options, tree.read, fetched.files, tree.chunks
        )
        return await self.dispatcher.lay_out(fetched.contents or Contents("plugport", fetched.name), target)


def records_of(record: InstalledRecord | None, prepared: Mapping[str, Any] | None = None) -> list[ActivationRecord]:
    """Return what lies beside a plugin's directory by its record, and by an operation that was cut off."""
    return records_of_json([(prepared or {}).get("activation"), record.activation if record else None])


def records_of_json(stored: Sequence[Mapping[str, Any] | None]) -> list[ActivationRecord]:
    """Return the records that `ActivationRecord.to_json` wrote; None counts as none."""
    return [ActivationRecord.from_json(each) for each in stored if each]


def joined(first: TargetQuery, second: TargetQuery) -> TargetQuery:
    """Return one query that asks for what both ask for."""
    contents = dict.fromkeys((*first.contents, *second.contents))
    trees = dict.fromkeys((*first.trees, *second.trees))
    folders = [path for path in dict.fromkeys((*first.folders, *second.folders)) if path not in trees]
    others = {*contents, *trees, *folders}
    paths = [path for path in dict.fromkeys((*first.paths, *second.paths)) if path not in others]
    longest = max(first.max_content, second.max_content)
    return TargetQuery(tuple(paths), tuple(contents), tuple(trees), longest, tuple(folders))


def undo_query(records: Sequence[ActivationRecord]) -> TargetQuery:
    """Return what must be known of a target before `plan_undo`."""
    return activation_query(Activation(), records)


def seen_json(seen: Seen) -> dict[str, JSON]:
    """Return what the agent sees as replies and records hold it."""
    return {"seen": str(seen.state), "seen_reason": seen.reason, "complaint": seen.complaint}


def _shown(text: str) -> str:
    """Return what an agent printed as a few lines of plain text: no control characters, no surrogates."""
    text = text.encode("utf-8", "backslashreplace").decode()[:_MAX_COMPLAINT]
    return "".join(character if character.isprintable() or character == "\n" else " " for character in text)


def _by_layout(function: Callable[[TargetState], _Result], state: TargetState) -> _Result:
    """Call a function that a layout gave."""
    try:
        return function(state)
    except Exception as error:  # a layout's own code
        raise errors.ActivationImpossible("plugins", errors.ActivationFault.LAYOUT) from error


def _filled(question: Question, state: TargetState) -> Question:
    """Return the question with the target's places, and the home as the agent knows it."""

    def fill(text: str) -> str:
        return text.replace("${config_dir}", state.config_dir).replace("${home}", state.home or "/")

    environment = {"HOME": state.home} if state.home else {}
    environment |= {name: fill(value) for name, value in question.environment.items()}
    return replace(question, command=tuple(map(fill, question.command)), environment=environment)


__all__ = ["Activator", "LaidOut", "joined", "plan_undo", "records_of", "records_of_json", "seen_json", "undo_query"]
