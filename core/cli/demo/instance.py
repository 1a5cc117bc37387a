"""Starts a simulated EC2 instance for the demo. The entry-point group `plugport.simulators` names the simulator."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from . import DemoFailed

_GROUP = "plugport.simulators"
_INSTALL = "pip install 'plugport[simulator]'"
_STOP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Instance:
    """A simulated instance: its id, the environment of a service that reaches it, and its folder of plugins."""

    id: str
    environment: Mapping[str, str]
    plugins: Path


@contextmanager
def simulated_instance() -> Iterator[Instance]:
    """Run an instance until the block ends. Raises `DemoFailed` that says what is missing.

    The simulator is a module that `python -m` can run. It prints a line of JSON when it is ready, and runs until its
    standard input ends.
    """
    module = next((entry_point.module for entry_point in entry_points(group=_GROUP, name="ec2")), None)
    if module is None:
        raise DemoFailed(f"no simulator of EC2 is installed: {_INSTALL}")
    command = [sys.executable, "-P", "-m", module]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            process.wait(_STOP_SECONDS)
            errors.seek(0)
            reason = errors.read().strip().rpartition("\n")[2]
            hint = f": {_INSTALL}" if reason.startswith("ModuleNotFoundError") else ""
            raise DemoFailed(f"{reason}{hint}")
        ready = json.loads(line)
        plugins = Path(ready["root"]) / ready["config_dir"].lstrip("/") / "plugins"
        try:
            yield Instance(ready["instance"], ready["environment"], plugins)
        finally:
            process.communicate("", timeout=_STOP_SECONDS)
