"""Carries out `plugport lint`: from the options as they were given to the exit code."""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass, replace
from pathlib import Path

from .. import reporters
from ..engine.errors import UsageError
from ..engine.lint import Report, Request, lint
from ..reporters import statistics
from ..reporters.paths import Shown
from . import baseline

CLEAN, FINDINGS, USAGE, CRASH = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, as core's parser hands it over."""

    paths: tuple[str, ...] = ()
    format: str = "text"
    config: str | None = None
    select: str | None = None
    baseline: str | None = None
    write_baseline: bool = False
    cache: bool = True
    prove: bool = False
    explain: str | None = None
    statistics: bool = False
    stdin_filename: str | None = None


def run(options: Options) -> int:
    """Lint, print, and give the exit code: 0 clean, 1 findings, 2 usage or configuration, 3 crash."""
    try:
        if options.explain is not None:
            return _explain(options.explain)
        if options.prove:
            return _prove(options)
        return _lint(options)
    except UsageError as error:
        print(f"plugport lint: {error}", file=sys.stderr)
        if options.format == "json":
            _print(reporters.json.as_list([reporters.json.failure("plugport", options.config or ".", str(error))]))
        return USAGE
    except Exception as error:  # noqa: BLE001 - the engine's edge: a failure must not look like a finding (exit 1)
        traceback.print_exc()
        if options.format == "json":
            _print(
                reporters.json.as_list([reporters.json.failure("plugport", ".", f"{type(error).__name__}: {error}")])
            )
        return CRASH


def _lint(options: Options) -> int:
    request = _request(options)
    report = lint(request)
    shown = Shown(report.configuration.root, request.working_directory)
    if options.baseline is not None:
        file = request.working_directory / options.baseline
        if options.write_baseline:
            baseline.write(file, report)
        left, known = baseline.split(file, report, shown)
        report = replace(report, findings=tuple(left), baselined=known)
    elif options.write_baseline:
        raise UsageError("--write-baseline needs --baseline FILE: the file to write")
    _print(reporters.render(options.format, report, shown))
    if options.statistics:
        print(statistics.render(report), file=sys.stderr)
    return _exit_code(report, shown)


def _request(options: Options) -> Request:
    working_directory = Path.cwd()
    stdin = None
    if options.stdin_filename is not None:
        if options.paths:
            raise UsageError(
                "--stdin-filename stands for the one file that is read from standard input: give no PATH"
            )
        stdin = (Path(options.stdin_filename), sys.stdin.buffer.read())
    select = None
    if options.select is not None:
        select = tuple(code.strip() for code in options.select.split(",") if code.strip())
        if not select:
            raise UsageError("--select needs the codes of rules, as PP001,PP002")
    return Request(
        paths=tuple(Path(path) for path in options.paths),
        config=working_directory / options.config if options.config is not None else None,
        select=select,
        cache=options.cache,
        stdin=stdin,
        working_directory=working_directory,
    )


def _exit_code(report: Report, shown: Shown) -> int:
    for crash in report.crashes:
        where = f" on {shown(crash.path)}" if crash.path else ""
        print(f"plugport lint: {crash.rule} crashed{where} in {crash.stage}: {crash.reason}", file=sys.stderr)
        print(crash.detail, file=sys.stderr, end="")
    for problem in report.problems:
        print(f"plugport lint: {problem}", file=sys.stderr)
    if report.failed:
        return CRASH
    return FINDINGS if report.findings else CLEAN


def _explain(code: str) -> int:
    from .explain import explain

    _print(explain(code))
    return CLEAN


def _prove(options: Options) -> int:
    from .prove import prove

    return prove(_request(options), options.format, _print)


def _print(text: str) -> None:
    """Write UTF-8, whatever the terminal's own encoding is: paths and code may hold any character."""
    data = (text + "\n").encode("utf-8", "backslashreplace")
    if hasattr(sys.stdout, "buffer"):
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        sys.stdout.write(data.decode())
