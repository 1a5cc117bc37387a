"""One run: configuration, files, cache, the rules' three stages, suppressions, baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import suppressions as comments
from .cache import ResultCache, default_file
from .configuration import Configuration, load
from .contract import Finding
from .discovery import Found, discover
from .errors import Unparsable, UsageError
from .incremental import Ledger, Stages
from .installed_rules import ENGINE_CODES, KnownRule, Registry, load_registry
from .packaging import module_of
from .project import ModuleTable
from .rule_executor import Crash, decode
from .source_file import LintFile


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for. `stdin` is the name and the bytes of a file that stand in for the one on the disk."""

    paths: tuple[Path, ...] = ()
    config: Path | None = None
    select: tuple[str, ...] | None = None
    cache: bool = True
    stdin: tuple[Path, bytes] | None = None
    working_directory: Path = field(default_factory=Path.cwd)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it. `findings` stand in order of file and place; `problems` are rules that could not be had."""

    configuration: Configuration
    findings: tuple[Finding, ...]
    crashes: tuple[Crash, ...]
    problems: tuple[str, ...]
    files: Mapping[str, LintFile]
    checked: int
    rules: tuple[KnownRule, ...]
    suppressed: int
    read_anew: int
    baselined: int = 0

    @property
    def failed(self) -> bool:
        """Whether a rule crashed or was lost, so that the findings may not be all."""
        return bool(self.crashes or self.problems)


def lint(request: Request, registry: Registry | None = None) -> Report:
    """Carry out a run. Raises `UsageError` (`ConfigurationError` among them). May be repeated; writes nothing but the
    cache."""
    configuration = load(request.config, request.working_directory)
    registry = registry or load_registry()
    rules = _selected(registry, request.select)
    found, files = _files(request, configuration)
    checked = [path for absolute, path in found.files.items() if absolute in found.checked]
    cache = ResultCache(default_file(configuration.root) if request.cache else None)
    try:
        stages = Stages(configuration, cache, files, ModuleTable((f.relative, f.module) for f in files.values()))
        ledgers, cold = stages.run(rules, checked)
        if request.stdin is None:
            stages.save(ledgers)
    finally:
        cache.close()
    problems = (*registry.problems, *(cold.problems if cold else ()))
    judge = _Judge(request.select, registry, frozenset(rule.code for rule in rules), anything=bool(problems))
    findings, suppressed = _suppressed(files, checked, _results(ledgers, checked), judge)
    return Report(
        configuration,
        tuple(sorted(findings, key=lambda f: (f.path, f.span, f.rule, f.message))),
        tuple(cold.crashes) if cold else (),
        problems,
        files,
        len(checked),
        tuple(rules),
        suppressed,
        len({path for ledger in ledgers for path in ledger.new_rows}),
    )


def _selected(registry: Registry, select: Sequence[str] | None) -> list[KnownRule]:
    if select is None:
        return list(registry.rules.values())
    known = [*ENGINE_CODES, *registry.rules]
    for code in select:
        if code not in known and not registry.problems:
            raise UsageError(f"--select {code}: there is no such rule; there are {', '.join(sorted(known))}")
    return [rule for rule in registry.rules.values() if rule.code in select]


def _files(request: Request, configuration: Configuration) -> tuple[Found, dict[str, LintFile]]:
    paths = request.paths
    replaced: str | None = None
    if request.stdin is not None:
        replaced = str(request.working_directory / request.stdin[0])
        found = _with_stdin(configuration, Path(replaced))
    else:
        found = discover(configuration, [request.working_directory / path for path in paths])
    files: dict[str, LintFile] = {}
    for absolute, relative in found.files.items():
        try:
            if absolute == replaced and request.stdin is not None:
                data = request.stdin[1]
            else:
                with open(absolute, "rb") as stream:  # noqa: PTH123 - thousands of files, and Path.open is slower
                    data = stream.read()
        except OSError as error:
            data = _unreadable(error)
        files[relative] = LintFile(Path(absolute), relative, module_of(relative, configuration.module_roots), data)
    return found, files


def _with_stdin(configuration: Configuration, file: Path) -> Found:
    if file.is_file():
        return discover(configuration, [file])
    around = discover(configuration, [file.parent] if file.parent.is_dir() else [])
    relative = (
        file.relative_to(configuration.root).as_posix() if file.is_relative_to(configuration.root) else str(file)
    )
    return Found({**around.files, str(file): relative}, frozenset({str(file)}))


def _unreadable(error: OSError) -> bytes:
    """Bytes that no rule can parse, so that a file that may not be read is PP900 and not passed over."""
    return b"\0 cannot be read: " + str(error.strerror).encode()


def _results(ledgers: Sequence[Ledger], checked: Iterable[str]) -> dict[str, list[Finding]]:
    """The findings by path. What several rules could not parse is said once."""
    results: dict[str, list[Finding]] = {}
    for ledger in ledgers:
        for path in checked:
            row = ledger.rows.get(path)
            if row is not None and row.findings != "[]" and path not in ledger.skipped:
                found = results.setdefault(path, [])
                found += [finding for finding in decode(path, row.findings) if finding not in found]
    return results


@dataclass(frozen=True, slots=True)
class _Judge:
    """Which suppressions may be complained of. `anything`: rules are missing, so every code may be one of theirs."""

    select: tuple[str, ...] | None
    registry: Registry
    ran: frozenset[str]
    anything: bool

    def knows(self, code: str) -> bool:
        return code in self.registry.rules or code in ENGINE_CODES or self.anything

    def shows(self, finding: Finding) -> bool:
        return finding.rule != "PP000" or self.select is None or "PP000" in self.select


def _suppressed(
    files: Mapping[str, LintFile], checked: Iterable[str], results: Mapping[str, list[Finding]], judge: _Judge
) -> tuple[list[Finding], int]:
    kept: list[Finding] = []
    total = 0
    for path in checked:
        found = results.get(path, [])
        directives = _directives(files[path])
        left, count = comments.apply(path, found, directives, judge.ran, judge.knows) if directives else (found, 0)
        kept += filter(judge.shows, left)
        total += count
    return kept, total


def _directives(file: LintFile) -> list[comments.Suppression]:
    if comments.MARK not in file.data:
        return []
    try:
        return comments.suppressions(file.text)
    except Unparsable:
        return []
