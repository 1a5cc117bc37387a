"""`plugport lint`: from the arguments to the exit code."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .. import reporters
from ..engine.errors import UsageError
from ..engine.lint import Report, Request, lint
from ..reporters import statistics
from ..reporters.colours import Colours
from ..reporters.json import as_list, item
from ..reporters.paths import DisplayPaths
from . import baseline
from .options import Options, parse_options

CLEAN, FINDINGS, USAGE, CRASH = 0, 1, 2, 3


def main(arguments: Sequence[str], program: str = "plugport lint") -> int:
    """Lint, print, and return the exit code: 0 clean, 1 findings, 2 usage or configuration, 3 crash."""
    options = parse_options(arguments, program)
    try:
        if options.explain is not None:
            from .explain import explain

            _print(explain(options.explain).as_text())
            return CLEAN
        if options.show_config:
            from .show_config import show_config

            _print(show_config(_request(options)))
            return CLEAN
        if options.lsp:
            return _serve(options)
        return _prove(options) if options.prove else _lint(options)
    except UsageError as error:
        print(f"plugport lint: {error}", file=sys.stderr)
        if options.format == "json":
            _print(as_list([item("plugport", options.config or ".", str(error))]))
        return USAGE
    except Exception as error:  # noqa: BLE001 - the engine's edge: a failure must not look like a finding (exit 1)
        traceback.print_exc()
        if options.format == "json":
            _print(as_list([item("plugport", ".", f"{type(error).__name__}: {error}")]))
        return CRASH


def _lint(options: Options) -> int:
    request = _request(options)
    if options.write_baseline and options.baseline is None:
        raise UsageError("--write-baseline needs --baseline FILE: the file to write")
    if options.fix or options.diff or options.unsafe:
        return _fix(options, request)
    return _report(options, request, _without_baseline(lint(request), options, request))


def _serve(options: Options) -> int:
    try:
        from .language_server import make_server
    except ImportError as error:
        raise UsageError(f"--lsp needs pygls ({error}): pip install 'plugport[lsp]'") from error
    make_server(replace(_request(options), paths=(), checks_names=False)).start_io()
    return CLEAN


def _fix(options: Options, request: Request) -> int:
    from .fix import fixed, painted

    if not (options.fix or options.diff):
        raise UsageError("--unsafe says which fixes --fix writes or --diff prints: give one of them, too")
    if options.write_baseline:
        raise UsageError("--write-baseline accepts what --fix would change: do one after the other")
    if options.diff and options.format != "text":
        raise UsageError("--diff prints a diff and no findings: give no --format")
    if request.stdin is not None and not options.diff:
        raise UsageError("--fix writes files, but --stdin-filename gives a text: use --diff")

    def reported(report: Report) -> Report:
        return _without_baseline(report, options, request)

    result = fixed(request, with_unsafe=options.unsafe, writes=not options.diff, reported=reported)
    if not options.diff:
        return _report(options, request, result.report)
    if result.diff:
        _print(painted(result.diff.removesuffix("\n"), Colours.of(sys.stdout)))
    display = DisplayPaths(result.report.configuration.root, request.working_directory)
    return CRASH if _exit_code(result.report, display) == CRASH else FINDINGS if result.diff else CLEAN


def _without_baseline(report: Report, options: Options, request: Request) -> Report:
    if options.baseline is None:
        return report
    file = request.working_directory / options.baseline
    if options.write_baseline:
        baseline.write(file, report)
    new, known = baseline.split(file, report, DisplayPaths(report.configuration.root, request.working_directory))
    return replace(report, findings=tuple(new), baselined=known)


def _report(options: Options, request: Request, report: Report) -> int:
    display = DisplayPaths(report.configuration.root, request.working_directory)
    _print(reporters.render(options.format, report, display, Colours.of(sys.stdout)))
    if options.statistics:
        print(statistics.render(report), file=sys.stderr)
    return _exit_code(report, display)


def _request(options: Options) -> Request:
    working_directory = Path.cwd()
    stdin = None
    if options.stdin_filename is not None:
        if options.paths:
            raise UsageError("--stdin-filename names the one file that comes from standard input: give no PATH")
        stdin = (Path(options.stdin_filename), sys.stdin.buffer.read())
    select = None
    if options.select is not None:
        select = tuple(code.strip().upper() for code in options.select.split(",") if code.strip())
        if not select:
            raise UsageError("--select needs the codes of rules, as PP001,PP002")
    return Request(
        paths=tuple(Path(path) for path in options.paths),
        config=working_directory / options.config if options.config is not None else None,
        select=select,
        cache=options.cache,
        stdin=stdin,
        working_directory=working_directory,
        checks_names=True,
    )


def _exit_code(report: Report, display: DisplayPaths) -> int:
    for crash in report.crashes:
        where = f" on {display(crash.path)}" if crash.path else ""
        print(f"plugport lint: {crash.rule} crashed{where} in {crash.stage}: {crash.reason}", file=sys.stderr)
        print(crash.detail, file=sys.stderr, end="")
    for note in report.notes:
        print(f"plugport lint: {note}", file=sys.stderr)
    for problem in report.problems:
        print(f"plugport lint: {problem}", file=sys.stderr)
    if report.failures:
        return CRASH
    return FINDINGS if report.findings else CLEAN


def _prove(options: Options) -> int:
    from .prove import prove

    request = _request(options)
    proofs = prove(request)
    render = proofs.as_json if options.format == "json" else proofs.as_text
    _print(render(DisplayPaths(proofs.root, request.working_directory)))
    return FINDINGS if any(proof.survivors for proof in proofs.proofs) else CLEAN


def _print(text: str) -> None:
    """Write UTF-8, whatever encoding the terminal has, because paths and code may hold any character."""
    data = (text + "\n").encode("utf-8", "backslashreplace")
    if hasattr(sys.stdout, "buffer"):
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        sys.stdout.write(data.decode())
