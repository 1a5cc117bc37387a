"""One run of the gates: configuration, files, cache, the rules' stages, and suppressions."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .cache import ResultCache, default_file
from .configuration import Configuration, load
from .contract import Finding
from .discovery import DiscoveredFiles, discover
from .errors import UsageError
from .incremental import IncrementalRun, RuleState
from .installed_rules import ENGINE_CODES, InstalledRule, InstalledRules, load_rules
from .named_in_configuration import check_names
from .packaging import module_of
from .project import ModuleTable
from .rule_executor import Crash, decode
from .source_file import SourceFile
from .suppressions import Codes, apply, directives_of


@dataclass(frozen=True, slots=True)
class Request:
    """What to lint. `stdin` is the name and the bytes of a file that replace the one on the disk; the run reports on
    it alone. `overlay` has the bytes of files by absolute path, which replace those on the disk, too.
    With `checks_names` a name in the configuration that means nothing is an error, if the whole project is read."""

    paths: tuple[Path, ...] = ()
    config: Path | None = None
    select: tuple[str, ...] | None = None
    cache: bool = True
    stdin: tuple[Path, bytes] | None = None
    overlay: Mapping[str, bytes] = field(default_factory=dict)
    checks_names: bool = False
    working_directory: Path = field(default_factory=Path.cwd)


class Failure(NamedTuple):
    """Why the findings may not be all: a rule that crashed on a file, or one that is lost (with the root's path)."""

    rule: str
    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a run. `findings` are in order of file and place. `problems` are rules that could not be had, and
    `notes` what the authors of rules must change, one sentence each. `checked` and `read_anew` count files."""

    configuration: Configuration
    findings: tuple[Finding, ...]
    crashes: tuple[Crash, ...]
    problems: tuple[str, ...]
    files: Mapping[str, SourceFile]
    checked: int
    rules: tuple[InstalledRule, ...]
    suppressed: int
    read_anew: int
    baselined: int = 0
    notes: tuple[str, ...] = ()

    @property
    def failures(self) -> list[Failure]:
        """The crashes and the problems. If there are any, the findings may not be all."""
        return [Failure(crash.rule, crash.path, crash.message) for crash in self.crashes] + [
            Failure("plugport", "", problem) for problem in self.problems
        ]


def lint(request: Request, installed: InstalledRules | None = None) -> Report:
    """Lint, and return what was found. It writes nothing but the cache, and may be repeated. Raises `UsageError`, and
    `ConfigurationError`, which is one."""
    configuration = load(request.config, request.working_directory)
    installed = installed or load_rules()
    rules = selected(installed, request.select)
    files, checked = read_files(request, configuration)
    if request.checks_names and _reads_project(request, configuration):
        check_names(configuration, files)
    cache = ResultCache(default_file(configuration.root) if request.cache else None)
    try:
        modules = ModuleTable((file.relative, file.module) for file in files.values())
        run = IncrementalRun(configuration, cache, files, modules)
        states, full_run = run.update(rules, checked)
        if request.stdin is None and not request.overlay:
            run.save(states)
    finally:
        cache.close()
    problems = (*installed.problems, *(full_run.problems if full_run else ()))
    results = _results(states, checked)
    codes = Codes({rule.code for rule in rules}, {*installed.rules, *ENGINE_CODES}, bool(problems))
    findings, suppressed = _suppress(files, checked, results, codes)
    if request.select is not None and "PP000" not in request.select:
        findings = [finding for finding in findings if finding.rule != "PP000"]
    return Report(
        configuration,
        tuple(sorted(findings, key=lambda finding: (finding.path, finding.span, finding.rule, finding.message))),
        tuple(full_run.crashes) if full_run else (),
        problems,
        files,
        len(checked),
        tuple(rules),
        suppressed,
        len({path for state in states for path in state.new_rows}),
        notes=tuple(full_run.notes) if full_run else (),
    )


def selected(installed: InstalledRules, select: Sequence[str] | None) -> list[InstalledRule]:
    """Return the rules to run: all, or those of the codes. Raises `UsageError` for a code that no rule has."""
    if select is None:
        return list(installed.rules.values())
    known = [*ENGINE_CODES, *installed.rules]
    for code in select:
        if code not in known and not installed.problems:
            near = difflib.get_close_matches(code, known, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"--select {code}: there is no such rule; there are {', '.join(sorted(known))}{meant}")
    return [rule for rule in installed.rules.values() if rule.code in select]


def _reads_project(request: Request, configuration: Configuration) -> bool:
    """Return whether all files of the project are read, not only some that lie elsewhere."""
    paths = [request.stdin[0]] if request.stdin is not None else request.paths
    absolute = [Path(os.path.normpath(request.working_directory / path)) for path in paths]
    return not paths or any(path.is_relative_to(configuration.root) for path in absolute)


def read_files(request: Request, configuration: Configuration) -> tuple[dict[str, SourceFile], list[str]]:
    """Return the files of a run by relative path, and the paths of those to report on. Raises `UsageError`."""
    overlay = request.overlay
    if request.stdin is not None:
        replaced = Path(os.path.normpath(request.working_directory / request.stdin[0]))
        overlay = {str(replaced): request.stdin[1], **overlay}
        discovered = _with_stdin(configuration, replaced)
    else:
        discovered = discover(configuration, [request.working_directory / path for path in request.paths])
    files: dict[str, SourceFile] = {}
    for absolute, relative in discovered.files.items():
        data = overlay[absolute] if absolute in overlay else _read(absolute)
        files[relative] = SourceFile(Path(absolute), relative, module_of(relative, configuration.module_roots), data)
    checked = [path for absolute, path in discovered.files.items() if absolute in discovered.checked]
    return files, checked


def _read(path: str) -> bytes:
    """Return the file's bytes; if it cannot be read, bytes that no rule can parse, so that the file is PP900."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - thousands of files, and Path.open is slower
            return stream.read()
    except OSError as error:
        return b"\0 cannot be read: " + str(error.strerror).encode()


def _with_stdin(configuration: Configuration, file: Path) -> DiscoveredFiles:
    if file.is_file():
        return discover(configuration, [file])
    around = discover(configuration, [file.parent] if file.parent.is_dir() else [])
    relative = (
        file.relative_to(configuration.root).as_posix() if file.is_relative_to(configuration.root) else str(file)
    )
    return DiscoveredFiles({**around.files, str(file): relative}, frozenset({str(file)}))


def _results(states: Sequence[RuleState], checked: Iterable[str]) -> dict[str, list[Finding]]:
    """Return the findings by path. If several rules could not parse a file, it has one finding."""
    results: dict[str, list[Finding]] = {}
    for state in states:
        for path in checked:
            row = state.rows.get(path)
            if row is not None and row.findings != "[]" and path not in state.skipped:
                findings = results.setdefault(path, [])
                findings += [finding for finding in decode(path, row.findings) if finding not in findings]
    return results


def _suppress(
    files: Mapping[str, SourceFile],
    checked: Iterable[str],
    results: Mapping[str, list[Finding]],
    codes: Codes,
) -> tuple[list[Finding], int]:
    """Return the findings that are left, with PP000 for wrong suppressions, and how many were suppressed."""
    kept: list[Finding] = []
    suppressed = 0
    for path in checked:
        findings, count = results.get(path, []), 0
        if directives := directives_of(files[path]):
            findings, count = apply(files[path], findings, directives, codes)
        kept += findings
        suppressed += count
    return kept, suppressed
