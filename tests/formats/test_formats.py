"""Each format reads the plugins that people have: the name, the version and every part, with its path."""

from __future__ import annotations

import json

import pytest
from support.plugin_trees import PROVIDERS, read_first, read_with, rules, shown, skill

from plugport.core.dispatcher import FORMATS
from plugport.hookspecs import ComponentKind

AGENT = "---\nname: helper\ndescription: Helps.\n---\nDo it.\n"
COMMAND = "---\ndescription: Runs.\n---\nRun $ARGUMENTS.\n"
HOOKS = json.dumps(
    {
        "hooks": {
            "PreToolUse": [
                {
                    "matcher": "Bash",
                    "hooks": [{"type": "command", "command": "${CLAUDE_PLUGIN_ROOT}/hooks/check.sh", "timeout": 5}],
                }
            ]
        }
    }
)
SERVER = {"command": "python3", "args": ["${CLAUDE_PLUGIN_ROOT}/server.py"]}
PARTS: dict[str, str] = {
    "skills/hello/SKILL.md": skill("hello"),
    "skills/hello/scripts/run.sh": "echo hello\n",
    "rules/style.md": "Be brief.\n",
    "commands/go.md": COMMAND,
    "commands/sub/stop.md": "Stop.\n",
    "agents/helper.md": AGENT,
    "hooks/hooks.json": HOOKS,
    "hooks/check.sh": "exit 0\n",
    "server.py": "",
}
ALL_PARTS = [
    "command go commands/go.md",
    "command sub:stop commands/sub/stop.md",
    "hook PreToolUse:Bash hooks/hooks.json",
    "mcp-server demo .mcp.json",
    "rule style rules/style.md",
    "skill hello skills/hello/SKILL.md",
    "subagent helper agents/helper.md",
]


def manifest(**fields: object) -> str:
    return json.dumps({"name": "demo", "version": "1.2.0", "description": "A demo.", **fields})


def with_parts(**files: str) -> dict[str, str]:
    return {**PARTS, ".mcp.json": json.dumps({"mcpServers": {"demo": SERVER}}), **files}


def test_the_formats_are_those_that_the_dispatcher_orders():
    assert tuple(PROVIDERS) == FORMATS


@pytest.mark.parametrize("wrapped", [True, False])
def test_claude_reads_a_manifest_and_the_default_folders(tmp_path, wrapped):
    servers = {"mcpServers": {"demo": SERVER}} if wrapped else {"demo": SERVER}
    author = {"name": "Somebody"}
    files = {
        **PARTS,
        ".mcp.json": json.dumps(servers),
        ".claude-plugin/plugin.json": manifest(author=author, license="MIT"),
    }
    contents = read_with("claude", tmp_path, files)
    assert (contents.name, contents.version, contents.description) == ("demo", "1.2.0", "A demo.")
    assert (contents.author, contents.licence, contents.findings) == ("Somebody", "MIT", ())
    assert shown(contents) == ALL_PARTS
    (hook,) = contents.of_kind(ComponentKind.HOOK)
    assert hook.runs == ("${CLAUDE_PLUGIN_ROOT}/hooks/check.sh",)
    assert (hook.data["event"], hook.data["matcher"], hook.data["type"], hook.data["timeout"]) == (
        "PreToolUse",
        "Bash",
        "command",
        5,
    )
    (server,) = contents.of_kind(ComponentKind.MCP_SERVER)
    assert (server.runs, server.data) == (("python3 ${CLAUDE_PLUGIN_ROOT}/server.py",), SERVER)
    assets = {asset.path for asset in contents.of_kind(ComponentKind.ASSET)}
    assert assets == {"skills/hello/scripts/run.sh", "hooks/check.sh", "server.py"}
    (command, _) = contents.of_kind(ComponentKind.COMMAND)
    assert (command.description, command.data) == ("Runs.", {"description": "Runs."})


def test_a_claude_plugin_needs_no_manifest(tmp_path):
    contents = read_first(tmp_path, with_parts())
    assert (contents.format, contents.name, shown(contents)) == ("claude", None, ALL_PARTS)


CUSTOM: dict[str, str] = {
    "more/extra/SKILL.md": skill("extra"),
    "single/SKILL.md": skill("single"),
    "other/ship.md": COMMAND,
    "people/reviewer.md": AGENT.replace("helper", "reviewer"),
    "config/hooks.json": HOOKS.replace("PreToolUse", "Stop"),
    "config/mcp.json": json.dumps({"second": {"url": "https://example.invalid/mcp", "type": "http"}}),
}
CUSTOM_FIELDS = {
    "skills": ["./more/", "./single"],
    "commands": "./other",
    "agents": ["./people/reviewer.md"],
    "hooks": "./config/hooks.json",
    "mcpServers": "./config/mcp.json",
}
CUSTOM_PARTS = [
    "command ship other/ship.md",
    "hook Stop:Bash config/hooks.json",
    "mcp-server second config/mcp.json",
    "rule style rules/style.md",
    "skill extra more/extra/SKILL.md",
    "skill single single/SKILL.md",
    "subagent reviewer people/reviewer.md",
]


