"""Entries of a plugin leave an agent's settings.json; a person's bytes, and what was there before, stay."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import adaptor

from plugport.core.pipeline.settings_file import observe, refers_to, remove_entries
from plugport.core.pipeline.settings_fragment import Brought, SettingsBefore, parse_fragment
from plugport.hookspecs import JSON

JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), JSONS, max_size=3)
HANDLERS = st.lists(
    st.fixed_dictionaries(
        {"hooks": st.lists(st.fixed_dictionaries({"command": st.sampled_from(["x", "y"])}), min_size=1, max_size=2)},
        optional={"matcher": st.sampled_from(["Bash", "Edit"]), "timeout": st.integers(0, 2)},
    ),
    max_size=3,
    unique_by=lambda handler: json.dumps(adaptor._identity(handler)),
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "mcpServers": OBJECTS,
        "env": OBJECTS,
        "model": JSONS.filter(lambda value: not isinstance(value, dict)),
        "hooks": st.dictionaries(st.sampled_from(["Stop", "PreToolUse"]), HANDLERS, max_size=2),
    },
)
INDENT = st.sampled_from([None, 1, 4])


def _read(path):
    return path.read_bytes() if path.exists() else None


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(mine=st.none() | SETTINGS, first=SETTINGS, second=SETTINGS, order=st.booleans(), indent=INDENT)
def test_install_adaptor_and_removal_give_back_what_the_adaptor_leaves_without_the_plugins(
    tmp_path_factory, mine, first, second, order, indent
):
    folder = tmp_path_factory.mktemp("settings") / ".claude"
    path, control = folder / "settings.json", folder / "control.json"
    folder.mkdir()
    if mine is not None:
        path.write_text(json.dumps(mine, indent=indent))
        control.write_text(json.dumps(mine, indent=indent))
    known: list[Brought] = []
    for fragment in (first, second):
        known.append(Brought(fragment, observe(_read(path), fragment, str(folder), known)))
        adaptor._merge(path, fragment)
    if mine is not None:
        adaptor._merge(control, {})
    leaving = list(known) if order else list(reversed(known))
    while leaving:
        brought = leaving.pop()
        content = _read(path)
        if content is None:
            break
        edited = remove_entries(content, [brought], leaving, str(folder))
        if edited.content is None:
            path.unlink()
        else:
            path.write_bytes(edited.content)
    if _overlap(first, second):  # the second one's value replaced the first one's: what is right depends on the order
        return
    assert _read(path) == _read(control)


def _overlap(first, second):
    return (
        any(
            first[key].get(name) != second[key].get(name)
            for key in ("mcpServers", "env")
            for name in set(first.get(key, {})) & set(second.get(key, {}))
        )
        or any(
            adaptor._identity(handler) == adaptor._identity(another) and handler != another
            for event in set(first.get("hooks", {})) & set(second.get("hooks", {}))
            for handler in first["hooks"][event]
            for another in second["hooks"][event]
        )
        or ("model" in first and "model" in second and first["model"] != second["model"])
    )


@given(mine=SETTINGS, fragment=SETTINGS, indent=INDENT)
def test_without_an_adaptor_every_byte_stays(mine, fragment, indent):
    content = json.dumps(mine, indent=indent).encode()
    before = observe(content, fragment, "/c")
    assert remove_entries(content, [Brought(fragment, before)], [], "/c").content == content


@given(mine=SETTINGS, fragment=SETTINGS)
def test_what_was_there_before_survives_the_store(mine, fragment):
    before = observe(json.dumps(mine).encode(), fragment, "/c")
    assert SettingsBefore.from_json(json.loads(json.dumps(before.to_json()))) == before


ODD = b"""\xef\xbb\xbf{
\t// caf\xe9
\t"model": "opus", "cost": 1.10, "big": 1e400,\r
\t"name": "caf\\u00e9 \\ud800 \\/",
\t"one": [1, 2,3],
\t"mcpServers": {
\t\t"mine": {"command": "x"},
\t\t"ours": {"command": "y"}, /* why */
\t},
}"""


def test_only_the_plugins_bytes_go():
    fragment: dict[str, JSON] = {"model": "opus", "mcpServers": {"ours": {"command": "y"}}, "one": [1, 2, 3]}
    before = SettingsBefore(True, frozenset({("model",), ("one",), ("mcpServers",)}))
    edited = remove_entries(ODD, [Brought(fragment, before)], [], "/c")
    assert edited.content == ODD.replace(b',\n\t\t"ours": {"command": "y"}, /* why */', b", /* why */")
    assert edited.left == ()


def test_a_key_that_stands_there_twice_is_left_and_named():
    content = b'{"mcpServers": {"ours": 1, "ours": 1}, "env": {"A": "1"}}'
    edited = remove_entries(content, [Brought({"mcpServers": {"ours": 1}, "env": {"A": "1"}})], [], "/c")
    assert edited.content == b'{"mcpServers": {"ours": 1, "ours": 1}}'
    assert edited.left == ("mcpServers.ours (the key is there twice)",)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b'{"a": tru}', b"\xff\xfe{\x00}\x00"])
def test_what_cannot_be_read_is_left_whole_and_named(content):
    edited = remove_entries(content, [Brought({"model": "opus"})], [], "/c")
    assert edited.content == content
    assert len(edited.left) == 1


def test_a_value_that_the_adaptor_wrote_over_comes_back():
    mine = b'{\n  "mcpServers": {\n    "x": {"command": "mine", "args": []}\n  }\n}\n'
    fragment = {"mcpServers": {"x": {"command": "theirs"}}}
    before = observe(mine, fragment, "/c")
    merged = json.dumps(fragment, indent=2).encode() + b"\n"
    edited = remove_entries(merged, [Brought(fragment, before)], [], "/c")
    assert edited.content == json.dumps(json.loads(mine), indent=2).encode() + b"\n"


def test_what_another_plugin_brought_first_is_not_a_persons():
    fragment = {"mcpServers": {"x": 1}}
    first = Brought(fragment, observe(None, fragment, "/c"))
    merged = b'{"mcpServers": {"x": 1}}'
    second = Brought(fragment, observe(merged, fragment, "/c", [first]))
    assert remove_entries(merged, [first], [second], "/c").content == merged
    assert remove_entries(merged, [second], [], "/c").content is None


def test_a_deep_value_is_neither_taken_nor_in_the_way():
    deep = b"[" * 3000 + b"]" * 3000
    content = b'{"deep": ' + deep + b', "hooks": {"Stop": [' + deep + b']}, "env": {"A": "1"}}'
    fragment: dict[str, JSON] = {"env": {"A": "1"}, "hooks": {"Stop": [{"hooks": [{"command": "x"}]}]}, "deep": [1]}
    edited = remove_entries(content, [Brought(fragment)], [], "/c")
    assert edited.content == content.replace(b', "env": {"A": "1"}', b"")


def test_many_entries_take_linear_time():
    names = [f"server-{number}" for number in range(4000)]
    handlers: list[JSON] = [{"hooks": [{"command": name}]} for name in names]
    fragment: dict[str, JSON] = {"mcpServers": dict.fromkeys(names, 1), "hooks": {"Stop": handlers}}
    before = observe(b"{}", fragment, "/c")
    merged = json.dumps(fragment).encode()
    observe(merged, fragment, "/c", [Brought(fragment, before)])
    assert remove_entries(merged, [Brought(fragment, before)], [], "/c").content == b"{}"


@pytest.mark.parametrize(
    ("content", "refers"),
    [
        (b'{"command": "/c/.claude/hooks/lint.sh"}', True),
        (b'{"command": "\\/c\\/hooks\\/lint.sh --fast"}', True),
        (b'{"command": "bash \\u006cint.sh"}', True),
        (b'{"command": "cd hooks; ./lint.sh"}', True),
        (b'{"command": "hooks/lint.sh', True),
        (b'{"command": "/usr/bin/lint.sh"}', False),
        (b'{"command": "/c/hooks/prelint.sh"}', False),
        (b'{"command": "hooks/lint.sh.bak"}', False),
    ],
)
def test_whether_a_text_refers_to_a_script(content, refers):
    assert refers_to(content, "lint.sh") is refers


@pytest.mark.parametrize("content", [b"[]", b"7", b"{", b"[" * 5000, b'{"a": 1e999}', b'{"a": "\\ud800"}'])
def test_a_fragment_that_cannot_be_remembered_is_none(content):
    assert parse_fragment(content) is None
