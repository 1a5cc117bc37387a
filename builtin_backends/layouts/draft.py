"""Collects what an activation has while a layout goes through a plugin's components."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ...hookspecs import (
    JSON,
    Activation,
    Component,
    ComponentKind,
    ContentFinding,
    Contents,
    Copy,
    FileSyntax,
    Grant,
    LayoutTarget,
    Link,
    MemoryText,
    PlacedFile,
    Question,
    SettingsEntry,
    Severity,
    TargetQuery,
    TargetState,
    Unsupported,
)
from ...hookspecs.errors import ActivationFault, ActivationImpossible
from .conversion import canonical_event
from .runtime import Runtime
from .skill_limits import skill_findings

Check = Callable[[TargetState], tuple[ContentFinding, ...]]
LookAgain = Callable[[TargetState], TargetQuery]


@dataclass(slots=True)
class Draft:
    """An activation that grows. Make it with `draft_for`, which refuses names and notes what the tables say."""

    runtime: Runtime
    contents: Contents
    target: LayoutTarget
    tree: dict[str, bytes] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    files: list[PlacedFile] = field(default_factory=list)
    entries: list[SettingsEntry] = field(default_factory=list)
    texts: list[MemoryText] = field(default_factory=list)
    unsupported: list[Unsupported] = field(default_factory=list)
    findings: list[ContentFinding] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The plugin's name on the target."""
        return self.target.name

    @property
    def place(self) -> str:
        """The plugin's directory, below the config dir."""
        return f"plugins/{self.name}"

    @property
    def root(self) -> str:
        """The plugin's directory as an absolute path, for the text of an entry."""
        return f"${{config_dir}}/{self.place}"

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file of the plugin, None if it has no such file."""
        try:
            return self.target.read(path)
        except KeyError:
            return None

    def has(self, path: str) -> bool:
        """Return whether the plugin has the file."""
        return self.read(path) is not None

    def add(self, path: str, content: bytes) -> bool:
        """Add a file to the plugin's directory, unless it has one there. Return whether it was added."""
        if path in self.tree or self.has(path):
            return False
        self.tree[path] = content
        return True

    def link(self, path: str, folder: str = "") -> None:
        """Link `path` to the plugin's directory or to a path below it."""
        self.links.append(Link(path, posixpath.join(self.place, folder) if folder else self.place))

    def enter(
        self, path: str, syntax: FileSyntax, keys: Iterable[str], value: JSON, *, append: bool = False
    ) -> SettingsEntry:
        """Ask for a value in a settings file, and return it."""
        entry = SettingsEntry(path, syntax, tuple(keys), value, append)
        self.entries.append(entry)
        return entry

    def cannot(self, component: Component, why: str) -> None:
        """Say that the runtime cannot use a component."""
        self.unsupported.append(Unsupported(label(component), why))

    def note(self, rule: str, severity: Severity, path: str, message: str) -> None:
        """Say what the runtime makes of a file."""
        self.findings.append(ContentFinding(rule, severity, path, message, runtime=self.runtime.name))

    def of(self, kind: ComponentKind) -> tuple[Component, ...]:
        """Return the components of a kind that the runtime can use."""
        return () if kind in self.runtime.missing else self.contents.of_kind(kind)

    def usable_hooks(self) -> tuple[Component, ...]:
        """Return the hooks whose event the runtime has and that run a command; say which it has not."""
        usable = []
        for hook in self.of(ComponentKind.HOOK):
            event = canonical_event(hook)
            if event not in self.runtime.events:
                shown = str(hook.data.get("event", "")) or "none"
                self.cannot(hook, f"{self.runtime.title} has no event {shown}")
            else:
                usable.append(hook)
        return tuple(usable)

    def build(
        self,
        question: Question | None = None,
        query: TargetQuery | None = None,
        check: Check | None = None,
        look_again: LookAgain | None = None,
    ) -> Activation:
        """Return the activation."""
        return Activation(
            tree_files=dict(self.tree),
            links=tuple(self.links),
            copies=tuple(self.copies),
            files=tuple(self.files),
            entries=tuple(self.entries),
            texts=tuple(self.texts),
            unsupported=tuple(self.unsupported),
            findings=tuple(self.findings),
            grants=tuple(self.grants),
            takes_effect=self.runtime.effect,
            needs_restart=self.runtime.restarts,
            question=question,
            query=query or TargetQuery(),
            check=check or (lambda _: ()),
            look_again=look_again or (lambda _: TargetQuery()),
        )


def draft_for(runtime: Runtime, contents: Contents, target: LayoutTarget) -> Draft:
    """Return a draft that says already which components and skills the runtime does not take.

    Raises `ActivationImpossible` if the runtime refuses the plugin's name or uses it itself.
    """
    place = f"plugins/{target.name}"
    if target.name in runtime.names.reserved:
        raise ActivationImpossible(place, ActivationFault.RESERVED)
    if not runtime.names.pattern.fullmatch(target.name):
        raise ActivationImpossible(place, ActivationFault.NAME)
    draft = Draft(runtime, contents, target)
    for component in contents.components:
        if component.kind in runtime.missing:
            draft.cannot(component, runtime.missing[component.kind])
    for skill in draft.of(ComponentKind.SKILL):
        content = draft.read(skill.path)
        if content is not None:
            draft.findings += skill_findings(skill, content, runtime)
    return draft


def label(component: Component) -> str:
    """Return how a component is named in answers: `<kind> <name>`."""
    return f"{component.kind.value} {component.name}"


def file_stem(component: Component, folder: str) -> str:
    """Return a component's path below its folder without the ending, by which the runtime calls it.

    One that lies elsewhere is called by its name; `:` separates folders in it.
    """
    own = component.path.removeprefix(folder).rpartition(".")[0] if component.path.startswith(folder) else ""
    return own or "/".join(plain_word(part) for part in component.name.split(":"))


def plain_word(text: str) -> str:
    """Return a text as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text).lstrip(".-") or "unnamed"
