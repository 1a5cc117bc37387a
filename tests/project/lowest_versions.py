"""Installs the lowest version of each dependency that pyproject.toml admits.

A program: `python tests/project/lowest_versions.py`. It changes the environment of the Python that runs it, and
`tox -e lowest` then runs the unit tests there. The tools of the tests keep their versions.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_BOUND = re.compile(r"(?P<name>[\w.-]+)(?P<extras>\[[\w,-]+\])?>=(?P<version>[\w.]+)")
_OWN = re.compile(r"plugport\[(?P<extras>[\w,-]+)\]")


def lowest(project: dict[str, object], extra: str = "all") -> Iterator[str]:
    """Yield `name==version` for each dependency of the project and of an extra. Raises ValueError without a bound."""
    dependencies, optional = project["dependencies"], project["optional-dependencies"]
    assert isinstance(dependencies, list)
    assert isinstance(optional, dict)
    waiting = [*dependencies, *optional[extra]]
    while waiting:
        requirement = waiting.pop(0)
        if own := _OWN.fullmatch(requirement):
            waiting += [each for name in own["extras"].split(",") for each in optional[name]]
        elif bound := _BOUND.match(requirement):
            yield f"{bound['name']}{bound['extras'] or ''}=={bound['version']}"
        else:
            raise ValueError(f"{requirement} has no lower bound")


def main() -> None:
    """Install them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pins = sorted(set(lowest(project)))
    print(*pins, sep="\n", flush=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *pins], check=True)


if __name__ == "__main__":
    main()
