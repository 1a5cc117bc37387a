"""Contents as JSON: in full for the cache, in short for the record of an installed plugin and for replies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ...hookspecs.values import JSON, Component, ComponentKind, ContentFinding, Contents, Severity, normalise_runtime

_TEXTS = ("format", "name", "version", "description", "author", "licence")


def contents_to_json(contents: Contents) -> dict[str, JSON]:
    """Return the whole contents. `contents_from_json` reads them again."""
    return {
        **{field: getattr(contents, field) for field in _TEXTS},
        "runtimes": list(contents.runtimes),
        "manifest": dict(contents.manifest),
        "findings": [finding_to_json(finding) for finding in contents.findings],
        "components": [
            {**component_to_json(component), "data": dict(component.data)} for component in contents.components
        ],
    }


def contents_from_json(stored: Mapping[str, Any]) -> Contents:
    """Return what `contents_to_json` was given. Raises `KeyError`, `TypeError` and `ValueError` for anything else."""
    components = (
        Component(**{**fields, "kind": ComponentKind(fields["kind"]), "runs": tuple(fields["runs"])})
        for fields in stored["components"]
    )
    findings = (
        ContentFinding(**{**fields, "severity": Severity(fields["severity"])}) for fields in stored["findings"]
    )
    return Contents(
        **{field: stored[field] for field in _TEXTS},
        runtimes=tuple(stored["runtimes"]),
        components=tuple(components),
        findings=tuple(findings),
        manifest=stored["manifest"],
    )


def contents_in_short(contents: Contents) -> dict[str, JSON]:
    """Return what the record of an installed plugin keeps: no assets, and nothing of a manifest but its fields."""
    return {
        **{field: getattr(contents, field) for field in _TEXTS},
        "components": [
            {**component, "description": each.description, "version": version_of_component(each)}
            for each, component in zip(_named(contents), components_to_json(contents), strict=True)
        ],
    }


def components_to_json(contents: Contents) -> list[dict[str, JSON]]:
    """Return the components for a reply, without assets: `kind`, `name` and `path`."""
    return [{"kind": each.kind.value, "name": each.name, "path": each.path} for each in _named(contents)]


def component_to_json(component: Component) -> dict[str, JSON]:
    """Return a component without what else its declaration says."""
    return {
        "kind": component.kind.value,
        "name": component.name,
        "path": component.path,
        "description": component.description,
        "runs": list(component.runs),
    }


def version_of_component(component: Component) -> str | None:
    """Return the version that the component itself names, as skills do under `metadata`; None if it names none."""
    metadata = component.data.get("metadata")
    for fields in (component.data, metadata):
        version = fields.get("version") if isinstance(fields, Mapping) else None
        if isinstance(version, str | int | float) and not isinstance(version, bool):
            return str(version)[:128]
    return None


def finding_to_json(finding: ContentFinding) -> dict[str, JSON]:
    """Return a finding for a reply."""
    return {**asdict(finding), "severity": finding.severity.value}


def warnings_for(findings: Iterable[ContentFinding], runtime: str | None) -> list[JSON]:
    """Return the findings that concern a runtime, for a reply. None: the runtime is not known, so all of them."""
    wanted = None if runtime is None else normalise_runtime(runtime)
    return [
        finding_to_json(finding)
        for finding in findings
        if finding.runtime is None or wanted is None or normalise_runtime(finding.runtime) == wanted
    ]


def _named(contents: Contents) -> list[Component]:
    return [component for component in contents.components if component.kind is not ComponentKind.ASSET]
