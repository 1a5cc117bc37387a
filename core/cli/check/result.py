"""What a check says of a plugin: what it has, what is wrong, and what each runtime makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ....hookspecs.values import Activation, Component, ComponentKind, ContentFinding, Contents, Severity


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
    `place` is what stands before a path of the plugin, for a report: its directory, if it lies on this machine."""

    name: str | None
    contents: Contents | None
    findings: tuple[ContentFinding, ...] = ()
    layouts: tuple[LayoutResult, ...] = ()
    place: str = ""

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
        """Return 1 if there is an error (`strict`: or a warning), else 0."""
        return int(self.count(Severity.ERROR) > 0 or (strict and self.count(Severity.WARNING) > 0))


def of_layout(finding: ContentFinding, layout: str) -> ContentFinding:
    """Return a layout's finding with the layout as its runtime, unless it names one."""
    return finding if finding.runtime is not None else replace(finding, runtime=layout)
