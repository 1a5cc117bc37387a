"""What a check says of a plugin: what it has, what is wrong, and what each runtime makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ....hookspecs.values import (
    Activation,
    Component,
    ComponentKind,
    ContentFinding,
    Contents,
    Severity,
    normalise_runtime,
)
from ...pipeline.adaptor_rules import ADAPTOR

_RUNTIMES: Final = {"claude": "claude-code", "codex": "codex", "gemini": "gemini-cli", "qwen": "qwen-code"}
"""The runtime whose own format this is."""


@dataclass(frozen=True, slots=True)
class LayoutResult:
    """What a layout makes of the plugin. `findings` are all of the layout's, each with its name as the runtime.
    `activation` is None if the layout refuses the plugin."""

    layout: str
    activation: Activation | None
    findings: tuple[ContentFinding, ...] = ()

    def unused(self) -> dict[str, str]:
        """Return why the runtime does not use a component, by `<kind> <name>`."""
        return {each.component: each.why for each in self.activation.unsupported} if self.activation else {}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of a check. `contents` is None if an install would refuse the tree; `findings` are the formats'.
    `place` is what stands before a path of the plugin, for a report: its directory, if it lies on this machine.
    `intended` are the runtimes that the plugin is for, None if it is for all."""

    name: str | None
    contents: Contents | None
    findings: tuple[ContentFinding, ...] = ()
    layouts: tuple[LayoutResult, ...] = ()
    place: str = ""
    intended: frozenset[str] | None = None

    def all_findings(self) -> list[ContentFinding]:
        """Return every finding once, in the order of files and lines."""
        every = [*self.findings, *(finding for layout in self.layouts for finding in layout.findings)]
        return sorted(dict.fromkeys(every), key=lambda each: (each.path, each.line, each.column))

    def components(self) -> Iterator[Component]:
        """Yield the components but the assets."""
        components = self.contents.components if self.contents else ()
        return (component for component in components if component.kind is not ComponentKind.ASSET)

    def count(self, severity: Severity) -> int:
        """Return how many findings have the severity."""
        return sum(finding.severity is severity for finding in self.all_findings())

    def exit_code(self, *, strict: bool) -> int:
        """Return 1 if there is an error (`strict`: or a warning) that counts, else 0."""
        failing = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
        return int(any(finding.severity in failing for finding in self.all_findings() if self.counts(finding)))

    def counts(self, finding: ContentFinding) -> bool:
        """Return whether a finding concerns every runtime, or one that the plugin is for."""
        if finding.runtime is None or self.intended is None:
            return True
        return normalise_runtime(finding.runtime) in self.intended


def intended_runtimes(contents: Contents, layout_of: Mapping[str, str]) -> frozenset[str] | None:
    """Return the runtimes that a plugin is for, and their layouts: those of its manifest, else the one whose own
    format it has; None if it is for all. The layout `adaptor` always counts: a workspace that names none has it."""
    own = _RUNTIMES.get(contents.format)
    names = [normalise_runtime(name) for name in contents.runtimes or ((own,) if own else ())]
    return frozenset({ADAPTOR, *names, *(layout_of.get(name, name) for name in names)}) if names else None


def of_layout(finding: ContentFinding, layout: str) -> ContentFinding:
    """Return a layout's finding with the layout as its runtime, unless it names one."""
    return finding if finding.runtime is not None else replace(finding, runtime=layout)
