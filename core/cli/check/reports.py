"""Renders the result of a check as text, JSON, SARIF, or annotations for GitHub Actions."""

from __future__ import annotations

import json
import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import Final

from ....hookspecs.values import ComponentKind, ContentFinding, Severity
from ...pipeline.contents_record import component_to_json, finding_to_json, version_of_component
from .result import CheckResult, LayoutResult

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_TITLES: Final = {
    ComponentKind.SKILL: "skills",
    ComponentKind.RULE: "rules",
    ComponentKind.COMMAND: "commands",
    ComponentKind.SUBAGENT: "subagents",
    ComponentKind.HOOK: "hooks",
    ComponentKind.MCP_SERVER: "MCP servers",
    ComponentKind.SETTINGS: "settings",
}
_MAX_DESCRIPTION: Final = 72
_GITHUB: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_Object = dict[str, object]


def render(result: CheckResult, report_format: str) -> str:
    """Return the report in one of `REPORTS`, without a line feed at its end."""
    return REPORTS[report_format](result)


def _text(result: CheckResult) -> str:
    lines = [*_head(result), *_tree(result)]
    findings = result.all_findings()
    if findings:
        lines += ["", *(_line(result, finding) for finding in findings)]
    if result.layouts:
        lines += ["", *(line for layout in result.layouts for line in _layout(result, layout))]
    counts = [(result.count(severity), severity.value) for severity in Severity]
    summary = [", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)]
    uncounted = {finding.runtime for finding in findings if not result.counts(finding)} - {None}
    if uncounted:
        names = ", ".join(sorted(map(str, uncounted)))
        summary.append(f"the plugin is not made for {names}: what is said of them does not change the exit code")
    return "\n".join([*lines, "", *summary])


def _head(result: CheckResult) -> list[str]:
    contents = result.contents
    if contents is None:
        return ["an install refuses this plugin"]
    differing = f" (the manifest says {contents.name})" if contents.name not in {None, result.name} else ""
    title = " ".join(filter(None, [result.name, contents.version]))
    head = [_plain(f"{title}, read by the format {contents.format}{differing}")]
    return head + ([f"  {_short(contents.description)}"] if contents.description else [])


def _tree(result: CheckResult) -> Iterator[str]:
    by_kind = defaultdict(list)
    for component in result.components():
        by_kind[component.kind].append(component)
    if result.contents is not None and not by_kind:
        yield "└── nothing that an agent reads"
    kinds = [kind for kind in _TITLES if by_kind[kind]]
    for kind in kinds:
        is_last = kind is kinds[-1]
        yield f"{'└' if is_last else '├'}── {_TITLES[kind]}"
        for component in by_kind[kind]:
            branch = "└" if component is by_kind[kind][-1] else "├"
            said = f"runs {'; '.join(component.runs)}" if component.runs else component.description or ""
            shown = f"{component.name}  {component.path}" + (f"  {_short(said)}" if said else "")
            yield f"{' ' if is_last else '│'}   {branch}── {_plain(shown)}"


def _layout(result: CheckResult, layout: LayoutResult) -> Iterator[str]:
    if layout.activation is None:
        yield f"{layout.layout}: refuses this plugin"
        return
    unused, total = layout.unused(), len(list(result.components()))
    effect = {"at-once": "at once", "on-command": "on a command", "at-start": "at the agent's next start"}
    takes = effect[layout.activation.takes_effect.value]
    yield f"{layout.layout}: {total - len(unused)} of {total} parts work, {takes}"
    yield from (f"  not used: {_plain(component)}: {_plain(why)}" for component, why in unused.items())
    for grant in layout.activation.grants:
        yield f"  {'needs --grant' if grant.has_means else 'a person grants'} {grant.name}: {_plain(grant.why)}"


def _line(result: CheckResult, finding: ContentFinding) -> str:
    place = _path(result, finding) or result.name or "the plugin"
    if finding.line:
        place += f":{finding.line}:{finding.column}"
    runtime = f" [{finding.runtime}]" if finding.runtime else ""
    return _plain(f"{place}: {finding.severity.value}: {finding.message} ({finding.rule}){runtime}")


def _json(result: CheckResult) -> str:
    contents = result.contents
    document: _Object = {
        "name": result.name,
        **{
            key: getattr(contents, key) if contents else None
            for key in ("format", "version", "description", "author", "licence")
        },
        "components": [
            {**component_to_json(each), "version": version_of_component(each)} for each in contents.components
        ]
        if contents
        else [],
        "findings": [{**finding_to_json(each), "counts": result.counts(each)} for each in result.all_findings()],
        "runtimes": [_layout_json(result, layout) for layout in result.layouts],
    }
    return json.dumps(document, ensure_ascii=False, indent=1)


def _layout_json(result: CheckResult, layout: LayoutResult) -> _Object:
    unused, activation = layout.unused(), layout.activation
    names = [f"{component.kind.value} {component.name}" for component in result.components()]
    return {
        "runtime": layout.layout,
        "works": [name for name in names if name not in unused] if activation else [],
        "unsupported": [{"component": component, "why": why} for component, why in unused.items()],
        "needs_grant": [{"name": each.name, "why": each.why} for each in activation.grants] if activation else [],
        "takes_effect": activation.takes_effect.value if activation else None,
    }


def _sarif(result: CheckResult) -> str:
    findings = result.all_findings()
    run: _Object = {
        "tool": {
            "driver": {
                "name": "plugport check",
                "version": version("plugport"),
                "informationUri": "https://pypi.org/project/plugport/",
                "rules": [{"id": rule} for rule in sorted({finding.rule for finding in findings})],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(result, finding) for finding in findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1)


def _sarif_result(result: CheckResult, finding: ContentFinding) -> _Object:
    place: _Object = {"artifactLocation": {"uri": _uri(_path(result, finding) or ".")}}
    if finding.line:
        place["region"] = {"startLine": finding.line, "startColumn": finding.column}
    shown: _Object = {
        "ruleId": finding.rule,
        "level": finding.severity.value,
        "message": {"text": _with_runtime(finding)},
        "locations": [{"physicalLocation": place}],
    }
    return shown | ({"properties": {"runtime": finding.runtime}} if finding.runtime else {})


def _github(result: CheckResult) -> str:
    lines = []
    for finding in result.all_findings():
        properties: dict[str, object] = {"file": _path(result, finding) or "."}
        properties |= {"line": finding.line, "col": finding.column} if finding.line else {}
        properties["title"] = f"plugport {finding.rule}"
        listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
        lines.append(f"::{_GITHUB[finding.severity]} {listed}::{_data(_with_runtime(finding))}")
    return "\n".join(lines) if lines else "plugport check: no findings"


def _with_runtime(finding: ContentFinding) -> str:
    return f"{finding.message} [{finding.runtime}]" if finding.runtime else finding.message


def _path(result: CheckResult, finding: ContentFinding) -> str:
    """Return a finding's path as a report shows it: below the directory that was checked."""
    return posixpath.normpath(posixpath.join(result.place, finding.path)) if finding.path else result.place


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="/!$&'()*+,;=:@-._~")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _plain(text: str) -> str:
    """Return a text without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def _short(text: str) -> str:
    line = _plain(" ".join(text.split()))
    return line if len(line) <= _MAX_DESCRIPTION else f"{line[: _MAX_DESCRIPTION - 1]}…"


REPORTS: Final[Mapping[str, Callable[[CheckResult], str]]] = {
    "text": _text,
    "json": _json,
    "sarif": _sarif,
    "github": _github,
}
