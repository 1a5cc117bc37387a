"""No tree makes a format raise, and the time that a reading takes is bounded."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.plugin_trees import PROVIDERS, make_tree, read_with

from plugport.builtin_backends.formats.front_matter import _plain
from plugport.builtin_backends.formats.yaml_document import parse_yaml
from plugport.core.pipeline.bounded_yaml import to_json
from plugport.core.pipeline.contents_record import contents_from_json, contents_to_json

NAMES = (
    *("plugin.yaml", "settings-fragment.json", ".claude-plugin/plugin.json", ".claude-plugin/marketplace.json"),
    *(".codex-plugin/plugin.json", "gemini-extension.json", "qwen-extension.json", "plugin.json", "apm.yml"),
    *(
        ".mcp.json",
        "mcp.json",
        "hooks/hooks.json",
        "skills/a/SKILL.md",
        "SKILL.md",
        "commands/c.md",
        "commands/c.toml",
    ),
    *("agents/a.md", "rules/r.md", "GEMINI.md", "AGENTS.md", ".apm/hooks/h.json", ".apm/prompts/p.prompt.md", "x/y"),
)
KEYS = (
    *("name", "version", "description", "author", "license", "skills", "commands", "agents", "hooks", "mcpServers"),
    *(
        "plugins",
        "source",
        "strict",
        "metadata",
        "owner",
        "dependencies",
        "apm",
        "mcp",
        "command",
        "args",
        "env",
        "url",
    ),
    *("type", "matcher", "timeout", "PreToolUse", "contextFileName", "settings", "excludeTools", "rules", "runtimes"),
    *("$schema", "content", "keywords", "homepage", "pluginRoot", "cwd"),
)
TEXTS = (
    "./",
    ".",
    "./skills",
    "../x",
    "/etc",
    "skills/a",
    "./hooks/hooks.json",
    "${CLAUDE_PLUGIN_ROOT}/x/y",
    "x y",
    "",
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(TEXTS), st.text(max_size=20)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=25,
)
OBJECTS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8)
DOCUMENTS = OBJECTS.map(lambda value: json.dumps(value).encode("utf-8", "replace"))
LINES = st.sampled_from(
    [
        "---",
        "name: x",
        "description: use when: y",
        "\tindented",
        "a: &a [*a]",
        "'",
        "- x",
        "b: 'c",
        "",
        "x: !!python/x y",
        "tools: A, B",
        "\ufeff---",
        "? [k]",
        "name: {a: b}",
    ]
)
MARKDOWN = st.lists(LINES | st.text(max_size=12), max_size=12).map(
    lambda lines: "\n".join(["---", *lines, "---", "body"]).encode("utf-8", "replace")
)
FILES = st.dictionaries(
    st.sampled_from(NAMES), st.one_of(DOCUMENTS, MARKDOWN, st.binary(max_size=60)), min_size=1, max_size=8
)


@given(FILES)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_no_format_raises_and_what_it_returns_can_be_stored(tmp_path_factory, files):
    tree = make_tree(tmp_path_factory.mktemp("tree"), files)
    for provider in PROVIDERS.values():
        contents = provider.read_plugin(tree)
        if contents is not None:
            stored = to_json(contents_to_json(contents))
            assert isinstance(stored, dict)
            assert contents_from_json(stored) == contents
            assert provider.read_plugin(tree) == contents
            places = [(finding.path, finding.line, finding.column) for finding in contents.findings]
            assert all(path in files or path == "" for path, _, _ in places)
            assert all(_is_in(files[path], line, column) for path, line, column in places if line)


def _is_in(content: bytes, line: int, column: int) -> bool:
    """Whether a text has the place; a place behind its end is one column further."""
    lines = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").split("\n")
    return 1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1


DEEP = 3000
LARGE: dict[str, dict[str, str]] = {
    "deep JSON": dict.fromkeys(NAMES, "[" * DEEP + "]" * DEEP),
    "deep objects": dict.fromkeys(NAMES, '{"a":' * DEEP + "1" + "}" * DEEP),
    "deep YAML": dict.fromkeys(NAMES, "---\n" + "a: " + "[" * DEEP + "]" * DEEP + "\n---\n"),
    "deep blocks": dict.fromkeys(NAMES, "---\n" + "".join(" " * depth + "a:\n" for depth in range(300)) + "---\n"),
    "one line of lists": dict.fromkeys(NAMES, "---\n" + "- " * DEEP + "x\n---\n"),
    "aliases": dict.fromkeys(
        NAMES,
        "---\na: &a [x, x]\n"
        + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(24))
        + "---\n",
    ),
    "a key again and again": dict.fromkeys(NAMES, "{" + ",".join(['"name":"x"'] * 20_000) + "}"),
    "comments": dict.fromkeys(NAMES, "/**/" * 100_000 + "{}"),
    "an open text": dict.fromkeys(NAMES, '{"' + "\\\\" * 200_000),
    "an open comment": dict.fromkeys(NAMES, "/*" * 200_000),
    "spaces": dict.fromkeys(NAMES, " " * 400_000 + "{}"),
    "quotes": dict.fromkeys(NAMES, "---\n" + "'a': \"b\n" * 7000 + "---\n"),
    "many servers": {".mcp.json": json.dumps({f"s{n}": {"command": f"./x{n}"} for n in range(10_000)})},
    "many hooks": {
        "hooks/hooks.json": json.dumps(
            {
                "hooks": {
                    "Stop": [{"hooks": [{"type": "command", "command": "${CLAUDE_PLUGIN_ROOT}/x" * 5}] * 20}] * 150
                }
            }
        )
    },
    "many paths": {
        ".claude-plugin/plugin.json": json.dumps({"name": "x", "skills": ["./skills"] * 20_000}),
        **{f"skills/s{n}/SKILL.md": "---\nname: x\n---\n" for n in range(1000)},
    },
    "many entries": {
        ".claude-plugin/marketplace.json": json.dumps(
            {"name": "x", "plugins": [{"name": f"p{n}", "source": "./", "skills": "./skills"} for n in range(3000)]}
        ),
        **{f"skills/s{n}/SKILL.md": "---\nname: x\n---\n" for n in range(300)},
    },
    "long circle": {
        ".claude-plugin/marketplace.json": json.dumps(
            {
                "name": "x",
                "plugins": [
                    {"name": f"p{n}", "source": "./", "dependencies": [f"p{(n + 1) % 4000}"]} for n in range(4000)
                ],
            }
        )
    },
    "many skills": {
        f"skills/s{n}/SKILL.md": f"---\nname: 's{n}'\ndescription: 'x'\n---\n" + "y" * 500 for n in range(4000)
    },
}


@pytest.mark.timed
@pytest.mark.parametrize("case", LARGE)
def test_a_large_or_deep_plugin_takes_a_bounded_time(tmp_path, case):
    tree = make_tree(tmp_path, LARGE[case])
    for name, provider in PROVIDERS.items():
        start = time.process_time()
        contents = provider.read_plugin(tree)
        assert time.process_time() - start < 10, name
        assert contents is None or len(contents.findings) <= 501


PIECES = st.sampled_from(
    [*"ab :#'\"-.,[]{}>|*&!%@`~\\?0yY=<", ": ", " #", "true", "null", "0x1", "1:2", "https://x", "é"]
)


@given(st.lists(PIECES, min_size=1, max_size=7).map("".join))
def test_a_plain_front_matter_is_read_as_yaml_reads_it(value):
    text = f"k: {value}\n"
    plain = _plain(text, 0, len(text))
    if plain is not None:
        parsed = parse_yaml(text)
        assert (parsed.value, parsed.faults) == (plain.values, [])
        assert parsed.offsets["k",] == plain.offsets["k",]


@pytest.mark.parametrize("path", NAMES)
def test_a_file_that_vanishes_or_cannot_be_read_is_no_failure(tmp_path, path):
    tree = make_tree(tmp_path, {path: "{}"})
    (tmp_path / path).unlink()
    (tmp_path / path).mkdir()
    for provider in PROVIDERS.values():
        provider.read_plugin(tree)


def test_time_grows_with_the_text(tmp_path):
    def seconds(count: int) -> float:
        servers = {f"s{n}": {"command": "x", "args": ["y"] * 5} for n in range(count)}
        start = time.process_time()
        read_with("claude", tmp_path / str(count), {".mcp.json": json.dumps(servers)})
        return time.process_time() - start

    seconds(10)
    small, large = min(seconds(700) for _ in range(3)), seconds(5600)
    assert large < 8 * small * 4
