"""Reading plugin.yaml, and whose word counts for a plugin's name."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugport.core.pipeline.manifest import (
    name_of,
    parse_manifest_text,
    plugin_name,
    read_manifest,
    runtimes_of,
    supported_on_runtime,
    validate_name,
    version_of,
)
from plugport.hookspecs.errors import InvalidPluginName, ManifestInvalid, NameMismatch
from plugport.hookspecs.values import Resolved

DOUBLING = "a: &a {k: 1}\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} {{<<: [*{chr(97 + n)}, *{chr(97 + n)}]}}\n" for n in range(24)
)


def manifest(tmp_path, text):
    (tmp_path / "plugin.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_manifest(tmp_path)


def test_there_may_be_no_manifest(tmp_path):
    assert read_manifest(tmp_path) == {}


def test_name_version_and_runtimes_are_read_and_the_rest_is_kept(tmp_path):
    read = manifest(
        tmp_path, "name: greet\nversion: 1.5\nruntimes: [claude_code]\non: [start]\nreleased: 2026-01-02\n"
    )
    assert (name_of(read), version_of(read), runtimes_of(read)) == ("greet", "1.5", ("claude_code",))
    assert read["on"] == ["start"]
    assert read["released"] == "2026-01-02"
    json.dumps(read)


def test_aliases_that_stay_small_are_fine(tmp_path):
    assert manifest(tmp_path, "a: &x [1, 2]\nb: *x\n") == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    "text",
    [
        "[1, 2]",
        "just text",
        "name: [",
        "name: 5",
        "version: [1]",
        "version: true",
        "runtimes: claude-code",
        "runtimes: [1]",
        "x: !!python/object/apply:os.system [id]",
        "x: !!binary aGVsbG8=",
        "x: !!set {a}",
        "x: !!timestamp 2026-01-02",
        "x: .inf",
        "x: 99999999999999999999999",
        "x: 0x" + "f" * 5000,
        "x: !!int ''",
        "x: !!bool maybe",
        '"a": "\\0"',
        '"a": "\\ud800"',
        "? [a]\n: b",
        "a: &a [*a]",
        "[" * 5000,
        DOUBLING,
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"b{n}: &b{n} [" + ",".join([f"*b{n - 1}" if n else "*a"] * 9) + "]\n" for n in range(9)),
        "a: 1\n---\nb: 2",
        b"\xff\xfe\xff",
        "# " + "x" * 300_000,
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused_in_our_own_words(tmp_path, text):
    with pytest.raises(ManifestInvalid) as caught:
        manifest(tmp_path, text)
    assert caught.value.field in {"plugin.yaml", "name", "version", "runtimes"}
    assert "python" not in caught.value.detail
    assert "\n" not in caught.value.detail


@pytest.mark.parametrize("name", ["..", "a/b", "-x", "a b", ".hidden", "x" * 129, "a\nb"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(InvalidPluginName):
        manifest(tmp_path, json.dumps({"name": name}))
    with pytest.raises(InvalidPluginName):
        validate_name(name)


def test_a_manifest_that_is_a_link_to_outside_is_not_read(tmp_path):
    (tmp_path / "secret").write_text("name: secret")
    root = tmp_path / "root"
    root.mkdir()
    (root / "plugin.yaml").symlink_to(tmp_path / "secret")
    with pytest.raises(ManifestInvalid):
        read_manifest(root)


def test_a_manifest_that_is_a_link_inside_is_read(tmp_path):
    (tmp_path / "real.yaml").write_text("name: real")
    (tmp_path / "plugin.yaml").symlink_to("real.yaml")
    assert name_of(read_manifest(tmp_path)) == "real"


@given(st.text())
def test_any_text_from_a_target_is_parsed_or_empty(text):
    json.dumps(parse_manifest_text(text))


@pytest.mark.timed
@pytest.mark.parametrize(
    "text", ["[" * 3000, "a: " + "{" * 3000, "- " * 3000, "a: " + "[{" * 1500, "a: [" + "x," * 100_000 + "]"]
)
def test_what_is_nested_or_long_without_end_is_refused_before_it_costs_time(tmp_path, text):
    before = time.process_time()
    with pytest.raises(ManifestInvalid):
        manifest(tmp_path, text)
    assert time.process_time() - before < 1.5 * len(text) / 100_000 + 0.2


def test_nonsense_from_a_target_is_empty():
    assert parse_manifest_text("name: [") == {}
    assert parse_manifest_text("version: 2") == {"version": 2}


@pytest.mark.parametrize(
    ("vouched", "own", "expected", "name"),
    [
        ("a", None, None, "a"),
        (None, "b", None, "b"),
        ("a", "a", None, "a"),
        ("a", None, "a", "a"),
        (None, "b", "b", "b"),
    ],
)
def test_the_source_or_the_manifest_names_the_plugin(vouched, own, expected, name):
    assert plugin_name(Resolved(vouched), {"name": own}, expected) == name


@pytest.mark.parametrize(("vouched", "own", "expected"), [("a", "b", None), ("a", None, "b"), (None, "b", "a")])
def test_names_that_disagree_are_refused(vouched, own, expected):
    with pytest.raises(NameMismatch):
        plugin_name(Resolved(vouched), {"name": own}, expected)


def test_a_plugin_that_nobody_names_is_refused():
    with pytest.raises(ManifestInvalid, match="name"):
        plugin_name(Resolved(None), {}, None)


def test_a_hostile_name_from_a_source_is_refused():
    with pytest.raises(InvalidPluginName):
        plugin_name(Resolved("../x"), {}, None)


@pytest.mark.parametrize(
    ("data", "files", "runtime", "supported"),
    [
        ({}, [], "hermes", True),
        ({"runtimes": []}, [], "hermes", True),
        ({"runtimes": ["claude_code"]}, [], "claude-code", True),
        ({"runtimes": ["claude_code"]}, [], "hermes", False),
        ({"runtimes": ["claude_code"]}, [], None, True),
        ({"runtimes": ["claude_code"]}, ["adapters/lang_graph.py"], "lang-graph", True),
        ({"runtimes": ["claude_code"]}, ["adapters/hermes.txt"], "hermes", False),
        ({"runtimes": "nonsense"}, [], "hermes", True),
    ],
)
def test_a_runtime_is_supported_when_it_is_listed_or_has_an_adapter(data, files, runtime, supported):
    assert supported_on_runtime(data, files, runtime) is supported
