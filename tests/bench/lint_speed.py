"""Measures the gates: `python tests/bench/lint_speed.py [--rounds N] [--others]`. Prints a table of this one run.

Brings Django's source distribution (2,818 files) and litellm's wheel (an application dense with handlers) from the
package index, and ruff, with `--others` also semgrep, fixit and bandit, into an environment of its own. Rounds
alternate and medians are compared, since machines are noisy. Nothing here is asserted.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

DJANGO, DENSE = "django==5.2", "litellm==1.110.2"
LONGEST = 180
"""Seconds after which a run is ended."""
CONFIG = """\
[[tool.plugport.lint.only-caller]]
preset = "docker-inspect"
allow = []
"""
SEMGREP = """\
rules:
  - id: raw-error-in-response
    languages: [python]
    severity: ERROR
    message: the text of an error reaches a client
    mode: taint
    pattern-sources: [{patterns: [{pattern: $E}, {pattern-inside: "try: ...\\nexcept $X as $E: ..."}]}]
    pattern-sinks: [{pattern: JsonResponse(...)}, {pattern: HttpResponse(...)}, {pattern: JSONResponse(...)}]
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds by the clock, seconds of CPU of all processes, and the exit code."""

    wall: float
    cpu: float
    exit: int


def run(command: list[str], folder: Path) -> Cost:
    """One run of a command, ended after a while; its exit code is then that of the signal."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=quiet, start_new_session=True) as process:
        try:
            process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, process.returncode)


def median(costs: list[Cost]) -> Cost:
    """Of each figure."""
    return Cost(
        statistics.median(cost.wall for cost in costs), statistics.median(cost.cpu for cost in costs), costs[0].exit
    )


def fetch(work: Path, requirement: str, *options: str) -> Path:
    """The unpacked distribution, with a configuration of the gates."""
    place = work / requirement.partition("=")[0]
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(place), *options, requirement]
    subprocess.run(pip, check=True)
    (archive,) = place.iterdir()
    if archive.suffix == ".whl":
        zipfile.ZipFile(archive).extractall(place)
    else:
        with tarfile.open(archive) as opened:
            opened.extractall(place, filter="data")
        (place,) = (path for path in place.iterdir() if path.is_dir())
    (place / "lint.toml").write_text(CONFIG)
    return place


def tools(work: Path, *names: str) -> Path:
    """The `bin` of a fresh environment with these packages."""
    venv.create(work / "venv", with_pip=True)
    folder = work / "venv/bin"
    subprocess.run([folder / "pip", "install", "-q", "--upgrade", "pip", *names], check=True)
    return folder


def size(tree: Path) -> str:
    """How much Python there is."""
    files = list(tree.rglob("*.py"))
    return f"{len(files):,} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB"


def main() -> None:
    """All measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--others", action="store_true", help="semgrep, fixit and bandit as well, one run each")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        bin_ = tools(work, "ruff", *(("semgrep", "fixit", "bandit", "setuptools<81") if args.others else ()))
        django = fetch(work, DJANGO, "--no-binary", ":all:")
        ours = [str(Path(sys.executable).with_name("plugport")), "lint", "--config", "lint.toml", "."]
        theirs = [str(bin_ / "ruff"), "check", "--no-cache", "--select", "E9,F", "-q", "."]
        print(f"{DJANGO}: {size(django)}; seconds by the clock, of CPU, exit code")
        costs: dict[str, list[Cost]] = {"ruff": [], "cold": [], "warm": []}
        run(theirs, django)
        for _ in range(args.rounds):
            costs["ruff"].append(run(theirs, django))
            costs["cold"].append(run([*ours, "--no-cache"], django))
            run(ours, django)
            costs["warm"].append(run(ours, django))
        base = median(costs["ruff"])
        for name, each in costs.items():
            row(name, median(each), base)
        if args.others:
            (work / "rule.yaml").write_text(SEMGREP)
            semgrep = [str(bin_ / "semgrep"), "scan", "--metrics=off", "--disable-version-check", "-q"]
            for name, command in {
                "bandit": [str(bin_ / "bandit"), "-q", "-r", "."],
                "semgrep": [*semgrep, "--config", str(work / "rule.yaml"), "."],
                "fixit": [str(bin_ / "fixit"), "--quiet", "lint", "."],
            }.items():
                row(name, run(command, django), base)
        shutil.rmtree(django)
        dense = fetch(work, DENSE)
        print(f"{DENSE}: {size(dense)}")
        row("cold", median([run([*ours, "--no-cache"], dense) for _ in range(min(args.rounds, 3))]), None)
        run(ours, dense)
        row("warm", run(ours, dense), None)


def row(name: str, cost: Cost, base: Cost | None) -> None:
    """One line."""
    ratio = f"{cost.wall / base.wall:8.1f} x ruff" if base else ""
    print(f"  {name:8} {cost.wall:8.2f} s {cost.cpu:8.2f} s CPU  exit {cost.exit}{ratio}", flush=True)


if __name__ == "__main__":
    main()
