"""Fixes in memory: lints, applies the fixes, and lints again until nothing is left to fix. It writes nothing."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from .contract import Finding, Fix
from .errors import Unparsable
from .installed_rules import InstalledRule, InstalledRules, load_rules
from .lint import Report, Request, lint
from .lint_rule import LintRule
from .source_file import SourceFile, encode
from .text_edits import apply_fixes

ROUNDS = 20
"""Runs of the gates, at most: an edit may make a new finding, and edits that overlap wait for the next round."""


@dataclass(frozen=True, slots=True)
class FixRun:
    """What fixing comes to. `before` and `after` are the changed files' bytes by absolute path, `report` the findings
    afterwards, `count` the fixes that were made, `left` says why a file is left as it was, a sentence each."""

    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    report: Report
    count: int
    left: tuple[str, ...]

    @property
    def unsafe_left(self) -> int:
        """How many of the findings that are left have an unsafe fix."""
        return sum(finding.fix is not None and not finding.fix.is_safe for finding in self.report.findings)


def fix(
    request: Request,
    *,
    with_unsafe: bool,
    reported: Callable[[Report], Report] = lambda report: report,
    installed: InstalledRules | None = None,
) -> FixRun:
    """Fix what `reported` leaves of the findings. A file that could not be parsed afterwards, or whose fixes make the
    same findings again and again, is left as it was. If a rule crashed or is lost nothing is fixed, since what looks
    unused may not be. Raises `UsageError`."""
    installed = installed or load_rules()
    run = _Run(with_unsafe, installed.rules)
    for _ in range(ROUNDS):
        report = reported(lint(replace(request, overlay=run.after), installed))
        if report.failures:
            return FixRun({}, {}, report, 0, ("nothing is fixed, since a rule crashed or is lost",))
        if not run.change(report):
            return FixRun(run.before, run.after, report, sum(run.counts.values()), tuple(run.left.values()))
    for path in run.fixable(report):
        run.give_up(report.files[path], "its fixes come to no end")
    report = reported(lint(replace(request, overlay=run.after), installed))
    return FixRun(run.before, run.after, report, sum(run.counts.values()), tuple(run.left.values()))


class _Run:
    """What is changed so far, by absolute path, and the files that are left as they were."""

    def __init__(self, with_unsafe: bool, rules: Mapping[str, InstalledRule]) -> None:
        self.before: dict[str, bytes] = {}
        self.after: dict[str, bytes] = {}
        self.counts: dict[str, int] = {}
        self.left: dict[str, str] = {}
        self._with_unsafe = with_unsafe
        self._rules = rules

    def fixable(self, report: Report) -> dict[str, list[Fix]]:
        """Return the fixes to make, by relative path."""
        fixes: dict[str, list[Fix]] = {}
        unparsable = {finding.path for finding in report.findings if finding.rule == "PP900"}
        for finding in report.findings:
            path, fix = finding.path, self._fix_of(finding)
            if fix is None and self._with_unsafe:
                path, fix = self._fix_of_step(finding, report)
            is_left = path in report.files and str(report.files[path].path) in self.left
            if fix is not None and not is_left and path not in unparsable:
                fixes.setdefault(path, []).append(fix)
        return fixes

    def change(self, report: Report) -> bool:
        """Apply one round of fixes; False if there is none."""
        fixes = self.fixable(report)
        for path, file_fixes in fixes.items():
            self._change_file(report.files[path], file_fixes)
        return bool(fixes)

    def give_up(self, file: SourceFile, why: str) -> None:
        """Leave a file as it was."""
        key = str(file.path)
        self.left[key] = f"{file.relative} is left as it was: {why}"
        for known in (self.before, self.after, self.counts):
            known.pop(key, None)

    def _fix_of_step(self, finding: Finding, report: Report) -> tuple[str, Fix | None]:
        """Return the fix of the last step of a finding's trace that has one, with the step's file."""
        rule = self._rules.get(finding.rule)
        kind = rule.load()[0] if rule is not None and finding.trace else None
        if not isinstance(kind, type) or not issubclass(kind, LintRule):
            return finding.path, None
        for step in reversed(finding.trace):
            with contextlib.suppress(Unparsable):
                file = report.files.get(step.path)
                if file is not None and (fix := kind.fix_at(file, step.line)) is not None:
                    return step.path, fix
        return finding.path, None

    def _fix_of(self, finding: Finding) -> Fix | None:
        fix = finding.fix
        return fix if fix is not None and fix.edits and (fix.is_safe or self._with_unsafe) else None

    def _change_file(self, file: SourceFile, fixes: list[Fix]) -> None:
        key = str(file.path)
        try:
            if encode(file.text, file.data) != file.data:
                self.give_up(file, "its encoding does not keep every byte")
                return
            text, count = apply_fixes(file.text, fixes)
            data = encode(text, file.data)
            changed = SourceFile(file.path, file.relative, file.module, data)
            changed.tree()
        except Unparsable as error:
            self.give_up(file, f"with its fixes it cannot be read as Python ({error})")
            return
        if _compiles(file) and not _compiles(changed):
            self.give_up(file, "with its fixes it cannot be compiled")
            return
        self.before.setdefault(key, file.data)
        self.after[key] = data
        self.counts[key] = self.counts.get(key, 0) + count


def _compiles(file: SourceFile) -> bool:
    """Return whether this interpreter compiles the file: it finds more than a parser, as an `await` in a plain
    function, but does not know newer syntax."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(file.text, file.relative, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True
