"""Suppressions: what is one, what is a malformed one and why, and how an unused one goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugport.lint_rules import Finding, SourceFile, Span
from plugport.lint_rules.engine.directives import may_have_directives, read_directives
from plugport.lint_rules.engine.suppressions import Codes, apply, directives_of

CODES = Codes({"PP001", "PP002", "PP004"}, {"PP000", "PP001", "PP002", "PP004", "PP900"}, False)


def _messages(comment: str) -> list[str]:
    text = f"x = 1  {comment}\n"
    assert may_have_directives(text.encode()) or not read_directives(text)
    file = SourceFile(Path("a.py"), "a.py", None, text.encode())
    return [finding.message for finding in apply(file, [], directives_of(file), CODES)[0]]


@pytest.mark.parametrize(
    ("comment", "problem"),
    [
        ("# plugport: alow[PP001] a reason", "the word before the codes is `allow`"),
        ("# plugport: allows[PP001] a reason", "the word before the codes is `allow`"),
        ("# plugport: ignore[PP001] a reason", "the word before the codes is `allow`"),
        ("# plugport: disable=PP001 a reason", "the word before the codes is `allow`"),
        ("# plugport: noqa", "the word before the codes is `allow`"),
        ("# plugport: PP001 a reason", "the word before the codes is `allow`"),
        ("# plugport: [PP001] a reason", "the word before the codes is `allow`"),
        ("# plugport: allow PP001 a reason", "square brackets"),
        ("# plugport: allow(PP001) a reason", "square brackets"),
        ("# plugport: allow{PP001} a reason", "square brackets"),
        ("# plugport: allow: PP001 a reason", "square brackets"),
        ("# plugport: allow=[PP001] a reason", "square brackets"),
        ("# plugport: allow[PP001 a reason", "the bracket behind the codes is missing"),
        ("# plugport: allow[PP001 PP002] a reason", "a comma stands between two codes"),
        ("# plugport: allow[PP001;PP002] a reason", "a comma stands between two codes"),
        ("# plugport: allow[PP001|PP002] a reason", "a comma stands between two codes"),
        ("# plugport: allow[PP001 and PP002] a reason", "a comma stands between two codes"),
        ("# plugport: allow[PP001: a reason]", "only codes stand in the brackets"),
        ("# plugport: allow['PP001'] a reason", "only codes stand in the brackets"),
        ("# plugport allow[PP001] a reason", "a colon stands behind `plugport`"),
        ("# plugport; allow[PP001] a reason", "a colon stands behind `plugport`"),
        ("# plugport:: allow[PP001] a reason", "a colon stands behind `plugport`"),
        ("# plugprot: allow[PP001] a reason", "it begins with `plugport:`"),
        ("# plug-port: allow[PP001] a reason", "it begins with `plugport:`"),
        ("# plugport: allow", "names no rule"),
        ("# plugport: allow[] a reason", "names no rule"),
        ("# plugport: allow[PP777] a reason", "names PP777, but no rule has this code"),
        ("# plugport: allow[PP01] a reason", "did you mean PP001?"),
        ("# plugport: allow[PP001]", "gives no reason"),
        ("# noqa: E501  # plugport: alow[PP001] a reason", "the word before the codes is `allow`"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(comment, problem):
    (message,) = _messages(comment)
    assert problem in message
    if "malformed" in message and "PP001" in comment and "PP002" not in comment:
        assert "`# plugport: allow[PP001] reason`" in message


@pytest.mark.parametrize(
    "comment",
    [
        "# plugport: the service listens here",
        "# plugport ignores what it does not know",
        "# plugport: see PP001 in docs/gates.md",
        "# plugport allow lists are read once",
        "# write `# plugport: alow[PP001] reason` and see",
        "# support: allow[list] of hosts",
        "# import: allow[PP001] is another tool's",
    ],
)
def test_prose_is_no_suppression(comment):
    assert _messages(comment) == []


@pytest.mark.parametrize(
    ("comment", "codes", "reason"),
    [
        ("# plugport: allow[PP001] a reason", ("PP001",), "a reason"),
        ("#plugport:allow[pp001, Pp002]: a reason", ("PP001", "PP002"), "a reason"),
        ("# plugport: allow [PP001] — as in #12  # noqa: E501", ("PP001",), "as in #12"),
        ("# type: ignore  # plugport: allow[PP001] a reason", ("PP001",), "a reason"),
        ("# noqa: E501  # pragma: no cover  # plugport: allow[PP001] a reason", ("PP001",), "a reason"),
    ],
)
def test_codes_and_reason_are_read_however_they_are_written(comment, codes, reason):
    (directive,) = read_directives(f"x = 1  {comment}\n")
    assert (directive.codes, directive.reason, directive.problem) == (codes, reason, "")
    assert may_have_directives(f"x = 1  {comment}\n".encode())


def test_lines_end_as_python_has_it():
    (directive,) = read_directives("x = 1\ry = 2\r\nz = 3  # plugport: allow[PP001] reason\r")
    assert directive.span == Span(3, 8, 3, 39)


def test_a_text_that_cannot_be_tokenized_has_its_suppressions_all_the_same():
    text = "x = 'a # plugport: allow[PP001] no'\r\nif y\r\n\t(  # plugport: allow[PP002] reason\n" + "#\n" * 3 + "'"
    (directive,) = read_directives(text)
    assert (directive.span, directive.codes) == (Span(3, 5, 3, 36), ("PP002",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1  # plugport: allow[PP001] reason\ny = 2\n", "x = 1\ny = 2\n"),
        ("if x:\n    # plugport: allow[PP001] reason\n    y = 2\n", "if x:\n    y = 2\n"),
        ("x = 1  # plugport: allow[PP001,PP004] reason\n", "x = 1  # plugport: allow[PP004] reason\n"),
        ("x = 1  # plugport: allow[PP001] reason  # noqa: E501\n", "x = 1  # noqa: E501\n"),
        ("x = 1  # noqa: E501  # plugport: allow[PP001] reason\n", "x = 1  # noqa: E501\n"),
        ("x = 1\n# plugport: allow[PP001] reason", "x = 1\n"),
    ],
)
def test_an_unused_one_goes_and_nothing_else(text, expected):
    file = SourceFile(Path("a.py"), "a.py", None, text.encode())
    used = [Finding("PP004", "a.py", Span(1, 1, 1, 2), "waits")] if "PP004" in text else []
    kept, suppressed = apply(file, used, directives_of(file), CODES)
    ((edit,),) = (finding.fix.edits for finding in kept if finding.fix.is_safe)
    lines = [*text.splitlines(keepends=True), ""]
    start = sum(map(len, lines[: edit.span.line - 1])) + edit.span.column - 1
    end = sum(map(len, lines[: edit.span.end_line - 1])) + edit.span.end_column - 1
    assert text[:start] + edit.text + text[end:] == expected
    assert suppressed == len(used)


@pytest.mark.parametrize("comment", ["", "x = 1  # plugport: allow[PP001]", "x = 1  # plugport: allow[PP777] reason"])
def test_what_may_be_meant_otherwise_has_no_fix(comment):
    file = SourceFile(Path("a.py"), "a.py", None, comment.encode())
    assert all(finding.fix is None for finding in apply(file, [], directives_of(file), CODES)[0])
