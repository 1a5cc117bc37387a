"""Entries and texts come into an agent's files, and go again: every other byte stays."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from plugport.core.pipeline.activation.edited_file import EditedFile, insert_entries, insert_text, strip
from plugport.core.pipeline.activation.entry_fault import EntryFault
from plugport.core.pipeline.json_spans import parse, value_of
from plugport.hookspecs import FileSyntax, MemoryText, SettingsEntry
from plugport.hookspecs.errors import ActivationFault

JSON_FILES = [
    b"",
    b"{}",
    b"{ }",
    b"{}\n",
    b'{"model": "opus"}',
    b'{"model":"opus","n":1e400}\r\n',
    b'{\n  "enabledPlugins": {}\n}\n',
    b'{\n\t"enabledPlugins": {"a@b": true},\n\t"x": 1.10\n}',
    b'{\r\n    "a": [],\r\n    "instructions": ["x"]\r\n}\r\n',
    b'{"mcp": {"other": {"type": "local"}}, "s": "caf\\u00e9"}',
]
JSONC_FILES = [
    b"{ // nothing yet\n}\n",
    b'{\n  "a": 1, // first\n  "b": 2 // last\n}\n',
    b'{\n  "a": 1,\n}\n',
    b'{\n  "mcp": {\n    "x": {}, /* there */\n  },\n}',
    b'\xef\xbb\xbf{"a": 1}',
    b'{"a": [1, 2, ], }',
]
ENTRIES = [
    (("enabledPlugins", "demo@plugport"), True, False),
    (("mcp", "demo"), {"type": "local", "command": ["a", "b"], "environment": {}}, False),
    (("instructions",), "/c/plugins/demo/rules/*.md", True),
    (("w", "b", "c", "d"), None, False),
    (("top",), [1, {"x": []}], False),
]
TOML_FILES = [
    b"",
    b"x = 1",
    b"# a comment\nmodel = 'o3'\n\n[plugins.\"a@b\"]\nenabled = false # off\n",
    b'a = 1\r\n[mcp_servers.other]\r\ncommand = "x"\r\n',
    b"[features]\nhooks = true\n\n[[list]]\nn = 1",
]
YAML_FILES = [
    b"",
    b"model: x\n",
    b"# mine\nmodel:\n  provider: custom # here\nmcp_servers:\n  other:\n    command: x\n\n# the end\n",
    b"skills:\n  external_dirs:\n    - ~/a\nlast: |\n  text\n  more\n",
    b"hooks:\n- a\n- b",
    b"a: 1\r\nb:\r\n  c: 2\r\n",
    b"mcp_servers: {}\nskills: {external_dirs: []}\n",
    b"mcp_servers: {other: {command: y}} # mine\nskills:\n  external_dirs: [a, b]\n",
    b"{a: 1}\n",
    b"mcp_servers: {other: {command: y}, } # mine\nskills:\n  external_dirs: [a, b, # odd\n  ]\n",
    b"{a: 1 # one\n, }\n",
]


def entry(syntax: FileSyntax, keys: tuple[str, ...], value: object, append: bool = False) -> SettingsEntry:
    return SettingsEntry("settings", syntax, keys, value, append)  # type: ignore[arg-type]


def read_value(content: bytes, syntax: FileSyntax, keys: tuple[str, ...]) -> Any:
    values: Any
    if syntax is FileSyntax.TOML:
        values = tomllib.loads(content.decode())
    elif syntax is FileSyntax.YAML:
        values = yaml.safe_load(content)
    else:
        values = value_of(parse(content).root)
    for key in keys:
        assert isinstance(values, dict)
        values = values[key]
    return values


@pytest.mark.parametrize("content", [*JSON_FILES, None])
@pytest.mark.parametrize(("keys", "value", "append"), ENTRIES)
def test_an_entry_comes_into_json_and_goes_again(content, keys, value, append):
    grown, record = insert_entries(content, [entry(FileSyntax.JSON, keys, value, append)], content is not None)
    json.loads(grown)
    present = read_value(grown, FileSyntax.JSON, keys)
    assert value in present if append else present == value
    assert strip(grown, record).content == content
    assert strip(grown, EditedFile.from_json(json.loads(json.dumps(record.to_json())))).content == content


@pytest.mark.parametrize("content", JSONC_FILES)
@pytest.mark.parametrize(("keys", "value", "append"), ENTRIES)
def test_comments_stay_where_the_runtime_reads_them_and_stop_the_insertion_where_it_does_not(
    content, keys, value, append
):
    grown, record = insert_entries(content, [entry(FileSyntax.JSONC, keys, value, append)], True)
    present = read_value(grown, FileSyntax.JSONC, keys)
    assert value in present if append else present == value
    assert strip(grown, record).content == content
    with pytest.raises(EntryFault) as refused:
        insert_entries(content, [entry(FileSyntax.JSON, keys, value, append)], True)
    assert refused.value.fault is ActivationFault.UNPARSABLE


@pytest.mark.parametrize("content", [*TOML_FILES, None])
@pytest.mark.parametrize(
    ("keys", "value", "append"),
    [
        (("plugins", "demo@plugport"), {"enabled": True}, False),
        (("mcp_servers", "demo"), {"command": "x", "args": ["a"], "env": {"A": "b"}}, False),
        (("top",), "x", False),
        (("features", "apps"), True, False),
    ],
)
def test_an_entry_comes_into_toml_and_goes_again(content, keys, value, append):
    grown, record = insert_entries(content, [entry(FileSyntax.TOML, keys, value, append)], content is not None)
    assert read_value(grown, FileSyntax.TOML, keys) == value
    assert strip(grown, record).content == content


@pytest.mark.parametrize("content", [*YAML_FILES, None])
@pytest.mark.parametrize(
    ("keys", "value", "append"),
    [
        (("mcp_servers", "demo"), {"command": "x", "args": ["a: b"], "env": {}}, False),
        (("skills", "external_dirs"), "~/.hermes/plugins", True),
        (("hooks_auto_accept",), True, False),
    ],
)
def test_an_entry_comes_into_yaml_and_goes_again(content, keys, value, append):
    grown, record = insert_entries(content, [entry(FileSyntax.YAML, keys, value, append)], content is not None)
    present = read_value(grown, FileSyntax.YAML, keys)
    assert value in present if append else present == value
    assert strip(grown, record).content == content


@pytest.mark.parametrize(
    ("syntax", "content", "line"),
    [
        (FileSyntax.JSON, b'{"a": 1\n"b"}', 2),
        (FileSyntax.TOML, b"a = 1\nb = = 2\n", 2),
        (FileSyntax.YAML, b"a: 1\nb: [\n", 3),
        (FileSyntax.JSON, b"\xff\xfe", 1),
    ],
)
def test_what_cannot_be_parsed_is_named_with_its_line(syntax, content, line):
    with pytest.raises(EntryFault) as refused:
        insert_entries(content, [entry(syntax, ("x", "y"), 1)], True)
    assert (refused.value.fault, refused.value.line) == (ActivationFault.UNPARSABLE, line)


@pytest.mark.parametrize(
    ("syntax", "content"),
    [
        (FileSyntax.JSON, b'{"x": {"y": 2}}'),
        (FileSyntax.JSON, b'{"x": []}'),
        (FileSyntax.TOML, b"x.y = 2\n"),
        (FileSyntax.TOML, b"x = 2\n"),
        (FileSyntax.YAML, b"x:\n  y: 2\n"),
        (FileSyntax.YAML, b"x: 2\n"),
    ],
)
def test_another_value_at_the_place_is_a_conflict(syntax, content):
    with pytest.raises(EntryFault) as refused:
        insert_entries(content, [entry(syntax, ("x", "y"), 1)], True)
    assert refused.value.fault is ActivationFault.CONFLICT


@pytest.mark.parametrize(
    ("syntax", "content"),
    [(FileSyntax.JSON, b'{"x": {"y": 1.0}}'), (FileSyntax.TOML, b"[x]\ny=1\n"), (FileSyntax.YAML, b"x: {y: 1}\n")],
)
def test_a_value_that_was_there_before_is_not_recorded(syntax, content):
    assert insert_entries(content, [entry(syntax, ("x", "y"), 1)], True) == (content, None)


@pytest.mark.parametrize("before", [None, b"", b"# Mine", b"# Mine\n", b"# Mine\r\n\r\ntext\r\n", b"\xff\xfe\x00"])
def test_a_text_comes_into_a_memory_file_and_goes_again(before):
    first, record = insert_text(before, "demo", MemoryText("AGENTS.md", "Be brief.\n"), before is not None)
    second, other = insert_text(first, "other", MemoryText("AGENTS.md", "Be kind."), True)
    assert b"Be brief." in first
    assert first.startswith(before or b"")
    assert strip(strip(second, other).content, record).content == before
    assert strip(strip(second, record).content, other).content in {before, b"" if before is None else before}
    edited = second.replace(b"Be brief.", b"Be long.")
    assert strip(edited, record).content == edited
    assert strip(edited, record).left


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=4), children, max_size=3),
    max_leaves=8,
)
settings = st.dictionaries(
    st.sampled_from(["mcp", "w", "b", "instructions"]) | st.text(max_size=3), json_values, max_size=4
)
indents = st.sampled_from([None, 1, 2, 4, "\t"])


@given(settings, indents, st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=3, unique_by=repr))
@example({"w": {}}, None, [ENTRIES[3]])
def test_two_plugins_of_any_entries_go_in_any_order(values, indent, entries):
    content = json.dumps(values, indent=indent).encode()
    first = [entry(FileSyntax.JSON, *each) for each in entries]
    second = [entry(FileSyntax.JSON, ("mcp", "second"), {"k": 1}), entry(FileSyntax.JSON, ("z",), 2)]
    try:
        grown, record = insert_entries(content, first, True)
        both, other = insert_entries(grown, second, True)
    except EntryFault as fault:
        assume(fault.fault is not ActivationFault.CONFLICT)
        raise
    assert record is not None or grown == content
    without_second = strip(both, other).content if other else both
    assert without_second == grown
    if record is not None:
        assert strip(without_second, record).content == content
        swapped = strip(both, record)
        rest = strip(swapped.content, other).content if other else swapped.content
        if "mcp" not in values and any(each[0][0] == "mcp" for each in entries):
            return  # the second plugin's entry lies in an object that the first one made
        assert json.loads(rest) == values


@given(settings)
def test_a_file_that_the_agent_wrote_anew_loses_the_entries_all_the_same(values):
    content = json.dumps(values).encode()
    entries = [entry(FileSyntax.JSON, ("enabledPlugins", "demo@plugport"), True)]
    try:
        grown, record = insert_entries(content, entries, True)
    except EntryFault as refused:
        assume(refused.fault is not ActivationFault.CONFLICT)
        raise
    rewritten = json.dumps(json.loads(grown) | {"added": 1}, indent=4).encode()
    assert json.loads(strip(rewritten, record).content) == values | {"added": 1}


@given(st.binary(max_size=60))
def test_no_bytes_break_the_edits(content):
    for syntax in FileSyntax:
        try:
            grown, record = insert_entries(content, [entry(syntax, ("x", "y"), "z")], True)
        except EntryFault:
            continue
        assert grown != content
        assert strip(grown, record).content == content
        strip(content, record)
