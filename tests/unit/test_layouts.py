"""Layouts of the built-in providers: what each asks for, as values. The real agents are asked in tests/runtimes."""

from __future__ import annotations

import json

import pytest
from support.layouts import COMMAND, FILES, RULE, SUBAGENT, component, contents, hook, server, skill, target

from plugport.builtin_backends.layouts import adaptor, claude_code
from plugport.hookspecs import Activation, Answer, Contents, SeenState, Severity
from plugport.hookspecs.errors import ActivationFault, ActivationImpossible

BOM = b"\xef\xbb\xbf"


def claude(*components, files=FILES, fmt="claude", name="demo", **options) -> Activation:
    return claude_code.provider.lay_out(contents(*components, fmt=fmt), target("claude-code", files, name, **options))


def manifest(activation: Activation) -> dict:
    return json.loads(activation.tree_files[".claude-plugin/plugin.json"])


def rules(activation: Activation) -> set[str]:
    return {finding.rule for finding in activation.findings}


class TestAdaptor:
    def test_nothing_is_asked_for(self):
        activation = adaptor.provider.lay_out(contents(), target("adaptor"))
        assert activation == Activation(unsupported=activation.unsupported)

    def test_what_it_passes_over_is_unsupported(self):
        unsupported = adaptor.provider.lay_out(contents(), target("adaptor")).unsupported
        assert [each.component.partition(" ")[0] for each in unsupported] == ["subagent", "hook", "mcp-server"]
        assert unsupported[0].why == "the adaptor does not read it: it knows no subagents"

    def test_what_it_reads_is_not(self):
        fragment = "settings-fragment.json"
        parts = (skill(), hook("Stop", "x", fragment), server(fragment), component(RULE, "a", "AGENTS.md"))
        files = {**FILES, "AGENTS.md": b"x"}
        assert adaptor.provider.lay_out(contents(*parts), target("adaptor", files)) == Activation()

    def test_it_warns_of_a_contributors_document_that_it_takes_for_a_rule(self):
        files = {**FILES, "AGENTS.md": b"x"}
        (finding,) = adaptor.provider.lay_out(contents(skill()), target("adaptor", files)).findings
        assert (finding.rule, finding.path, finding.severity) == ("adaptor-rule", "AGENTS.md", Severity.WARNING)


