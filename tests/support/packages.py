"""Builds packages as wheels and installs them into a folder, once per session, also for several xdist workers."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def installed_packages(
    tmp_path_factory: pytest.TempPathFactory, name: str, write_sources: Callable[[Path], list[str]]
) -> Path:
    """Return the session's folder `name`, with the packages' sources and with `site`, where they are installed.

    `write_sources` writes the sources into the folder and returns the names of the packages' folders. It is called
    once per session. The wheels are built with this environment's setuptools: no network, no environment per package.
    """
    session = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        session = session.parent
    folder, done = session / name, session / f"{name}.done"
    with (session / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir()
            _install(folder, write_sources(folder))
            done.touch()
    return folder


def _install(folder: Path, packages: list[str]) -> None:
    pip = [sys.executable, "-m", "pip", "-q"]
    sources = [f"./{package}" for package in packages]
    build = [*pip, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", "wheels", *sources]
    subprocess.run(build, cwd=folder, check=True)
    wheels = sorted(map(str, (folder / "wheels").glob("*.whl")))
    assert len(wheels) == len(packages)
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "-t", str(folder / "site"), *wheels], check=True)