def test_in_claude_paths_of_skills_hooks_and_servers_add_and_those_of_commands_and_agents_replace(tmp_path):
    files = with_parts(**CUSTOM) | {".claude-plugin/plugin.json": manifest(**CUSTOM_FIELDS)}
    contents = read_with("claude", tmp_path, files)
    added = [
        "hook PreToolUse:Bash hooks/hooks.json",
        "mcp-server demo .mcp.json",
        "skill hello skills/hello/SKILL.md",
    ]
    assert (shown(contents), contents.findings) == (sorted([*CUSTOM_PARTS, *added]), ())


def test_in_codex_every_path_replaces_the_default_folder(tmp_path):
    files = with_parts(**CUSTOM) | {".codex-plugin/plugin.json": manifest(**CUSTOM_FIELDS)}
    contents = read_with("codex", tmp_path, files)
    assert shown(contents) == CUSTOM_PARTS
    assert rules(contents) == ["skill-unlisted skills/hello/SKILL.md:0:0"]


def test_a_manifest_may_hold_hooks_servers_and_commands_itself(tmp_path):
    fields = {
        "hooks": json.loads(HOOKS),
        "mcpServers": {"demo": SERVER},
        "commands": {"go": {"content": "Go.", "description": "Goes."}, "stop": {"source": "./stop.md"}},
    }
    files = {
        ".claude-plugin/plugin.json": manifest(**fields),
        "stop.md": "Stop.",
        "hooks/check.sh": "",
        "server.py": "",
    }
    contents = read_with("claude", tmp_path, files)
    at = ".claude-plugin/plugin.json"
    parts = [f"command go {at}", "command stop stop.md", f"hook PreToolUse:Bash {at}", f"mcp-server demo {at}"]
    assert (shown(contents), contents.findings) == (parts, ())


def test_a_single_skill_may_lie_at_the_root(tmp_path):
    files = {"SKILL.md": skill("single"), ".claude-plugin/plugin.json": manifest()}
    assert shown(read_with("claude", tmp_path, files)) == ["skill single SKILL.md"]


@pytest.mark.parametrize(
    ("format_name", "name"), [("gemini", "gemini-extension.json"), ("qwen", "qwen-extension.json")]
)
def test_an_extension_of_gemini_or_qwen(tmp_path, format_name, name):
    servers = {"demo": {"command": "node", "args": ["${extensionPath}${/}server.js"]}}
    files = {
        name: manifest(contextFileName=["docs/context.md"], mcpServers=servers, excludeTools=["shell"]),
        "docs/context.md": "Know this.",
        "server.js": "",
        "skills/hello/SKILL.md": skill("hello"),
        "commands/git/log.toml": 'description = "Logs."\nprompt = """\nShow {{args}}\n"""\n',
        "agents/helper.md": AGENT,
        "hooks/hooks.json": HOOKS.replace("PreToolUse", "SessionStart"),
        "hooks/check.sh": "",
    }
    contents = read_first(tmp_path, files)
    assert (contents.format, contents.name, contents.version, contents.findings) == (format_name, "demo", "1.2.0", ())
    assert shown(contents) == [
        "command git:log commands/git/log.toml",
        "hook SessionStart:Bash hooks/hooks.json",
        f"mcp-server demo {name}",
        "rule context docs/context.md",
        f"settings excludeTools {name}",
        "skill hello skills/hello/SKILL.md",
        "subagent helper agents/helper.md",
    ]
    (command,) = contents.of_kind(ComponentKind.COMMAND)
    assert command.description == "Logs."
    assert "server.js" in {asset.path for asset in contents.of_kind(ComponentKind.ASSET)}


@pytest.mark.parametrize(
    ("name", "memory"), [("gemini-extension.json", "GEMINI.md"), ("qwen-extension.json", "QWEN.md")]
)
def test_an_extension_without_context_files_has_the_one_of_the_fixed_name(tmp_path, name, memory):
    contents = read_first(tmp_path, {name: manifest(), memory: "Know this.", "AGENTS.md": "For contributors."})
    assert shown(contents) == [f"rule {memory[:-3]} {memory}"]


def test_agent_plugins_reads_two_kinds_of_parts_and_no_hooks(tmp_path):
    schema = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json"
    files = with_parts(
        **{
            "plugin.json": manifest(**{"$schema": schema}),
            "mcp.json": json.dumps({"$schema": "x", "mcpServers": {"second": SERVER}}),
        }
    )
    contents = read_with("agent-plugins", tmp_path, files)
    assert (contents.name, contents.version) == ("demo", "1.2.0")
    assert shown(contents) == ["mcp-server second mcp.json", "skill hello skills/hello/SKILL.md"]
    assert rules(contents) == ["hooks-off hooks/hooks.json:0:0"]


