"""An EC2 instance for the demo, without AWS: the stand-ins that the tests use, started beside the service."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ... import __path__ as core_path

_SCRIPT = Path("tests", "support", "pretend_ec2.py")


class NoInstance(Exception):
    """Raised when none can be pretended here; its text says what is missing."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A pretended instance: its id, what a service needs in its environment, and its plugins as seen from here."""

    id: str
    environment: Mapping[str, str]
    plugins: Path


@contextmanager
def instance() -> Iterator[Instance]:
    """An instance that runs as long as the block. Raises `NoInstance`."""
    script = next((one for one in _places() if one.is_file()), None)
    if script is None:
        raise NoInstance(
            f"{_SCRIPT} is not here: run the demo in a checkout of plugport, with its test extras installed"
        )
    command = [sys.executable, str(script)]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            words = process.stderr.read() if process.stderr else ""
            raise NoInstance(words.strip().rpartition("\n")[2])
        told = json.loads(line)
        place = Path(told["root"]) / told["config_dir"].lstrip("/") / "plugins"
        yield Instance(told["instance"], told["environment"], place)
        process.communicate("", timeout=60)


def _places() -> Iterator[Path]:
    yield Path.cwd() / _SCRIPT
    yield from (Path(one).resolve().parent / _SCRIPT for one in core_path)
