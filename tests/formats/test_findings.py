"""What is wrong with a plugin's files is named with rule, file, line and column, and the rest is read."""

from __future__ import annotations

import json

import pytest
from support.plugin_trees import Files, read_first, rules, shown, skill

from plugport.hookspecs import ComponentKind, Severity

P, M, G = ".claude-plugin/plugin.json", ".mcp.json", "gemini-extension.json"
H, S, B = "hooks/hooks.json", "skills/a/SKILL.md", "skills/b/SKILL.md"
NO_SUBAGENT = [f"subagent-{key} commands/good.md:1:1" for key in ("name", "description")]
GOOD: Files = {P: '{"name": "demo"}', "commands/good.md": "Good."}


def plugin(text: str) -> Files:
    return {P: '{"name": "demo",\n  ' + text + "}"}


def hooks(text: str) -> Files:
    return {H: '{"hooks": {\n  ' + text + "}}"}


def handler(text: str) -> Files:
    return hooks(f'"Stop": [{{"hooks": [{{{text}}}]}}]')


def servers(text: str) -> Files:
    return {M: '{"mcpServers": {\n  ' + text + "}}"}


def front(text: str) -> Files:
    return {S: f"---\n{text}\n---\nText.\n"}


FAULTS: list[tuple[Files, list[str]]] = [
    # manifests as JSON
    ({P: "\ufeff" + '{"name": "demo"}'}, [f"bom {P}:1:1"]),
    (plugin('// a comment\n"version": "1"'), [f"json-comment {P}:2:3"]),
    (plugin('"version": "1",'), [f"json-comma {P}:2:17"]),
    (plugin('"name": "demo"'), [f"json-key-twice {P}:2:3"]),
    (plugin('"version" "1"'), [f"json-invalid {P}:2:13"]),
    ({P: '{"name": "demo"'}, [f"json-invalid {P}:1:16"]),
    (plugin('"x": ' + "[" * 3000), [f"json-depth {P}:2:71"]),
    (plugin('"version": "\\ud800"'), [f"json-text {P}:2:14"]),
    (plugin('"x": 1e999'), [f"json-number {P}:2:8"]),
    ({P: '["demo"]'}, [f"wrong-type {P}:1:1"]),
    ({P: b'{"name":\n "d\xff"}'}, [f"encoding {P}:2:4"]),
    # fields
    ({P: '{"version": "1"}'}, [f"name-missing {P}:1:1"]),
    ({P: '{"name": ["demo"]}'}, [f"wrong-type {P}:1:10"]),
    ({P: '{"name": "my demo"}'}, [f"name-space {P}:1:10"]),
    (plugin('"version": 1.2'), [f"wrong-type {P}:2:14"]),
    (plugin('"author": "me"'), [f"wrong-type {P}:2:13"]),
    (plugin('"author": {"email": "x"}'), [f"wrong-type {P}:2:13"]),
    (plugin('"homepage": "example"'), [f"homepage {P}:2:15"]),
    (plugin('"keywords": "a, b"'), [f"wrong-type {P}:2:15"]),
    (plugin('"colour": "red"'), [f"unknown-field {P}:2:13"]),
    (plugin('"dependencies": ["demo@x"]'), [f"dependency-cycle {P}:2:20", f"dependencies {P}:2:19"]),
    (plugin('"dependencies": {"x": 1}'), [f"wrong-type {P}:2:19"]),
    # paths
    (plugin('"skills": ["./a/../../b"]'), [f"path-outside {P}:2:14"]),
    (plugin('"skills": "/etc"'), [f"path-absolute {P}:2:13"]),
    (plugin('"skills": "C:\\\\x"'), [f"path-absolute {P}:2:13"]),
    (plugin('"skills": "./none"'), [f"path-missing {P}:2:13"]),
    (plugin('"skills": "commands"'), [f"path-dot {P}:2:13", f"path-missing {P}:2:13"]),
    (plugin('"skills": [5]'), [f"wrong-type {P}:2:14"]),
    (plugin('"hooks": "./commands"'), [f"path-missing {P}:2:12"]),
    (plugin('"hooks": 5'), [f"wrong-type {P}:2:12"]),
    (plugin('"mcpServers": ["./none.json"]'), [f"path-missing {P}:2:18"]),
    (plugin('"agents": "./commands"'), [f"agents-folder {P}:2:13", *NO_SUBAGENT]),
    # hooks
    (hooks('"PreTolUse": []'), [f"hook-event {H}:2:16"]),
    (hooks('"BeforeTool": []'), [f"hook-event-foreign {H}:2:17"]),
    (hooks('"Stop": {}'), [f"wrong-type {H}:2:11"]),
    (hooks('"Stop": [5]'), [f"wrong-type {H}:2:12"]),
    (hooks('"Stop": [{"hooks": 5}]'), [f"hook-handlers {H}:2:22"]),
    (hooks('"Stop": [{}]'), [f"hook-handlers {H}:2:12"]),
    (hooks('"Stop": [{"hooks": ["x"]}]'), [f"wrong-type {H}:2:23"]),
    (hooks('"Stop": [{"hooks": [{"type": "shell"}]}]'), [f"hook-type {H}:2:32"]),
    (hooks('"Stop": [{"hooks": [{"type": "command"}]}]'), [f"hook-command {H}:2:23"]),
    (hooks('"Stop": [{"matcher": 5, "hooks": []}]'), [f"wrong-type {H}:2:24"]),
    (hooks('"Stop": [{"hooks": [{"type": "command", "command": "x", "timeout": "5"}]}]'), [f"wrong-type {H}:2:70"]),
    (handler('"type": "command", "command": "${CLAUDE_PLUGIN_ROOT}/x.sh"'), [f"hook-command-missing {H}:2:54"]),
    ({H: '{"Stop": []}'}, [f"hooks-key {H}:1:1"]),
    ({H: "{}"}, [f"hooks-key {H}:1:1"]),
    # MCP servers
    (servers('"a": 5'), [f"mcp-entry {M}:2:8"]),
    (servers('"a": {}'), [f"mcp-entry {M}:2:8"]),
    (servers('"a": {"command": 5}'), [f"wrong-type {M}:2:20", f"mcp-entry {M}:2:8"]),
    (servers('"a": {"command": "x", "args": "y"}'), [f"wrong-type {M}:2:33"]),
    (servers('"a": {"command": "x", "env": {"A": 1}}'), [f"wrong-type {M}:2:32"]),
    (servers('"a": {"command": "/opt/x"}'), [f"mcp-command-absolute {M}:2:20"]),
    (servers('"a": {"command": "./x"}'), [f"mcp-command-missing {M}:2:20"]),
    (servers('"a": {"command": "./commands/good.md"}'), [f"mcp-command-relative {M}:2:20"]),
    (servers('"a": {"command": " "}'), [f"mcp-command-empty {M}:2:20"]),
    (servers('"a": {"command": "x", "type": "pipe"}'), [f"mcp-type {M}:2:33"]),
    (servers('"a b": {"command": "x"}'), [f"mcp-name {M}:2:10"]),
    (servers('"a": {"command": "x", "cwd": "."}'), [f"mcp-cwd {M}:2:32"]),
    ({M: '{"mcpServers": []}'}, [f"wrong-type {M}:1:16"]),
    # skills
    ({S: "\ufeff" + skill("a")}, [f"bom {S}:1:1"]),
    ({S: "\n" + skill("a")}, [f"front-matter-late {S}:1:1"]),
    ({S: "---\nname: a\n"}, [f"front-matter-open {S}:1:1"]),
    ({S: "Text."}, [f"skill-front-matter {S}:1:1"]),
    (front("name: a\ndescription: use: it"), [f"front-matter-colon {S}:3:17"]),
    (front("name: a\ndescription: >\n\tx"), [f"front-matter-tab {S}:4:1"]),
    (front("name: a\nname: a\ndescription: x"), [f"front-matter-key-twice {S}:3:1"]),
    (front("name: a\ndescription: [x]"), [f"skill-description {S}:3:14"]),
    (front("name: a"), [f"skill-description {S}:1:1"]),
    (front("description: x"), [f"skill-name {S}:1:1"]),
    (front("name: A b\ndescription: x"), [f"skill-name {S}:2:7"]),
    (front(f"name: {'a' * 65}\ndescription: x"), [f"skill-name {S}:2:7"]),
    (front("name: b\ndescription: x"), [f"skill-name-folder {S}:2:7"]),
    (front(f"name: a\ndescription: {'x' * 1025}"), [f"skill-description-length {S}:3:14"]),
    (front("- a"), [f"front-matter-type {S}:2:1", f"skill-name {S}:1:1", f"skill-description {S}:1:1"]),
    (front("name: a\ndescription: x\ny: " + "[" * 3000), [f"front-matter-depth {S}:4:68"]),
    (front("name: a\ndescription: x\ny: &y [*y]"), [f"front-matter-cycle {S}:4:4"]),
    ({S: skill("a").encode() + b"\xe9"}, [f"encoding {S}:7:1"]),
    ({S: skill("a"), B: skill("a")}, [f"skill-name-folder {B}:2:7", f"skill-name-twice {B}:2:7"]),
    ({"deep/er/SKILL.md": skill("er")}, ["skill-unlisted deep/er/SKILL.md:0:0"]),
    # subagents and commands
    ({"agents/x.md": "Text."}, ["subagent-name agents/x.md:1:1", "subagent-description agents/x.md:1:1"]),
    ({"agents/x.md": "---\nname: x\ndescription: y\ntools: A, B\n---\n"}, ["subagent-tools agents/x.md:4:8"]),
    ({"commands/README.md": "# Commands"}, ["command-readme commands/README.md:0:0"]),
]  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), FAULTS)
def test_a_fault_is_named_with_its_place_and_takes_nothing_else_with_it(tmp_path, files, expected):
    contents = read_first(tmp_path, {**GOOD, **files})
    assert rules(contents) == expected
    assert "command good commands/good.md" in shown(contents)
    assert all(finding.message for finding in contents.findings)


