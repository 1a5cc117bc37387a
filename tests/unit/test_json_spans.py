"""JSON with the place of each value: what is taken out goes, and every other byte stays."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugport.core.pipeline.json_spans import JsonInvalid, depth, parse, same, value_of

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)
INDENTS = st.sampled_from([None, 1, 2, "\t"])


@given(value=VALUES, indent=INDENTS, ascii_only=st.booleans())
def test_what_json_writes_is_read_as_json_reads_it(value, indent, ascii_only):
    content = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    root = parse(content).root
    assert value_of(root) == value
    assert same(root, value)
    assert content[root.start : root.end] == content


@settings(max_examples=300)
@given(
    value=st.dictionaries(st.text(max_size=4), VALUES, min_size=1, max_size=6)
    | st.lists(VALUES, min_size=1, max_size=6),
    indent=INDENTS,
    data=st.data(),
)
def test_without_items_the_text_is_what_json_writes_of_the_rest(value, indent, data):
    document = parse(json.dumps(value, indent=indent).encode())
    removed = data.draw(st.sets(st.sampled_from(range(len(value)))))
    rest: object
    if isinstance(value, dict):
        rest = {key: item for index, (key, item) in enumerate(value.items()) if index not in removed}
    else:
        rest = [item for index, item in enumerate(value) if index not in removed]
    edited = document.without([(document.root, index) for index in removed])
    assert edited == json.dumps(rest, indent=indent).encode()


@given(content=st.binary() | st.text(alphabet='{}[]",:/*\n 1atrue\\').map(str.encode))
def test_whatever_comes_is_read_or_refused(content):
    with contextlib.suppress(JsonInvalid):
        assert parse(content).without([]) == content


@pytest.mark.parametrize(
    "value",
    ["1.10", "1e3", "1e400", '"caf\\u00e9"', '"\\ud800"', '"a\\/b"', "[1, 2,3]", "NaN", "-0", "1" * 5000, '"\x7f"'],
)
@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ('{{"mine": {0}, "theirs": 1}}', '{{"mine": {0}}}'),
        ('{{"theirs": 1, "mine": {0}}}', '{{"mine": {0}}}'),
        ('\ufeff{{\r\n\t"mine": {0},\r\n\t"theirs": 1\r\n}}', '\ufeff{{\r\n\t"mine": {0}\r\n}}'),
        ('{{"mine":{0},"theirs":1,}}\n\n', '{{"mine":{0},}}\n\n'),
        ('{{ "mine" : {0} , "mine": 2, "theirs": 1 }}', '{{ "mine" : {0} , "mine": 2 }}'),
        ('// hello\n{{"mine": {0}, // why\n "theirs": 1}}', '// hello\n{{"mine": {0} // why\n}}'),
        ('{{/* a */"theirs": 1, /* b */ "mine": {0}}} // end', '{{/* a *//* b */ "mine": {0}}} // end'),
    ],
)
def test_odd_spellings_stay(value, text, rest):
    document = parse(text.format(value).encode("utf-8", "surrogatepass"))
    index = document.root.index_of("theirs")
    edited = document.without([(document.root, index)])
    assert edited == rest.format(value).encode("utf-8", "surrogatepass")
    assert "theirs" not in [key.text for key in parse(edited).root.keys]


def test_bytes_that_are_no_utf_8_stay():
    document = parse(b'{"mine": "caf\xe9 \xff", "theirs": 1}')
    assert document.without([(document.root, 1)]) == b'{"mine": "caf\xe9 \xff"}'


@pytest.mark.parametrize(
    "content",
    [b"[" * 50_000 + b"]" * 50_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000, b"[" + b"1," * 100_000 + b"2]"],
    ids=["arrays", "objects", "long"],
)
def test_a_value_may_be_as_deep_or_long_as_it_likes(content):
    document = parse(content)
    assert document.without([]) == content
    assert depth(document.root) in {2, 50_000, 50_001}


@pytest.mark.parametrize("text", ["", "{", "[1 2]", "{1: 2}", "nul", "01", "1.", '"\n"', "{} {}", "/*", "truex"])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(JsonInvalid):
        parse(text.encode())


@pytest.mark.parametrize(
    ("text", "value", "equal"),
    [
        ("1", True, False),
        ("true", 1, False),
        ("1.0", 1, True),
        ("1e400", float("inf"), True),
        ("NaN", float("nan"), True),
        ("null", None, True),
        ("0", None, False),
        ('"1"', 1, False),
        ('{"a": 1, "a": 1}', {"a": 1}, False),
        ('{"b": 2, "a": 1}', {"a": 1, "b": 2}, True),
        ("[1, 2]", [2, 1], False),
    ],
)
def test_values_are_compared_as_values(text, value, equal):
    assert same(parse(text.encode()).root, value) is equal
