"""`--fix` sorts `allow`: by item, with its comments, and only the lists of the gates."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugport.lint_rules.engine.allow_order import sort_allow

HEAD = '[[tool.plugport.lint.only-caller]]\npreset = "docker-inspect"\n'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('["b.py::g", "a.py::f"]', '["a.py::f", "b.py::g"]'),
        ("['b.py::g',\n  \"a.py::f\",\n]", "[\"a.py::f\",\n  'b.py::g',\n]"),
        (
            '[\n    # of b\n    "b.py::g",  # g\n    "a.py::f",\n]',
            '[\n    "a.py::f",\n    # of b\n    "b.py::g",  # g\n]',
        ),
        ('[\n    "b.py::g",  # ]\n    "a.py::f",\n]', '[\n    "a.py::f",\n    "b.py::g",  # ]\n]'),
        ('[\n    "b.py::g",  # g\n    "a.py::f"\n]', None),
        ('[\n    "b.py::g", "a.py::f",  # both\n]', None),
        ('["a.py::f", "b.py::g"]', None),
        ("[]", None),
    ],
)
def test_a_list_is_sorted_and_nothing_else_moves(body, expected):
    before = f"# é\n{HEAD}allow = {body}  # end\n\n[tool.other]\nallow = ['z', 'a']\n"
    assert sort_allow(before) == before.replace(body, expected or body, 1)


def test_inline_tables_and_lists_of_several_tables_are_sorted():
    inline = "[tool.plugport.lint]\nonly-caller = [{ preset = 'docker-list', allow = ['b.py::g', 'a.py::f'] }]\n"
    assert "allow = ['a.py::f', 'b.py::g']" in sort_allow(inline)
    two = f"{HEAD}allow = ['b.py::g', 'a.py::f']\n{HEAD}allow = ['d.py::g', 'c.py::f']\n"
    assert sort_allow(two) == f"{HEAD}allow = ['a.py::f', 'b.py::g']\n{HEAD}allow = ['c.py::f', 'd.py::g']\n"


def test_a_text_that_looks_like_a_list_stays():
    text = f'{HEAD}allow = []\n[tool.other]\nhelp = """\nallow = ["b", "a"]\n"""\n'
    assert sort_allow(text) == text
    assert sort_allow("allow = [") == "allow = ["


ITEMS = st.lists(st.text("ab.:/", min_size=1, max_size=6), max_size=5)
SPACE = st.sampled_from([" ", "\n  ", "\t", "\n"])


@given(items=ITEMS, space=SPACE, comments=st.booleans(), quote=st.sampled_from("'\""))
def test_whatever_the_layout_the_document_is_the_same_but_for_the_order(items, space, comments, quote):
    note = "  # why\n" if comments else ""
    body = "".join(f"{space}{quote}{item}{quote},{note}" for item in items)
    text = f"x = 1\n{HEAD}allow = [{body}\n]\ny = 2\n"
    before, after = tomllib.loads(text), tomllib.loads(sort_allow(text))
    lists = [document["tool"]["plugport"]["lint"]["only-caller"][0].pop("allow") for document in (before, after)]
    assert before == after
    assert sorted(lists[0]) == sorted(lists[1])
    assert comments or lists[1] == sorted(items)
    assert sorted(text) == sorted(sort_allow(text))