EXTENSION_FAULTS: list[tuple[str, list[str]]] = [
    ('{"version": "1"}', [f"name-missing {G}:1:1"]),
    ('{"name": "a_b", "version": "1"}', [f"name-letters {G}:1:10"]),
    ('{"name": "a"}', [f"version-missing {G}:1:1"]),
    (
        '{"name": "a", "version": "1", "contextFileName": ["../x", "none.md"]}',
        [f"path-outside {G}:1:51", f"path-missing {G}:1:59"],
    ),
    ('{"name": "a", "version": "1", "settings": 5}', [f"wrong-type {G}:1:43"]),
    ('{"name": "a", "version": "1", "mcpServers": []}', [f"wrong-type {G}:1:45"]),
    ('// x\n{"name": "a", "version": "1"}', [f"json-comment {G}:1:1"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), EXTENSION_FAULTS)
def test_a_fault_of_an_extension_is_named_with_its_place(tmp_path, text, expected):
    contents = read_first(
        tmp_path, {G: text, "commands/good.toml": 'prompt = "x"', "commands/bad.toml": 'prompt = "x'}
    )
    assert (contents.format, rules(contents)) == ("gemini", [*expected, "toml-invalid commands/bad.toml:1:12"])
    assert shown(contents)[0] == "command good commands/good.toml"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: demo\nversion: 1\nruntimes: claude\n", ["wrong-type plugin.yaml:3:11"]),
        ("name: demo\nversion: 1\nruntimes: [1]\n", ["wrong-type plugin.yaml:3:12"]),
        ("name: demo\nversion: [1]\n", ["wrong-type plugin.yaml:2:10"]),
        ("name: demo\n", ["version-missing plugin.yaml:1:1"]),
        ("name: demo\nname: x\nversion: 1", ["yaml-key-twice plugin.yaml:2:1"]),
        ("name: [\n", ["yaml-invalid plugin.yaml:2:1"]),
        ("name: demo\nversion: 1\nx: " + "[" * 3000, ["yaml-depth plugin.yaml:3:68"]),
        ("a: &a {b: *a}", ["yaml-cycle plugin.yaml:1:4"]),
    ],
)
def test_a_fault_of_plugin_yaml_is_named_with_its_place(tmp_path, text, expected):
    contents = read_first(tmp_path, {"plugin.yaml": text, S: skill("a")})
    assert [rule for rule in rules(contents) if rule == expected[0] or not rule.startswith("version")] == expected
    assert shown(contents) == [f"skill a {S}"]


