"""A real `plugport serve` in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

TOKEN = "the-admin-token-of-this-test"


class Service:
    """A running `plugport serve` and a way to call the command line against it."""

    def __init__(self, folder: Path, wrap: Sequence[str] = (), **environment: str) -> None:
        self.folder = folder
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("PLUGPORT_")} | {
            "PLUGPORT_DATA_DIR": str(folder / "data"),
            "PLUGPORT_PLUGINS_DIR": str(folder / "plugins"),
            "PLUGPORT_ADMIN_TOKEN": TOKEN,
            "PLUGPORT_PORT": "0",
            "PLUGPORT_RATE_LIMIT": "1000000",
        }
        self.environment |= environment
        self.process = subprocess.Popen(
            [*wrap, sys.executable, "-P", "-m", "plugport.core", "serve"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=(folder / "log").open("ab"),
            text=True,
        )
        line = self.process.stdout.readline()
        if "serving on" not in line:
            self.process.kill()
            raise AssertionError((folder / "log").read_text())
        self.url = self.environment["PLUGPORT_URL"] = line.split()[-1]
        self.client = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", "plugport.core", *arguments]
        return subprocess.run(
            command, env=self.environment | environment, capture_output=True, text=True, timeout=60, check=False
        )

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def stop(self) -> int:
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.client.close()
