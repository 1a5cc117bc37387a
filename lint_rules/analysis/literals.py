"""Evaluates literals without `ast`, which LibCST asks for each of them."""

from __future__ import annotations

import re
import unicodedata

import libcst as cst

_ESCAPE = re.compile(r"\\(?:[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|[\x00-\x7f])")
_SIMPLE_ESCAPES = {"\n": "", **dict(zip("\\'\"abfnrtv", "\\'\"\a\b\f\n\r\t\v", strict=True))}


def string_or_bytes(node: cst.CSTNode | None) -> str | bytes | None:
    """Return the value of a text or bytes literal without holes, also of one that is written in parts; None for
    anything else."""
    if isinstance(node, cst.ConcatenatedString):
        left, right = string_or_bytes(node.left), string_or_bytes(node.right)
        if isinstance(left, str) and isinstance(right, str):
            return left + right
        return left + right if isinstance(left, bytes) and isinstance(right, bytes) else None
    return _simple(node) if isinstance(node, cst.SimpleString) else None


def integer(node: cst.Integer) -> int:
    """Return the value of a literal whole number."""
    return int(node.value, 0) if node.value.strip("0_") else 0


def _simple(node: cst.SimpleString) -> str | bytes | None:
    prefix, text = node.prefix.lower(), node.raw_value.replace("\r\n", "\n").replace("\r", "\n")
    is_bytes = "b" in prefix
    try:
        if "r" not in prefix and "\\" in text:
            text = _ESCAPE.sub(_byte if is_bytes else _character, text)
        return text.encode("latin-1") if is_bytes else text
    except (KeyError, ValueError):  # no Python
        return None


def _byte(escape: re.Match[str]) -> str:
    """Return what an escape stands for in bytes, which have no names and no code points."""
    kind, digits = escape[0][1], escape[0][1:]
    if kind in "01234567":
        return chr(int(digits, 8) & 0xFF)
    return escape[0] if kind in "NuU" else _character(escape)


def _character(escape: re.Match[str]) -> str:
    text = escape[0][1:]
    if text[0] in "01234567":
        return chr(int(text, 8))
    if len(text) == 1:
        return _SIMPLE_ESCAPES.get(text, escape[0])
    return unicodedata.lookup(text[2:-1]) if text[0] == "N" else chr(int(text[1:], 16))
