"""What each layout but Claude Code's asks for, as values. The real agents are asked in tests/runtimes."""

from __future__ import annotations

import json
import shlex
import tomllib

import pytest
from support.layouts import COMMAND, FILES, RULE, SUBAGENT, component, contents, hook, server, skill, target

from plugport.builtin_backends.layouts import agents, codex, copilot, gemini_cli, hermes, opencode, qwen_code
from plugport.hookspecs import Activation, Answer, PathKind, PathState, SeenState, Severity, TargetState

ROOT = "${config_dir}/plugins/demo"


def lay_out(module, *components, files=FILES, fmt="claude", name="demo", **options) -> Activation:
    layout = module.provider.layouts[0]
    return module.provider.lay_out(contents(*components, fmt=fmt), target(layout, files, name, **options))


def links(activation: Activation) -> dict[str, str]:
    return {link.path: link.target for link in activation.links}


def entries(activation: Activation) -> dict[str, object]:
    return {".".join(entry.keys): entry.value for entry in activation.entries}


def tree(activation: Activation, path: str) -> dict:
    return json.loads(activation.tree_files[path])


def read(activation: Activation, output: str, exit_code: int | None = 0) -> SeenState:
    return activation.question.read(Answer(exit_code, output.encode())).state


class TestCodex:
    def test_a_copy_and_a_key_enable_it(self):
        activation = lay_out(codex)
        assert [copy.path for copy in activation.copies] == ["plugins/cache/plugport/demo/local"]
        assert entries(activation) == {"plugins.demo@plugport.enabled": True}

    def test_rules_are_text_and_subagents_files(self):
        activation = lay_out(codex)
        assert [(text.path, text.text) for text in activation.texts] == [("AGENTS.md", "Be brief.\n")]
        (file,) = activation.files
        assert file.path == "agents/demo-helper.toml"
        assert tomllib.loads(file.content.decode()) == {
            "name": "helper",
            "description": "Helps.",
            "developer_instructions": "You help.\n",
        }

    def test_commands_are_unsupported(self):
        assert [unsupported.component for unsupported in lay_out(codex).unsupported] == ["command greet"]

    def test_the_manifest_names_every_part_and_no_path_of_the_target(self):
        activation = lay_out(codex)
        assert tree(activation, ".codex-plugin/plugin.json")["skills"] == ["./skills/"]
        (group,) = tree(activation, ".codex-plugin/hooks.json")["hooks"]["SessionStart"]
        assert group["hooks"][0]["command"] == "touch ${PLUGIN_ROOT:-}/ran"
        servers = tree(activation, ".codex-plugin/mcp.json")["mcpServers"]
        assert servers == {"echo": {"command": "python3", "args": ["./server.py"], "cwd": "."}}

    def test_a_manifest_at_the_root_switches_hooks_off(self):
        activation = lay_out(codex, hook("Stop", "x"), files={**FILES, "plugin.json": b"{}"})
        assert [unsupported.component for unsupported in activation.unsupported] == ["hook Stop"]
        assert not activation.grants

    def test_hooks_want_a_trust_which_a_grant_gives(self):
        (grant,) = lay_out(codex).grants
        assert (grant.name, grant.has_means) == ("hooks", True)

    def test_a_file_that_hides_the_rules_is_a_warning(self):
        activation = lay_out(codex)
        here = {"AGENTS.override.md": PathState(PathKind.FILE)}
        (finding,) = activation.check(TargetState("/c", "/h", here))
        assert (finding.rule, finding.severity) == ("rule-overridden", Severity.WARNING)
        assert not activation.check(TargetState("/c", "/h", {"AGENTS.override.md": PathState(PathKind.ABSENT)}))

    def test_its_answer_is_read(self):
        activation = lay_out(codex)
        assert read(activation, '"- demo:hello: Says hello. (file: x)"') is SeenState.YES
        assert read(activation, "- demo:hello-you, my-demo:hello") is SeenState.NO
        assert read(lay_out(codex, component(RULE, "style", "rules/style.md")), "x") is SeenState.UNKNOWN