class TestClaudeCode:
    def test_a_plugin_in_its_default_folders_is_two_links_and_a_short_manifest(self):
        activation = claude()
        assert [(link.path, link.target) for link in activation.links] == [
            ("skills/demo", "plugins/demo"),
            ("rules/demo", "plugins/demo/rules"),
        ]
        assert manifest(activation) == {"name": "demo", "version": "1.0.0", "description": "A demo."}
        assert not activation.entries
        assert not activation.files
        assert not activation.unsupported

    def test_a_manifest_that_is_there_stays(self):
        assert not claude(files={**FILES, ".claude-plugin/plugin.json": b"{}"}).tree_files

    def test_what_lies_elsewhere_is_in_the_manifest(self):
        made = manifest(
            claude(
                skill(),
                skill("deep/er/one/SKILL.md"),
                component(COMMAND, "greet", "commands/greet.md"),
                component(COMMAND, "bye", "prompts/bye.md"),
                component(SUBAGENT, "helper", "people/helper.md"),
                hook("PreToolUse", "${CLAUDE_DIR}/hooks/check.sh", "settings-fragment.json", matcher="Bash"),
                server("settings-fragment.json", command="./server.py"),
            )
        )
        assert made["skills"] == ["./deep/er/one"]
        assert made["commands"] == ["./commands/greet.md", "./prompts/bye.md"]
        assert made["agents"] == ["./people/helper.md"]
        command = "${CLAUDE_PLUGIN_ROOT}/hooks/check.sh"
        assert made["hooks"] == {
            "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": command}]}]
        }
        assert made["mcpServers"] == {"echo": {"command": "${CLAUDE_PLUGIN_ROOT}/server.py"}}

    def test_a_command_in_toml_becomes_markdown(self):
        files = {"commands/a/b.toml": b'description = "D"\nprompt = """Do {{args}} with !{ls} and @{x.md}"""\n'}
        activation = claude(component(COMMAND, "a:b", "commands/a/b.toml"), files=files)
        made = activation.tree_files["commands/a/b.md"]
        assert made == b'---\ndescription: "D"\n---\nDo $ARGUMENTS with !`ls` and @x.md'
        assert "commands" not in manifest(activation)

    def test_rules_elsewhere_are_linked_file_by_file(self):
        activation = claude(component(RULE, "a", "docs/a.md"), component(RULE, "b", "rules/b.md"))
        assert [(link.path, link.target) for link in activation.links[1:]] == [
            ("rules/demo/docs-a.md", "plugins/demo/docs/a.md"),
            ("rules/demo/rules-b.md", "plugins/demo/rules/b.md"),
        ]

    def test_an_event_that_it_does_not_have_is_unsupported(self):
        (unsupported,) = claude(hook("Dance", "x")).unsupported
        assert unsupported.component == "hook Dance"

    @pytest.mark.parametrize(
        ("name", "fault"),
        [
            ("cache", ActivationFault.RESERVED),
            ("data", ActivationFault.RESERVED),
            ("marketplaces", ActivationFault.RESERVED),
            ("native", ActivationFault.RESERVED),
            ("a b", ActivationFault.NAME),
        ],
    )
    def test_a_name_that_it_uses_itself_is_refused(self, name, fault):
        with pytest.raises(ActivationImpossible) as refused:
            claude(name=name)
        assert refused.value.fault is fault

    def test_tools_of_servers_are_granted_by_name(self):
        (grant,) = claude(server(name="a server.x")).grants
        assert grant.name == "mcp-tools"
        assert [(entry.keys, entry.value, entry.append) for entry in grant.entries] == [
            (("permissions", "allow"), "mcp__plugin_demo_a_server_x", True)
        ]

    def test_it_is_asked_in_the_folder_where_it_lies(self):
        usual, moved = claude(path="/home/x/.claude").question, claude(path="/configs").question
        assert dict(usual.environment) == {"HOME": "/home/x"}
        assert dict(moved.environment) == {"CLAUDE_CONFIG_DIR": "${config_dir}"}

    @pytest.mark.parametrize(
        ("answer", "state", "complaint", "broken"),
        [
            (Answer(None, b""), SeenState.UNKNOWN, None, False),
            (Answer(127, b""), SeenState.UNKNOWN, None, False),
            (Answer(0, b"[]"), SeenState.NO, None, False),
            (Answer(0, b"{"), SeenState.UNKNOWN, None, False),
            (Answer(0, b"{}"), SeenState.UNKNOWN, None, False),
            (Answer(1, b"", b"settings.json: bad\n"), SeenState.NO, "settings.json: bad", True),
            (
                Answer(0, b'[{"id":"demo@skills-dir","enabled":true,"installPath":"/h/.claude/skills/demo"}]'),
                SeenState.YES,
                None,
                False,
            ),
            (
                Answer(0, b'[{"id":"demo@skills-dir","enabled":false,"installPath":"","errors":["no\\u0007 good"]}]'),
                SeenState.NO,
                "no good",
                False,
            ),
            (
                Answer(0, b'[{"id":"other@x","enabled":true,"installPath":"/h/.claude/skills/demo2"}]'),
                SeenState.NO,
                None,
                False,
            ),
        ],
    )
    def test_its_answer_is_read(self, answer, state, complaint, broken):
        seen = claude().question.read(answer)
        assert (seen.state, seen.complaint, seen.broken) == (state, complaint, broken)
        assert (seen.reason is None) == (state is SeenState.YES)


class TestSkills:
    """The limits of SKILL.md, where Claude Code has them."""

    @pytest.mark.parametrize(
        ("content", "rule", "line"),
        [
            (BOM + b"---\nname: hello\ndescription: d\n---\n", "skill-bom", 1),
            (b"---\nname: hello\nmeta:\n\tx: y\ndescription: d\n---\n", "skill-tab", 4),
            (b"---\nname: hello\ndescription: [a]\n---\n", "skill-description-type", 3),
        ],
    )
    def test_what_it_passes_over_is_named_with_its_line(self, content, rule, line):
        activation = claude(skill(), files={"skills/hello/SKILL.md": content})
        (finding,) = activation.findings
        assert (finding.rule, finding.line, finding.runtime) == (rule, line, "claude-code")
        assert finding.severity is Severity.ERROR

    def test_a_description_that_it_cuts_is_a_warning(self):
        text = "x" * 1537
        files = {"skills/hello/SKILL.md": f"---\nname: hello\ndescription: {text}\n---\n".encode()}
        (finding,) = claude(skill(description=text), files=files).findings
        assert (finding.rule, finding.severity) == ("skill-description-cut", Severity.WARNING)

    def test_a_good_one_has_no_finding(self):
        assert not claude(skill(name="hello", description="Says hello.")).findings

    def test_a_file_that_is_not_there_has_none(self):
        assert not claude(skill(), files={}).findings


def test_odd_contents_are_laid_out():
    activation = claude_code.provider.lay_out(Contents("skills"), target("claude-code", {}))
    assert manifest(activation) == {"name": "demo"}
