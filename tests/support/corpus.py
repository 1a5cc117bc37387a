"""Reads the labelled corpus of the gates, `tests/lint/corpus/RULE/*.md`, and runs a rule over its cases.

One Markdown file holds the cases of one kind of code. A `toml` fence before the first case is the table
`[tool.plugport.lint]` of all cases in the file. A case is a heading of the second level and `python` fences, one a
module; a fence may start with `# file: app/other.py` (default `example.py`). A line that ends in `# BAD` must be
found. A heading that ends in `(missed: why)` names what the gates do not judge rightly yet.
"""

from __future__ import annotations

import functools
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from plugport.lint_rules.engine.installed_rules import InstalledRules, load_rules
from plugport.lint_rules.engine.lint import Request, lint

CORPUS = Path(__file__).resolve().parents[1] / "lint/corpus"
RULES = ("PP001", "PP002", "PP003", "PP004")
DEFAULT_TABLE = {"PP001": '[[only-caller]]\npreset = "docker-inspect"\nallow = []\n'}
_MISSED = re.compile(r"\s*\(missed: (.+)\)\s*$")
_FILE = re.compile(r"# file: (\S+)")
_TABLE_HEADER = re.compile(r"^(\[\[?)(?=\w)", re.MULTILINE)

Places = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Case:
    """One case. `kind` is the title of its file, `missed` why the gates are wrong about it (empty if they are right),
    `table` the TOML of `[tool.plugport.lint]`, `files` the modules by path."""

    rule: str
    source: str
    kind: str
    name: str
    missed: str
    table: str
    files: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        """The test's name."""
        return f"{self.rule}/{self.source}: {self.name}"

    @property
    def bad(self) -> Places:
        """Path and line of every line that must be found."""
        return tuple(
            (path, number)
            for path, text in sorted(self.files)
            for number, line in enumerate(text.splitlines(), 1)
            if line.rstrip().endswith("# BAD")
        )


def cases(rule: str) -> list[Case]:
    """Return the cases of a rule in the order of its files. Raises `ValueError` for a file that cannot be read."""
    return [case for page in sorted((CORPUS / rule).glob("*.md")) for case in _cases_of(rule, page)]


def places_found(
    case: Case, files: Mapping[str, str] | None = None, installed: InstalledRules | None = None
) -> Places:
    """Return path and line of each place that the rule reports in the case, or in `files` instead of its own."""
    modules = dict(case.files) if files is None else files
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder, {**modules, "pyproject.toml": _project_file(case.table)})
        report = lint(Request(cache=False, select=(case.rule,), working_directory=folder), installed or _installed())
    if report.failures:
        raise RuntimeError("; ".join(failure.message for failure in report.failures))
    return tuple(sorted({(finding.path, finding.span.line) for finding in report.findings}))


def written(case: Case, folder: Path) -> None:
    """Write the case as a project into an empty folder."""
    _write(folder, {**dict(case.files), "pyproject.toml": _project_file(case.table)})


@functools.cache
def judged(case: Case) -> Places:
    """Return `places_found(case)`; the answer is kept, since several tests ask."""
    return places_found(case)


@functools.cache
def _installed() -> InstalledRules:
    return load_rules()


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def _project_file(table: str) -> str:
    return "[tool.plugport.lint]\n" + _TABLE_HEADER.sub(r"\1tool.plugport.lint.", table)


def _cases_of(rule: str, page: Path) -> Iterator[Case]:
    kind, name, table = page.stem, "", DEFAULT_TABLE.get(rule, "")
    files: dict[str, str] = {}
    lines = iter(page.read_text().splitlines())

    def case() -> Case:
        if not files:
            raise ValueError(f"{page.name}: the case {name!r} has no python fence")
        missed = _MISSED.search(name)
        title = _MISSED.sub("", name)
        return Case(rule, page.stem, kind, title, missed.group(1) if missed else "", table, tuple(files.items()))

    for line in lines:
        if line.startswith("# "):
            kind = line[2:].strip()
        elif line.startswith("## "):
            if name:
                yield case()
            name, files = line[3:].strip(), {}
        elif line.startswith("```"):
            language, text = line[3:].strip(), _fence(lines)
            if language == "toml" and not name:
                table = text.replace("tool.plugport.lint.", "").replace("[tool.plugport.lint]\n", "")
            elif language == "python" and name:
                header = _FILE.match(text)
                files[header.group(1) if header else "example.py"] = text
            else:
                raise ValueError(f"{page.name}: a {language or 'nameless'} fence cannot stand at {name or kind!r}")
    if name:
        yield case()


def _fence(lines: Iterator[str]) -> str:
    body: list[str] = []
    for line in lines:
        if line.startswith("```"):
            break
        body.append(line)
    return "\n".join(body) + "\n"
