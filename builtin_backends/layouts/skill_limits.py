"""Finds what a runtime does not take in a `SKILL.md`, by its rules in the tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ...hookspecs import Component, ContentFinding, Severity
from .runtime import Runtime, SkillRules

_KEY: Final = re.compile(r"([A-Za-z_][\w-]*):(?:\s+(.*))?$")
_BOM: Final = b"\xef\xbb\xbf"

_REFUSED: Final[Mapping[str, tuple[str, str]]] = {
    "bom": ("skill-bom", "the file starts with a byte order mark"),
    "latin-1": ("skill-encoding", "the file is not UTF-8"),
    "tab": ("skill-tab", "a line of the front matter is indented with a tab"),
    "twice": ("skill-key-twice", "a key of the front matter stands there twice"),
    "colon": ("skill-unquoted-colon", "the description has a colon and a space, and is not quoted"),
    "list": ("skill-description-type", "the description is a list"),
    "space": ("skill-name-space", "the name has a space"),
    "non-ascii": ("skill-name-letters", "the name has a letter outside ASCII"),
}
_NEEDED: Final[Mapping[str, tuple[str, str]]] = {
    "front-matter": ("skill-front-matter", "the file has no front matter"),
    "description": ("skill-description", "the front matter has no description"),
    "name": ("skill-name", "the front matter has no name"),
}


@dataclass(frozen=True, slots=True)
class _FrontMatter:
    """The lines of a front matter, and the keys at its top: each with its line, counted from 1, and its text."""

    lines: tuple[str, ...]
    keys: tuple[tuple[str, int, str], ...]

    def line_of(self, key: str) -> int:
        return next((line for name, line, _ in self.keys if name == key), 0)

    def text_of(self, key: str) -> str | None:
        return next((text for name, _, text in self.keys if name == key), None)


def _front_matter(content: bytes) -> _FrontMatter | None:
    lines = content.removeprefix(_BOM).decode("utf-8", "replace").splitlines()
    if not lines or lines[0].rstrip() != "---":
        return None
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), len(lines))
    keys = [
        (match[1], number, (match[2] or "").strip())
        for number, line in enumerate(lines[1:end], 2)
        if (match := _KEY.match(line))
    ]
    return _FrontMatter(tuple(lines[1:end]), tuple(keys))


def skill_findings(skill: Component, content: bytes, runtime: Runtime) -> list[ContentFinding]:
    """Return what the runtime will pass over or cut, with the line. `content` is the bytes of the `SKILL.md`."""
    rules, fields = runtime.skills, _front_matter(content)
    findings = [
        _finding(skill, runtime, *text, line=line) for text, line in _passed_over(skill, content, fields, rules)
    ]
    description = _description(skill)
    if rules.cut_at is not None and len(description) > rules.cut_at:
        message = f"{runtime.title} cuts the description after {rules.cut_at} characters; it has {len(description)}"
        line = fields.line_of("description") if fields else 0
        findings.append(
            ContentFinding(
                "skill-description-cut", Severity.WARNING, skill.path, message, line=line, runtime=runtime.name
            )
        )
    return findings


def _finding(skill: Component, runtime: Runtime, rule: str, fault: str, line: int) -> ContentFinding:
    message = f"{runtime.title} passes this skill over: {fault}"
    return ContentFinding(rule, Severity.ERROR, skill.path, message, line=line, runtime=runtime.name)


def _passed_over(
    skill: Component, content: bytes, fields: _FrontMatter | None, rules: SkillRules
) -> Iterator[tuple[tuple[str, str], int]]:
    for refused, line in _traits(skill, content, fields):
        if refused in rules.refuses:
            yield _REFUSED[refused], line
    if fields is None:
        if "front-matter" in rules.needs:
            yield _NEEDED["front-matter"], 1
        return
    for needed in ("description", "name"):
        if needed in rules.needs and fields.text_of(needed) is None:
            yield _NEEDED[needed], 1
    name, description = str(skill.data.get("name") or skill.name), _description(skill)
    if rules.longest_name is not None and len(name) > rules.longest_name:
        text = f"the name is longer than {rules.longest_name} characters"
        yield ("skill-name-length", text), fields.line_of("name")
    if rules.longest_description is not None and len(description) > rules.longest_description:
        text = f"the description is longer than {rules.longest_description} characters"
        yield ("skill-description-length", text), fields.line_of("description")


def _traits(skill: Component, content: bytes, fields: _FrontMatter | None) -> Iterator[tuple[str, int]]:
    """Yield which of the things that some runtime refuses this skill has, each with its line."""
    if content.startswith(_BOM):
        yield "bom", 1
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        yield "latin-1", content.count(b"\n", 0, error.start) + 1
    if fields is None:
        return
    tabbed = next((number for number, line in enumerate(fields.lines, 2) if line.startswith("\t")), None)
    if tabbed is not None:
        yield "tab", tabbed
    names = [name for name, _, _ in fields.keys]
    repeated = next((line for index, (name, line, _) in enumerate(fields.keys) if name in names[:index]), None)
    if repeated is not None:
        yield "twice", repeated
    description = fields.text_of("description") or ""
    if ": " in description and description[0] not in "\"'|>[{":
        yield "colon", fields.line_of("description")
    if isinstance(skill.data.get("description"), list) or description.startswith("["):
        yield "list", fields.line_of("description")
    name = str(skill.data.get("name") or fields.text_of("name") or "")
    if " " in name:
        yield "space", fields.line_of("name")
    if not name.isascii():
        yield "non-ascii", fields.line_of("name")


def _description(skill: Component) -> str:
    description = skill.data.get("description", skill.description)
    return description if isinstance(description, str) else ""