class TestGeminiCli:
    def test_what_it_would_misread_is_converted_in_a_folder_of_its_own(self):
        activation = lay_out(gemini_cli)
        base = ".gemini-extension"
        assert links(activation) == {
            "extensions/demo": f"plugins/demo/{base}",
            "skills/demo-hello": "plugins/demo/skills/hello",
        }
        manifest = tree(activation, f"{base}/gemini-extension.json")
        assert manifest["contextFileName"] == ["context/rules-style.md"]
        assert manifest["mcpServers"]["echo"]["args"] == ["${extensionPath}/../server.py"]
        (group,) = tree(activation, f"{base}/hooks/hooks.json")["hooks"]["SessionStart"]
        assert group["hooks"][0]["command"] == "touch ${extensionPath}/../ran"
        command = tomllib.loads(activation.tree_files[f"{base}/commands/greet.toml"].decode())
        assert command == {"description": "Greets.", "prompt": "Greet {{args}}.\n"}
        subagent = activation.tree_files[f"{base}/agents/helper.md"].decode()
        assert 'tools: ["read_file", "run_shell_command"]' in subagent
        assert "color" not in subagent

    def test_what_it_reads_itself_is_linked_as_it_is(self):
        parts = (skill(), component(RULE, "style", "rules/style.md"), skill("deep/er/other/SKILL.md"))
        activation = lay_out(gemini_cli, *parts)
        assert links(activation) == {
            "extensions/demo": "plugins/demo",
            "skills/demo-other": "plugins/demo/deep/er/other",
        }
        assert tree(activation, "gemini-extension.json")["contextFileName"] == ["rules/style.md"]

    def test_a_manifest_that_is_there_stays(self):
        activation = lay_out(gemini_cli, files={**FILES, "gemini-extension.json": b"{}"}, fmt="gemini")
        assert (links(activation), dict(activation.tree_files)) == ({"extensions/demo": "plugins/demo"}, {})

    def test_events_and_seconds_are_its_own(self):
        parts = (
            hook("PreToolUse", "x", "f.json", matcher="Bash|Edit", timeout=3),
            hook("SubagentStop", "x", "f.json"),
        )
        activation = lay_out(gemini_cli, *parts, files={})
        (group,) = tree(activation, "hooks/hooks.json")["hooks"]["BeforeTool"]
        assert group["matcher"] == "run_shell_command|replace"
        assert group["hooks"][0]["timeout"] == 3000
        assert [unsupported.component for unsupported in activation.unsupported] == ["hook SubagentStop"]

    def test_hooks_of_two_files_are_put_together(self):
        activation = lay_out(gemini_cli, hook("SessionStart", "x"), hook("PreToolUse", "y", "f.json"))
        assert set(tree(activation, ".gemini-extension/hooks/hooks.json")["hooks"]) == {"SessionStart", "BeforeTool"}

    def test_a_second_extension_of_the_name_is_an_error(self):
        activation = lay_out(gemini_cli)
        (path,) = activation.query.paths
        (finding,) = activation.check(TargetState("/c", "/h", {path: PathState(PathKind.DIRECTORY)}))
        assert (finding.rule, finding.severity) == ("name-taken", Severity.ERROR)
        assert not activation.check(TargetState("/c", "/h", {path: PathState(PathKind.LINK)}))

    def test_tools_and_skills_are_granted_by_policies(self):
        policies = {
            grant.name: tomllib.loads(grant.files[0].content.decode()) for grant in lay_out(gemini_cli).grants
        }
        allowed = {"decision": "allow", "priority": 100}
        assert policies == {
            "mcp-tools": {"rule": [{"toolName": "*", "mcpName": "echo", **allowed}]},
            "skills": {"rule": [{"toolName": "activate_skill", **allowed}]},
        }

    @pytest.mark.parametrize(
        ("output", "state"),
        [("✓ demo (1.0.0)\n", "yes"), ("✗ demo (1.0.0)\n", "no"), ("✓ demo2 (1)\n", "no"), ("", "no")],
    )
    def test_its_answer_is_read(self, output, state):
        assert read(lay_out(gemini_cli), output) == state

    def test_an_agent_that_does_not_start_is_broken(self):
        seen = lay_out(gemini_cli).question.read(Answer(1, b"", b"Extension demo already was loaded\n"))
        assert (seen.state, seen.broken) == (SeenState.NO, True)
        assert seen.complaint == "Extension demo already was loaded"


class TestQwenCode:
    def test_commands_with_other_placeholders_are_converted(self):
        activation = lay_out(qwen_code)
        assert links(activation)["extensions/demo"] == "plugins/demo/.qwen-extension"
        (group,) = tree(activation, ".qwen-extension/hooks/hooks.json")["hooks"]["SessionStart"]
        assert group["hooks"][0]["command"] == "touch ${CLAUDE_PLUGIN_ROOT}/../ran"
        prompt = tomllib.loads(activation.tree_files[".qwen-extension/commands/greet.toml"].decode())["prompt"]
        assert prompt == "Greet {{args}}.\n"

    def test_a_short_subagent_is_named(self):
        assert "subagent-short" in {finding.rule for finding in lay_out(qwen_code).findings}


