"""`--statistics`: counts findings by rule, on standard error, so that it goes with every `--format`."""

from __future__ import annotations

from collections import Counter

from ..engine.lint import Report


def render(report: Report) -> str:
    """Return one line for each rule, the most frequent first, and lines about the run."""
    counts = Counter(dict.fromkeys((rule.code for rule in report.rules), 0))
    counts.update(finding.rule for finding in report.findings)
    lines = [f"{count:>6}  {code}" for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    lines.append(f"{report.checked:>6}  files, {report.read_anew} of them read anew")
    lines.append(f"{report.suppressed:>6}  suppressed, {report.baselined} in the baseline")
    return "\n".join(lines)
