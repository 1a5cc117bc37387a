"""`--fix` and `--diff`: what has a fix is clean afterwards, the file is Python, and no other byte changes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.fixable_rules import INSTALLED

from plugport.lint_rules import Fix, Span, TextEdit
from plugport.lint_rules.engine.fix_run import FixRun, fix
from plugport.lint_rules.engine.lint import Request
from plugport.lint_rules.engine.source_file import decode
from plugport.lint_rules.engine.text_edits import apply_fixes

CONFIG = "[tool.plugport.lint]\n"
UNUSED = "x = 1  # plugport: allow[PP004] nothing waits here\n"


def _fix(folder: Path, files: dict[str, bytes], *, with_unsafe: bool = True) -> FixRun:
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text(CONFIG)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    request = Request(cache=False, working_directory=folder)
    return fix(request, with_unsafe=with_unsafe, installed=INSTALLED)


def _after(run: FixRun) -> dict[str, bytes]:
    return {Path(path).name: data for path, data in run.after.items()}


def test_safe_fixes_alone_unless_others_are_asked_for(tmp_path):
    files = {"a.py": b"NAME = old(1)\n"}
    run = _fix(tmp_path, files, with_unsafe=False)
    assert _after(run) == {"a.py": b"name = old(1)\n"}
    assert (run.count, run.unsafe_left) == (1, 1)
    assert _after(_fix(tmp_path, files)) == {"a.py": b"import asyncio\n\nasyncio.run(log())\nname = new(1)\n"}
    assert (tmp_path / "a.py").read_bytes() == files["a.py"]


def test_fixes_that_need_the_same_import_share_it(tmp_path):
    run = _fix(tmp_path, {"a.py": b"import abc\n\nold(1)\nold(2)\n"})
    assert _after(run) == {
        "a.py": b"import abc\nimport asyncio\n\nasyncio.run(log())\nnew(1)\nasyncio.run(log())\nnew(2)\n"
    }
    assert run.count == 2


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("breaks", "with its fixes it cannot be read as Python"),
        ("awaits", "with its fixes it cannot be compiled"),
        ("more", "its fixes come to no end"),
    ],
)
def test_a_file_whose_fixes_fail_is_left_as_it_was_and_the_others_are_fixed(tmp_path, bad, why):
    run = _fix(tmp_path, {"a.py": f"NAME = {bad}\n".encode(), "b.py": b"NAME = 1\n"})
    assert _after(run) == {"b.py": b"name = 1\n"}
    (left,) = run.left
    assert left.startswith(f"a.py is left as it was: {why}")
    assert {finding.path for finding in run.report.findings} == {"a.py"}


def test_an_encoding_that_does_not_keep_its_bytes_is_left(tmp_path):
    data = b"# coding: utf-7\nNAME = '+AGE-'\n"
    run = _fix(tmp_path, {"a.py": data})
    assert run.after == {}
    assert "its encoding does not keep every byte" in run.left[0]


def test_a_file_that_is_no_python_is_not_touched(tmp_path):
    run = _fix(tmp_path, {"a.py": b"NAME = (\n"})
    assert (run.after, run.left) == ({}, ())


LINES = st.sampled_from(
    ["old({})", "x = old({})", "NAME = {}", "NAME.y({})", "s = '\u00e9 old(1) NAME'", "# \u00e9 NAME old()", "", "if x:\n    old({})",
     "def f():\n    return old({})", 't = """\nNAME\n  old(1)"""', "x = 1; old({})", "y = 2  # plugport: allow[XY001] unused"]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(LINES, max_size=8),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "latin-1"]),
    ends=st.booleans(),
)
def test_after_the_fixes_the_gate_is_clean_the_file_is_python_and_other_bytes_stay(
    tmp_path, lines, newline, encoding, ends
):
    text = "\n".join(line.format(number) for number, line in enumerate(lines)) + ("\n" if ends else "")
    if encoding == "latin-1":
        text = "# -*- coding: latin-1 -*-\n" + text
    data = text.replace("\n", newline).encode(encoding)
    newline = newline if "\n" in text else "\n"
    run = _fix(tmp_path / "property", {"a.py": data})
    after = _after(run).get("a.py", data)
    assert run.left == ()
    assert [finding.message for finding in run.report.findings if finding.fix is not None] == []
    compile(after, "a.py", "exec")
    marks = b"\xef\xbb\xbf" if encoding == "utf-8-sig" else b""
    assert after.startswith(marks)
    added = {f"asyncio.run(log()){newline}", f"import asyncio{newline}"}
    kept = _by_words(decode(after), newline, added, {"new": "old", "name": "NAME"})
    assert kept == _by_words(decode(data), newline, set(), {"  # plugport: allow[XY001] unused": ""})


def _by_words(text: str, newline: str, left_out: set[str], replaced: dict[str, str]) -> list[str]:
    """The lines without those that fixes add, and without empty ones, with the words of the original."""
    for old, new in replaced.items():
        text = text.replace(old, new)
    lines = [line + newline for line in text.split(newline) if line.strip()]
    return [line.rstrip() for line in lines if line.lstrip() not in left_out]


EDIT = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(0, 3), st.text("xy\n", max_size=3))


@given(text=st.text("ab\r\n", max_size=20), edits=st.lists(EDIT, max_size=4))
def test_edits_that_do_not_overlap_are_applied_whole_and_in_their_place(text, edits):
    fixes = [
        Fix("", (TextEdit(Span(line, column, line, column + length), new),)) for line, column, length, new in edits
    ]
    changed, count = apply_fixes(text, fixes)
    assert count <= len(fixes)
    assert (count == 0) <= (changed == text)
    alone, of_first = apply_fixes(text, fixes[:1])
    assert of_first == len(fixes[:1])
    assert not fixes or len(alone) >= len(text) - edits[0][2]


def test_a_fix_is_made_as_a_whole_or_not_at_all():
    first = Fix("", (TextEdit(Span(1, 1, 1, 2), "A"), TextEdit(Span(1, 3, 1, 4), "C")))
    second = Fix("", (TextEdit(Span(1, 2, 1, 4), "BC"), TextEdit(Span(1, 5, 1, 6), "E")))
    assert apply_fixes("abcde\n", [first, second]) == ("AbCde\n", 1)
    assert apply_fixes("abcde\n", [second, first]) == ("aBCdE\n", 1)
    assert apply_fixes("abcde\n", [first, first]) == ("AbCde\n", 1)


def test_the_command_writes_the_safe_ones_and_reports_the_rest(project):
    made = project(
        {"pyproject.toml": CONFIG, "a.py": UNUSED, "b.py": "import time\n\n\nasync def f():\n    time.sleep(1)\n"}
    )
    (made.folder / "a.py").chmod(0o755)
    done = made.json("--fix")
    assert (done.exit, done.places) == (1, [("PP004", "b.py", 5)])
    assert "made 1 fix in 1 file" in done.stderr
    assert (made.folder / "a.py").read_text() == "x = 1\n"
    assert (made.folder / "a.py").stat().st_mode & 0o777 == 0o755
    again = made.json("--fix", "a.py")
    assert (again.exit, again.stdout.strip(), again.stderr) == (0, "[]", "")


def test_a_diff_is_what_patch_takes_and_nothing_is_written(project):
    made = project(
        {"pyproject.toml": CONFIG, "app/a.py": UNUSED.encode()[:-1], "app/c.py": UNUSED.replace("\n", "\r\n")}
    )
    before = {path: path.read_bytes() for path in made.folder.rglob("*.py")}
    done = made.lint("--diff")
    assert done.exit == 1
    assert "would make 2 fixes in 2 files" in done.stderr
    assert {path: path.read_bytes() for path in made.folder.rglob("*.py")} == before
    subprocess.run(["git", "apply", "-p0", "-"], cwd=made.folder, input=done.stdout.encode(), check=True)
    assert (made.folder / "app/a.py").read_bytes() == b"x = 1"
    assert (made.folder / "app/c.py").read_bytes() == b"x = 1\r\n"
    clean = made.lint("--diff")
    assert (clean.exit, clean.stdout) == (0, "")
    text = made.lint("--diff", "--stdin-filename", "app/a.py", stdin=UNUSED.encode())
    assert (text.exit, "-x = 1  # plugport" in text.stdout) == (1, True)


def test_allow_is_sorted_if_the_whole_project_is_linted(project):
    config = "[[tool.plugport.lint.only-caller]]\npreset = 'docker-list'\nallow = ['b.py::g', 'a.py::f']\n"
    made = project({"pyproject.toml": config, "a.py": "def f(): ...\n", "b.py": "def g(): ...\n"})
    assert made.lint("--fix", "a.py").exit == 0
    assert (made.folder / "pyproject.toml").read_text() == config
    assert "+allow = ['a.py::f', 'b.py::g']" in made.lint("--diff").stdout
    assert made.lint("--fix").exit == 0
    assert "allow = ['a.py::f', 'b.py::g']" in (made.folder / "pyproject.toml").read_text()


def test_what_the_baseline_accepts_is_not_fixed(project):
    made = project({"pyproject.toml": CONFIG, "a.py": UNUSED})
    assert made.lint("--baseline", "known.json", "--write-baseline").exit == 0
    assert made.lint("--baseline", "known.json", "--fix").exit == 0
    assert (made.folder / "a.py").read_text() == UNUSED


def test_a_finding_with_a_fix_says_how_to_make_it(project):
    shown = project({"pyproject.toml": CONFIG, "a.py": UNUSED}).lint().stdout
    assert "  fix: remove the suppression (plugport lint --fix)\n" in shown


@pytest.mark.parametrize(
    "options",
    [
        ["--unsafe"],
        ["--fix", "--stdin-filename", "a.py"],
        ["--diff", "--format", "json"],
        ["--fix", "--baseline", "b", "--write-baseline"],
    ],
)
def test_options_that_do_not_go_together_are_exit_2(project, options):
    done = project({"pyproject.toml": CONFIG, "a.py": UNUSED}).lint(*options)
    assert done.exit == 2
    assert done.stderr.startswith("plugport lint: --")
