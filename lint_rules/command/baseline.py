"""The baseline: findings that a team has accepted for now, so that only new ones fail.

`--write-baseline` writes it. A list that `--format json` printed is a baseline as well; its items have no
fingerprint, so they are compared by rule, path and message, and each accepts one finding.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..engine.contract import Finding
from ..engine.errors import UsageError
from ..engine.fingerprints import fingerprints
from ..engine.lint import Report
from ..reporters.paths import DisplayPaths

VERSION = 1


def write(file: Path, report: Report) -> None:
    """Accept all findings of the report. Raises `UsageError` if the file cannot be written."""
    accepted = [
        {"fingerprint": name, "rule": finding.rule, "path": finding.path, "message": finding.message}
        for name, finding in zip(fingerprints(report.findings, report.files), report.findings, strict=True)
    ]
    text = json.dumps({"version": VERSION, "findings": accepted}, indent=1, ensure_ascii=False) + "\n"
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--baseline {file}: it cannot be written ({error.strerror})") from error


def split(file: Path, report: Report, display: DisplayPaths) -> tuple[list[Finding], int]:
    """Return the findings that are not in the baseline, and how many are. Raises `UsageError` for a file that is no
    baseline, so that a misspelt name does not count as an empty one."""
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(f"--baseline {file}: there is no such file; make it with --write-baseline") from error
    except OSError as error:
        raise UsageError(f"--baseline {file}: it cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise UsageError(f"--baseline {file}: it is not JSON ({error}); make it with --write-baseline") from error
    names = fingerprints(report.findings, report.files)
    try:
        if isinstance(content, list):
            accepted = Counter("\0".join((item["rule"], item["path"], item["message"])) for item in content)
            names = ["\0".join((f.rule, display(f.path), f.message)) for f in report.findings]
        elif content["version"] == VERSION:
            accepted = Counter(item["fingerprint"] for item in content["findings"])
        else:
            raise UsageError(f"--baseline {file}: version {content['version']!r} is not known; write it again")
    except (KeyError, TypeError) as error:
        raise UsageError(f"--baseline {file}: this is no baseline; make it with --write-baseline") from error
    return _new(report.findings, names, accepted)


def _new(findings: Sequence[Finding], names: Sequence[str], accepted: Counter[str]) -> tuple[list[Finding], int]:
    new: list[Finding] = []
    for finding, name in zip(findings, names, strict=True):
        if accepted[name] > 0:
            accepted[name] -= 1
        else:
            new.append(finding)
    return new, len(findings) - len(new)