def test_an_apm_package_is_read_without_apm(tmp_path):
    files = {
        "apm.yml": "name: demo\nversion: 1.10\nauthor: Somebody\ndependencies:\n  mcp:\n"
        "    - name: demo\n      transport: stdio\n      command: demo-server\n",
        ".apm/skills/hello/SKILL.md": skill("hello"),
        ".apm/instructions/style.instructions.md": "---\napplyTo: '**'\n---\nBe brief.",
        ".apm/agents/helper.agent.md": AGENT,
        ".apm/prompts/go.prompt.md": COMMAND,
        ".apm/hooks/check.json": HOOKS,
        "hooks/check.sh": "",
    }
    contents = read_first(tmp_path, files)
    assert (contents.format, contents.name, contents.version, contents.author) == ("apm", "demo", "1.10", "Somebody")
    assert shown(contents) == [
        "command go .apm/prompts/go.prompt.md",
        "hook PreToolUse:Bash .apm/hooks/check.json",
        "mcp-server demo apm.yml",
        "rule style .apm/instructions/style.instructions.md",
        "skill hello .apm/skills/hello/SKILL.md",
        "subagent helper .apm/agents/helper.agent.md",
    ]
    assert contents.findings == ()


def test_bare_skills_are_read_at_any_depth(tmp_path):
    files = {
        "README.md": "# Skills",
        "SKILL.md": skill("top"),
        "skills/a/SKILL.md": skill("a"),
        "skills/group/b/SKILL.md": skill("b"),
        "x/y/z/c/SKILL.md": skill("c"),
        ".claude/skills/d/SKILL.md": skill("d"),
    }
    contents = read_first(tmp_path, files)
    assert (contents.format, contents.name) == ("skills", None)
    assert [component.name for component in contents.of_kind(ComponentKind.SKILL)] == ["d", "top", "a", "b", "c"]


def test_plugport_reads_its_manifest_and_the_folders_of_the_adaptor(tmp_path):
    fragment = {"hooks": json.loads(HOOKS)["hooks"], "mcpServers": {"demo": SERVER}, "model": "x"}
    files = {
        "plugin.yaml": "name: demo\nversion: 1.10\ndescription: A demo.\nruntimes: [claude-code, hermes]\n",
        "skills/hello/SKILL.md": skill("hello"),
        "rules/style.md": "Be brief.",
        "tone.md": "Be kind.",
        "README.md": "# Demo",
        "CHANGELOG.md": "# Changes",
        "LICENSE.md": "MIT",
        "commands/go.md": COMMAND,
        "hooks/check.sh": "",
        "server.py": "",
        "adapters/hermes.py": "",
        "settings-fragment.json": json.dumps(fragment),
    }
    contents = read_first(tmp_path, files)
    assert (contents.format, contents.name, contents.version) == ("plugport", "demo", "1.10")
    assert (contents.description, contents.runtimes, contents.findings) == ("A demo.", ("claude-code", "hermes"), ())
    assert shown(contents) == [
        "command go commands/go.md",
        "hook PreToolUse:Bash settings-fragment.json",
        "mcp-server demo settings-fragment.json",
        "rule style rules/style.md",
        "rule tone tone.md",
        "settings settings-fragment.json settings-fragment.json",
        "skill hello skills/hello/SKILL.md",
    ]
    assert dict(contents.of_kind(ComponentKind.SETTINGS)[0].data) == fragment


CONTRIBUTORS = (
    "AGENTS.md",
    "CLAUDE.md",
    "CONTRIBUTING.md",
    "README.de.md",
    "README-zh.md",
    "README_ja.md",
    "SECURITY.md",
)


def test_documents_for_contributors_are_no_rules_unless_the_manifest_says_so(tmp_path):
    files = {"plugin.yaml": "name: demo\nversion: '1'\nrules: [AGENTS.md]\n", **dict.fromkeys(CONTRIBUTORS, "Text.")}
    contents = read_first(tmp_path, files)
    assert shown(contents) == ["rule AGENTS AGENTS.md"]
    assert contents.findings == ()


def test_the_first_format_names_a_tree_that_carries_several_manifests(tmp_path):
    everything = {
        "plugin.yaml": "name: demo\nversion: 1.2.0\n",
        ".claude-plugin/plugin.json": manifest(),
        ".codex-plugin/plugin.json": manifest(),
        "gemini-extension.json": manifest(),
        "qwen-extension.json": manifest(),
    }
    order = [
        read_first(tmp_path / str(index), with_parts(**dict(list(everything.items())[index:]))).format
        for index in range(5)
    ]
    assert order == ["plugport", "claude", "codex", "gemini", "qwen"]
