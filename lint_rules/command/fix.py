"""`--fix` writes the fixes, `--diff` prints them."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..engine.allow_order import sort_allow
from ..engine.errors import Unparsable, UsageError
from ..engine.fix_run import FixRun, fix
from ..engine.lint import Report, Request
from ..engine.source_file import decode
from ..reporters.colours import Colours
from ..reporters.paths import DisplayPaths


@dataclass(frozen=True, slots=True)
class Fixed:
    """The findings after the fixes, and the unified diff of the changed files."""

    report: Report
    diff: str


def fixed(request: Request, *, with_unsafe: bool, writes: bool, reported: Callable[[Report], Report]) -> Fixed:
    """Fix in memory, and write the files unless only the diff is asked for. Says on standard error how many fixes
    there are, and what is left as it was. Raises `UsageError`, also for a file that cannot be written."""
    run = _with_configuration(fix(request, with_unsafe=with_unsafe, reported=reported), request)
    display = DisplayPaths(run.report.configuration.root, request.working_directory)
    written = [path for path, data in run.after.items() if not writes or _write(Path(path), run.before[path], data)]
    verb = "made" if writes else "would make"
    if run.count:
        fixes = "1 fix" if run.count == 1 else f"{run.count} fixes"
        files = "1 file" if len(written) == 1 else f"{len(written)} files"
        _say(f"{verb} {fixes} in {files}")
    for sentence in run.left:
        _say(sentence)
    if run.unsafe_left and not with_unsafe:
        _say(f"{run.unsafe_left} more can be fixed with --unsafe: read what it changes")
    diffs = [_diff(display.absolute(path), run.before[path], data) for path, data in sorted(run.after.items())]
    return Fixed(run.report, "".join(diffs))


def painted(diff: str, colours: Colours) -> str:
    """Return the diff in colours, for a terminal."""
    styles = {"+": "green", "-": "red", "@": "cyan"}
    lines = diff.split("\n")
    return "\n".join(colours(styles[line[0]], line) if line[:1] in styles else line for line in lines)


def _with_configuration(run: FixRun, request: Request) -> FixRun:
    """Sort `allow`, if the whole project is linted."""
    file = run.report.configuration.file
    if file is None or request.paths or request.stdin is not None or run.report.failures:
        return run
    data = file.read_bytes()
    text = data.decode()
    new = sort_allow(text)
    if new == text:
        return run
    key = str(file)
    return replace(run, before={**run.before, key: data}, after={**run.after, key: new.encode()}, count=run.count + 1)


def _write(path: Path, before: bytes, after: bytes) -> bool:
    """Write the file in its place, so that its mode and its links stay, unless somebody else changed it since."""
    try:
        current = path.read_bytes()
        if current == before:
            path.write_bytes(after)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}): its fixes are not made") from error
    if current not in {before, after}:
        _say(f"{path} has changed since it was read: run again to fix it")
    return current in {before, after}


def _diff(name: str, before: bytes, after: bytes) -> str:
    lines = difflib.unified_diff(_lines(before), _lines(after), name, name)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(data: bytes) -> list[str]:
    """Split at line feeds alone, as `patch` does."""
    try:
        text = decode(data)
    except Unparsable:
        text = data.decode("utf-8", "replace")
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _say(sentence: str) -> None:
    print(f"plugport lint: {sentence}", file=sys.stderr)
