"""The step `read`: asks the formats what a fetched plugin has, and settles its name."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from ...hookspecs.errors import ManifestInvalid
from ...hookspecs.values import (
    JSON,
    ContentFinding,
    Contents,
    PluginTree,
    Resolved,
    Severity,
    TreeEntry,
    is_name,
)
from .bounded_yaml import YamlInvalid, to_json
from .contents_record import contents_to_json
from .manifest import description_of, name_of, runtimes_of, version_of

log = logging.getLogger("plugport.formats")

FOREIGN: Final = "foreign-manifest"
"""The rule of a finding that says that a tree is another tool's plugin: such a tree is refused."""

_FORMAT: Final = "plugport"
_MAX_NAME: Final = 128


class PluginReader(Protocol):
    """Asks the formats; the dispatcher is one."""

    async def read_plugin(self, tree: PluginTree) -> Sequence[Contents]:
        """Return what the formats read, in their order. Never raises."""


async def read_contents(reader: PluginReader, entries: Iterable[TreeEntry], manifest: Mapping[str, JSON]) -> Contents:
    """Return what the plugin has, by the first format that answers; without one nothing but what `manifest` says.

    `manifest` is the parsed `plugin.yaml`. Where another format disagrees about the name or the version, that is a
    finding. Raises `ManifestInvalid` if the tree is another tool's plugin.
    """
    tree = PluginTree({entry.path: entry.origin for entry in entries})
    answers = [contents for contents in await reader.read_plugin(tree) if _is_storable(contents)]
    if not answers:
        return _without_format(manifest)
    contents = _combined(answers)
    for finding in contents.findings:
        if finding.rule == FOREIGN:
            raise ManifestInvalid(finding.path, finding.message)
    return contents


def with_name(contents: Contents, resolved: Resolved, manifest: Mapping[str, JSON]) -> tuple[Contents, Resolved]:
    """Return the contents and the source's answer with the name that the plugin gets, if `plugin.yaml` has none.

    The source's name counts before that of another format's manifest, which is made a valid name where it is none.
    Both are findings.
    """
    if contents.name is None or name_of(manifest) is not None:
        return contents, resolved
    name = resolved.name or normalised_name(contents.name)
    if name is None or name == contents.name:
        return contents, resolved if name is None else replace(resolved, name=name)
    severity, message = (
        Severity.NOTE,
        f"the manifest calls the plugin {contents.name[:100]}; it is installed as {name}",
    )
    rule = "name-differs" if resolved.name else "name-changed"
    finding = ContentFinding(rule, severity, "", message)
    return replace(contents, findings=(finding, *contents.findings)), replace(resolved, name=name)


def normalised_name(text: str) -> str | None:
    """Return a valid name that is like the text, None if nothing of it can be used: `My Plugin` is `My-Plugin`."""
    if is_name(text):
        return text
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")[:_MAX_NAME].rstrip("-._")
    return name if is_name(name) else None


def _combined(answers: Sequence[Contents]) -> Contents:
    """Return the first answer, with the fields that it lacks and the findings of the others."""
    first = answers[0]
    findings = list(first.findings)
    for other in answers[1:]:
        findings += _disagreements(first, other)
        findings += (finding for finding in other.findings if finding.rule != FOREIGN)
    merged = first
    for other in answers[1:]:
        merged = replace(
            merged,
            name=merged.name or other.name,
            version=merged.version or other.version,
            description=merged.description or other.description,
            author=merged.author or other.author,
            licence=merged.licence or other.licence,
        )
    return replace(merged, findings=tuple(dict.fromkeys(findings)))


def _disagreements(first: Contents, other: Contents) -> Iterable[ContentFinding]:
    for field in ("name", "version"):
        mine, theirs = getattr(first, field), getattr(other, field)
        if mine is not None and theirs is not None and mine != theirs:
            message = (
                f"the format {first.format} says that the {field} is {mine[:100]}, {other.format} says {theirs[:100]}"
            )
            yield ContentFinding("formats-disagree", Severity.WARNING, "", message)


def _without_format(manifest: Mapping[str, JSON]) -> Contents:
    return Contents(
        _FORMAT,
        name_of(manifest),
        version_of(manifest),
        description_of(manifest),
        runtimes=runtimes_of(manifest),
        manifest=manifest,
    )


def _is_storable(contents: Contents) -> bool:
    """Return whether every part can be written as JSON: a format of a third party may answer with anything."""
    try:
        to_json(contents_to_json(contents))
    except (YamlInvalid, AttributeError, TypeError, ValueError, RecursionError):
        log.exception("a format answered with something that cannot be stored")
        return False
    return True