def test_a_description_that_is_no_yaml_is_still_read(tmp_path):
    text = "---\nname: a\ndescription: use when: asked\n  and after\nallowed-tools: 'Bash'\n---\n"
    (component,) = read_first(tmp_path, {S: text}).of_kind(ComponentKind.SKILL)
    assert component.description == "use when: asked and after"
    assert component.data == {"name": "a", "description": "use when: asked and after", "allowed-tools": "Bash"}


def test_a_misspelt_skill_file_is_named(tmp_path):
    contents = read_first(tmp_path, {S: skill("a"), "skills/b/skill.md": skill("b")})
    assert rules(contents) == ["skill-file-name skills/b/skill.md:0:0"]
    assert contents.findings[0].severity is Severity.ERROR


def test_so_many_findings_are_cut_and_that_is_said(tmp_path):
    contents = read_first(tmp_path, {H: json.dumps({"hooks": {f"E{n}": [] for n in range(900)}})})
    assert (len(contents.findings), contents.findings[-1].rule) == (501, "more")


@pytest.mark.parametrize("text", [skill("a"), skill("a", "'in quotes'"), skill("a", "[a list]")])
def test_lines_may_end_as_on_windows(tmp_path, text):
    plain = read_first(tmp_path / "plain", {S: text})
    windows = read_first(tmp_path / "windows", {S: text.replace("\n", "\r\n")})
    assert windows == plain
