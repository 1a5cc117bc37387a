"""Reads suppressions, `# plugport: allow[PP001,PP002] reason`, from comment tokens only, also malformed ones."""

from __future__ import annotations

import difflib
import io
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from .contract import Span

_NEARBY = re.compile(rb"#[^\r\n]*(?:[Pp]lugport\b|\ballow\[)")
_SCANNED = re.compile(
    r"""[a-zA-Z]{0,2}(?P<triple>\"{3}|'{3})(?:\\.|.)*?(?P=triple)
      | (?P<quote>["'])(?:\\.|(?!(?P=quote))[^\\\n])*(?P=quote)
      | (?P<comment>\#[^\r\n]*)""",
    re.VERBOSE | re.DOTALL,
)
_LINE_END = re.compile(r"\r\n|\r|\n")
_OTHER_TOOLS = re.compile(
    r"(?:#\s*(?:noqa|nosec|type:|pragma:|pylint:|pyright:|ruff:|mypy:|fmt:|isort:|nosemgrep)[^#]*)*", re.IGNORECASE
)
_HEAD = re.compile(
    r"#\s*(?P<tool>[\w-]+)\s*(?P<colon>[:;=.-]*)\s*(?P<verb>[A-Za-z]*)\s*(?P<rest>(?:[^#]|#(?=[0-9]))*)", re.DOTALL
)
_CODE = re.compile(r"\b[A-Za-z]{2,8}[0-9]{3,4}\b")
_NAMES_RULE = re.compile(r"[\[({<:=\s'\"]*[A-Za-z]{2,8}[0-9]{3,4}\b")
_OTHER_VERBS = frozenset({"disable", "ignore", "nolint", "noqa", "off", "skip", "suppress"})
_DASHES = ":-–— "  # noqa: RUF001 - dashes as people type them


@dataclass(frozen=True, slots=True)
class Suppression:
    """One directive, up to a further `#` of its comment. `problem` says in words why it is malformed (empty: it is
    not); `reason` and `codes` are empty if there are none. The codes are in capital letters."""

    span: Span
    codes: tuple[str, ...] = ()
    reason: str = ""
    problem: str = ""


def may_have_directives(data: bytes) -> bool:
    """Return whether a file's bytes make it worth reading its comments. Far cheaper than reading them."""
    return (b"lugport" in data or b"allow[" in data) and _NEARBY.search(data) is not None


def read_directives(text: str) -> list[Suppression]:
    """Return every directive of a file, in order. A comment that only speaks of plugport is none."""
    directives = []
    for line, column, comment in _comments(text):
        start = 0 if (head := _OTHER_TOOLS.match(comment)) is None else head.end()
        if (match := _HEAD.match(comment, start)) is not None and (directive := _directive(match, line, column)):
            directives.append(directive)
    return directives


def _directive(match: re.Match[str], line: int, column: int) -> Suppression | None:
    end = len(match.string[: match.end()].rstrip())
    span = Span(line, column + match.start(), line, column + end)
    if (problem := _problem_with_head(match)) is not None:
        return Suppression(span, problem=_advice(problem, match[0])) if problem else None
    codes, bracket, reason = match["rest"][1:].partition("]")
    if not match["rest"].startswith("["):
        return Suppression(span)
    if not bracket:
        return Suppression(span, problem=_advice("the bracket behind the codes is missing", match[0]))
    names = tuple(name.strip().upper() for name in codes.split(",") if name.strip())
    if any(re.search(r"[^\w-]", name) for name in names):
        is_list = len(_CODE.findall(codes)) > 1
        problem = "a comma stands between two codes" if is_list else "only codes stand in the brackets"
        return Suppression(span, problem=_advice(problem, match[0]))
    return Suppression(span, names, reason.strip().lstrip(_DASHES).strip())


def _problem_with_head(match: re.Match[str]) -> str | None:
    """Return what is wrong before the codes: None for nothing, an empty text if this is no directive at all."""
    tool, verb, rest = match["tool"].lower(), match["verb"].lower(), match["rest"]
    names_rule = _NAMES_RULE.match(rest) is not None or (not verb and _CODE.match(rest) is not None)
    has_list = names_rule or rest.startswith(("[", "("))
    if tool != "plugport":
        return "it begins with `plugport:`" if verb == "allow" and has_list and _is_near(tool, "plugport") else ""
    if verb == "allow" and match["colon"] == ":":
        return "the codes stand in square brackets" if names_rule and not rest.startswith("[") else None
    if verb == "allow":
        return "a colon stands behind `plugport`" if has_list else ""
    means_it = not verb or verb in _OTHER_VERBS or _is_near(verb, "allow") or rest.startswith(("[", "("))
    is_code = _CODE.match(match.string, match.start("verb")) is not None
    is_one = (names_rule and means_it) or is_code
    if match["colon"] == ":":
        is_one = is_one or verb in _OTHER_VERBS or (has_list and _is_near(verb, "allow"))
    return "the word before the codes is `allow`" if is_one else ""


def _advice(problem: str, comment: str) -> str:
    codes = ",".join(code.upper() for code in _CODE.findall(comment)) or "PP001"
    right = f"`# plugport: allow[{codes}] reason`"
    return f"this suppression is malformed, so it suppresses nothing: {problem}, as in {right}"


def _is_near(word: str, meant: str) -> bool:
    return bool(difflib.get_close_matches(word, [meant], cutoff=0.7))


def _comments(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield line, column (both from 1) and text of each comment."""
    try:
        lines = io.StringIO(_LINE_END.sub("\n", text))
        tokens = list(tokenize.generate_tokens(lines.readline))
    except (tokenize.TokenError, SyntaxError, IndentationError, RecursionError):
        yield from _scanned_comments(text)
        return
    for token in tokens:
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.start[1] + 1, token.string


def _scanned_comments(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the comments of a text that `tokenize` cannot read to its end, by the shape of strings and comments."""
    starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
    for match in _SCANNED.finditer(text):
        if match["comment"] is not None:
            line = bisect_right(starts, match.start())
            yield line, match.start() - starts[line - 1] + 1, match["comment"]
