"""Measures the gates: `python tests/bench/lint_speed.py [--rounds N] [--others]`. Prints a table of this one run.

Brings Django's source distribution (2,818 files) and litellm's wheel (an application dense with handlers) from the
package index, and ruff, with `--others` also semgrep, fixit and bandit, into an environment of its own. Rounds
alternate and medians are compared, since machines are noisy. Nothing here is asserted.

The floor is what LibCST alone takes for the files that the rules have to read: parsing, and its PositionProvider.
"""

from __future__ import annotations

import argparse
import os
import re
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
LONGEST = 400
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


RECORDER = """\
import os, sys
from plugport.lint_rules.command.main import main
from plugport.lint_rules.engine import source_file
parse, log = source_file.parse_cst, os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def parse_and_note(text, tree):
    os.write(log, b"%d\\n" % len(text.encode()))
    return parse(text, tree)
source_file.parse_cst = parse_and_note
main(sys.argv[2:])
"""
FLOOR = """\
import gc, sys, time
from pathlib import Path
import libcst
from libcst.metadata import MetadataWrapper, PositionProvider
gc.disable()
budget, done, spent = int(sys.argv[1]), 0, 0.0
for path in sorted(Path(sys.argv[2]).rglob("*.py")):
    text = path.read_text(errors="replace")
    if done >= budget or not text.strip():
        continue
    started = time.process_time()
    try:
        MetadataWrapper(libcst.parse_module(text), unsafe_skip_copy=True).resolve(PositionProvider)
    except libcst.ParserSyntaxError:
        continue
    spent += time.process_time() - started
    done += len(text.encode())
print(spent / done if done else 0)
"""
SAMPLE = 2_000_000
"""Bytes of the tree on which LibCST's speed is measured."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds by the clock, seconds of CPU of all processes, the exit code, and the most memory (MiB) of all
    processes together, each page counted once."""

    wall: float
    cpu: float
    exit: int
    memory: float = 0


def run(command: list[str], folder: Path) -> Cost:
    """One run of a command, ended after a while; its exit code is then that of the signal."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    quiet, most = subprocess.DEVNULL, 0.0
    with subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=quiet, start_new_session=True) as process:
        while process.poll() is None:
            most = max(most, memory_of(process.pid))
            if time.perf_counter() - started > LONGEST:
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.1)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, process.returncode, most)


def memory_of(session: int) -> float:
    """The MiB that the processes of a session use: pages that they share are divided among them."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(process.name)) == session:
                rollup = (process / "smaps_rollup").read_text()
                total += int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1])
        except (OSError, StopIteration):
            continue
    return total / 1024


def median(costs: list[Cost]) -> Cost:
    """Of each figure."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        costs[0].exit,
        max(cost.memory for cost in costs),
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
        lonely = nobody_imports(dense)
        with lonely.open("a") as file:
            file.write("\n\nasync def added_by_the_benchmark(request):\n    return None\n")
        row("changed", run(ours, dense), None)
        print(f"  changed: one file that no other imports, {lonely.relative_to(dense)}")
        floor(dense)


def nobody_imports(tree: Path) -> Path:
    """The largest module with a coroutine whose name no other file of the tree has in it."""
    texts = {path: path.read_text(errors="replace") for path in sorted(tree.rglob("*.py"))}
    candidates = [path for path in texts if path.stem != "__init__" and "async def" in texts[path]]
    for path in sorted(candidates, key=lambda path: -len(texts[path])):
        name = re.compile(rf"\b{re.escape(path.stem)}\b")
        if not any(name.search(text) for other, text in texts.items() if other != path):
            return path
    raise LookupError("every module is imported")


def floor(tree: Path) -> None:
    """Print what LibCST alone takes for the files that the rules read in a cold run."""
    log = tree / "parsed.log"
    arguments = ["--config", "lint.toml", "--no-cache", "."]
    run([sys.executable, "-c", RECORDER, str(log), *arguments], tree)
    sizes = [int(line) for line in log.read_text().splitlines()]
    measured = subprocess.run(
        [sys.executable, "-c", FLOOR, str(SAMPLE), str(tree)], capture_output=True, text=True, check=True
    )
    seconds = float(measured.stdout) * sum(sizes)
    print(
        f"  floor: LibCST parses {len(sizes):,} files, {sum(sizes) / 1e6:.1f} MB; with positions {seconds:.1f} s CPU"
    )


def row(name: str, cost: Cost, base: Cost | None) -> None:
    """One line."""
    ratio = f"{cost.wall / base.wall:8.1f} x ruff" if base else ""
    print(
        f"  {name:8} {cost.wall:8.2f} s {cost.cpu:8.2f} s CPU {cost.memory:6.0f} MiB  exit {cost.exit}{ratio}",
        flush=True,
    )


if __name__ == "__main__":
    main()
