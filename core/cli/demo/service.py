"""Starts the demo's own service on a free port."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from ..client import Client
from . import DemoFailed

_START_SECONDS, _STOP_SECONDS = 60, 15


@contextmanager
def demo_service(folder: Path, extra_environment: Mapping[str, str]) -> Iterator[Client]:
    """Run a service that offers the sample plugins until the block ends, and yield a client with the admin's token.

    Its data, its plugins and its log are in `folder`. Raises `DemoFailed` with the end of
    the log if it does not start.
    """
    token, log = secrets.token_urlsafe(24), folder / "service.log"
    with as_file(files("plugport.core").joinpath("data/samples")) as samples:
        shutil.copytree(samples, folder / "plugins")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PLUGPORT_")} | {
        "PLUGPORT_PORT": "0",
        "PLUGPORT_DATA_DIR": str(folder / "data"),
        "PLUGPORT_PLUGINS_DIR": str(folder / "plugins"),
        "PLUGPORT_ADMIN_TOKEN": token,
        **extra_environment,
    }
    command = [sys.executable, "-P", "-m", "plugport.core", "serve"]
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True) as process,  # noqa: S603 - our own command
    ):
        try:
            line = _first_line(process)
            if "serving on" not in line:
                raise DemoFailed(f"the service did not start: {log.read_text('utf-8', 'replace')[-2000:]}")
            client = Client(line.rpartition(" ")[2].strip(), token)
            yield client
            client.http.close()
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _first_line(process: subprocess.Popen[str]) -> str:
    """Read the first line. A process that prints none in time is killed, which ends the wait."""
    timer = threading.Timer(_START_SECONDS, process.kill)
    timer.start()
    try:
        return process.stdout.readline() if process.stdout else ""
    finally:
        timer.cancel()
