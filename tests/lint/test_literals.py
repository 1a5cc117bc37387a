"""The values of literals, as Python itself has them."""

from __future__ import annotations

import ast
from typing import Any

import libcst as cst
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugport.lint_rules.analysis.literals import integer, string_or_bytes

SPELLINGS = [
    "'a'",
    '"""a\r\nb"""',
    "'a\\\nb'",
    r"'\n\t\\\'\"\a\b\f\v\r'",
    r"'\0\07\377\777\x41\u00e9\U0001F600\N{BULLET}'",
    r"b'\0\07\377\x41\u00e9\N{BULLET}\n'",
    r"r'\n\\'",
    r"Rb'\n\''",
    r"'\d é \é \\é'",
    "u'é'",
    "'a' \"b\" '''c'''",
    "b'a' b'b'",
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", SPELLINGS)
def test_a_text_and_bytes_have_the_value_that_python_gives_them(text: str) -> None:
    assert string_or_bytes(cst.parse_expression(text)) == ast.literal_eval(text)


@given(st.one_of(st.text(), st.binary()))
def test_what_repr_writes_is_read_back(value: Any) -> None:
    assert string_or_bytes(cst.parse_expression(repr(value))) == value


@pytest.mark.parametrize("text", ["f'a'", "'a' f'{b}'", "name", r"'\N{no such name}'"])
def test_what_is_no_literal_has_no_value(text: str) -> None:
    assert string_or_bytes(cst.parse_expression(text)) is None


@pytest.mark.parametrize("text", ["0", "00", "0_0", "12_000", "0x1F", "0b101", "0o17"])
def test_whole_numbers(text: str) -> None:
    node = cst.parse_expression(text)
    assert isinstance(node, cst.Integer)
    assert integer(node) == ast.literal_eval(text)