class TestCopilot:
    def test_the_folder_of_plugins_is_a_marketplace(self):
        activation = lay_out(copilot)
        assert entries(activation) == {
            "name": "plugport",
            "owner.name": "plugport",
            "plugins": {"name": "demo", "source": "./demo"},
            "extraKnownMarketplaces.plugport.source": {"source": "directory", "path": "${config_dir}/plugins"},
            "enabledPlugins.demo@plugport": True,
        }
        (file,) = activation.files
        assert (file.path, file.content) == (
            "instructions/demo.instructions.md",
            b'---\napplyTo: "**"\n---\nBe brief.\n',
        )

    def test_the_manifest_names_every_part(self):
        made = tree(lay_out(copilot), ".plugin/plugin.json")
        assert (made["skills"], made["commands"], made["agents"]) == (
            ["./skills/hello"],
            ["./commands/greet.md"],
            ["./agents/helper.md"],
        )
        assert set(made["hooks"]) == {"SessionStart"}

    def test_a_server_changes_to_its_folder_by_a_shell(self):
        made = tree(lay_out(copilot, server("x.json", command="./server.py", cwd=".")), ".plugin/plugin.json")
        root = "${CLAUDE_PLUGIN_ROOT}"
        entry = made["mcpServers"]["echo"]
        assert entry["command"] == "sh"
        assert entry["args"][2:] == ["sh", root, f"{root}/server.py"]

    def test_a_server_that_it_starts_elsewhere_is_unsupported(self):
        (unsupported,) = lay_out(copilot, server(command="./server.py", cwd=".")).unsupported
        assert unsupported.component == "mcp-server echo"

    @pytest.mark.parametrize(
        ("output", "state"),
        [
            ("  • demo@plugport (v1.0.0) (enabled)\n", "yes"),
            ("  • demo@plugport (v1.0.0) [disabled]\n", "no"),
            ("  • demo@other (enabled)\n", "no"),
        ],
    )
    def test_its_answer_is_read(self, output, state):
        assert read(lay_out(copilot), output) == state


class TestOpencode:
    def test_everything_has_a_place_of_its_own(self):
        activation = lay_out(opencode)
        assert links(activation) == {"skills/demo": "plugins/demo/skills"}
        assert entries(activation) == {
            "instructions": f"{ROOT}/rules/style.md",
            "mcp.demo-echo": {"type": "local", "command": ["python3", f"{ROOT}/server.py"], "enabled": True},
        }
        files = {file.path: file.content.decode() for file in activation.files}
        assert set(files) == {"commands/demo/greet.md", "agents/demo/helper.md", "plugins/demo.js"}
        assert 'tools: {"*": false, "read": true, "bash": true}' in files["agents/demo/helper.md"]
        assert "touch ${CLAUDE_PLUGIN_ROOT}/ran" in files["plugins/demo.js"]

    def test_variables_and_addresses_are_written_its_way(self):
        entry = server(url="https://x/${KEY}", headers={"A": "${T:-y}"})
        assert entries(lay_out(opencode, entry))["mcp.demo-echo"] == {
            "type": "remote",
            "url": "https://x/{env:KEY}",
            "enabled": True,
            "headers": {"A": "{env:T}"},
        }

    def test_its_answer_is_read(self):
        listed = json.dumps([{"name": "hello", "location": "/h/.config/opencode/skills/demo/hello/SKILL.md"}])
        assert read(lay_out(opencode), listed) is SeenState.YES
        assert read(lay_out(opencode), listed.replace("/demo/", "/other/")) is SeenState.NO


class TestHermes:
    def test_hooks_are_words_without_a_shell_and_each_is_approved_by_its_command(self):
        activation = lay_out(hermes, hook("PreToolUse", "a 'b' | c", matcher="Bash", timeout=0.2))
        ((keys, value),) = [(entry.keys, entry.value) for entry in activation.entries]
        assert keys == ("hooks", "pre_tool_call")
        assert isinstance(value, dict)
        assert shlex.split(value["command"])[-3:] == ["sh", "-c", "a 'b' | c"]
        assert (value["matcher"], value["timeout"]) == ("terminal", 1)
        ((approval,),) = [grant.entries for grant in activation.grants]
        assert approval.value == {"event": "pre_tool_call", "command": value["command"]}

    def test_the_link_to_the_skills_changes_with_the_plugin(self):
        assert links(lay_out(hermes)) == {"skills/demo-00000000": "plugins/demo/skills"}

    def test_commands_and_subagents_are_unsupported(self):
        named = [unsupported.component for unsupported in lay_out(hermes).unsupported]
        assert named == ["command greet", "subagent helper"]


class TestAgents:
    def test_each_skill_is_a_link_of_its_own_name(self):
        activation = lay_out(agents, skill(), skill("a/b/other/SKILL.md"), skill("SKILL.md"))
        assert links(activation) == {
            "skills/hello": "plugins/demo/skills/hello",
            "skills/other": "plugins/demo/a/b/other",
            "skills/demo": "plugins/demo",
        }
        assert activation.question is None


@pytest.mark.parametrize("module", [opencode, qwen_code, gemini_cli], ids=lambda module: module.__name__)
def test_a_command_outside_its_folder_is_called_by_its_name(module):
    files = {".apm/prompts/bye.prompt.md": b"Bye $ARGUMENTS"}
    activation = lay_out(module, component(COMMAND, "sub:bye", ".apm/prompts/bye.prompt.md"), files=files)
    paths = [*activation.tree_files, *(file.path for file in activation.files)]
    assert any(path.rpartition(".")[0].endswith("sub/bye") for path in paths)


def test_a_subagent_of_odd_tools_has_none():
    odd = component(SUBAGENT, "x", "agents/x.md", None, tools=[None, {}, 3])
    assert b"tools" not in lay_out(gemini_cli, odd).tree_files[".gemini-extension/agents/x.md"]
