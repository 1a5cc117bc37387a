"""The targets on which `plugport conform` tries the built-in providers."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ..hookspecs import ServiceSettings, Source, Workspace
from ..hookspecs.conformance import (
    WORKSPACE_VANISHES,
    BackendUnderTest,
    DirectoryFilesystem,
    ShellFilesystem,
    SourceUnderTest,
)
from . import external as external_backend
from . import host as host_backend
from .sources import local as local_source

_CONFIG_DIR: Final = "/configs"
_FILES: Final = {"plugin.yaml": b"name: greeter\n", "run.sh": b"#!/bin/sh\n", "a b/c.md": b"x\r\n", "empty": b""}


@contextlib.contextmanager
def host() -> Iterator[BackendUnderTest]:
    """Describe `host` with a directory of its own."""
    with TemporaryDirectory(prefix="plugport-conform-") as folder:
        yield BackendUnderTest(
            host_backend.provider,
            Workspace("w", backend="host", options={"path": folder}),
            DirectoryFilesystem(Path(folder), owned=os.geteuid() == 0),
            stopped=Workspace("s", backend="host", options={"path": f"{folder}/absent"}),
        )


@contextlib.contextmanager
def docker() -> Iterator[BackendUnderTest]:
    """Describe `docker` with containers of the image `PLUGPORT_CONFORM_IMAGE` (default `busybox`).

    The containers are the same for all tests of a process, and are removed when it ends; each test finds the config
    dir empty.
    """
    from . import docker as docker_backend

    containers = _conform_containers(os.environ.get("PLUGPORT_CONFORM_IMAGE", "busybox"))

    @contextlib.contextmanager
    def killed() -> Iterator[None]:
        containers.api.kill(containers.name)
        try:
            yield
        finally:
            containers.api.start(containers.name)

    containers.run(f"cd {_CONFIG_DIR} && rm -rf ./* ./.[!.]* ./..?* || true")
    yield BackendUnderTest(
        docker_backend.provider,
        Workspace("w", backend="docker", container=containers.name),
        ShellFilesystem(containers.run, _CONFIG_DIR),
        stopped=Workspace("s", backend="docker", container=containers.stopped),
        troubles={WORKSPACE_VANISHES: killed},
    )


class _Containers:
    """A container that runs, and one that never did."""

    def __init__(self, image: str) -> None:
        import docker as sdk

        client = sdk.from_env(version="auto")
        self.api = client.api
        self.name = f"plugport-conform-{secrets.token_hex(4)}"
        self.stopped = f"{self.name}-stopped"
        command = ["sh", "-c", "while :; do sleep 1; done"]
        atexit.register(self._remove)
        client.containers.run(image, command, name=self.name, detach=True, user="0", stop_signal="SIGKILL")
        client.containers.create(image, command, name=self.stopped)

    def run(self, line: str, stdin: bytes = b"") -> bytes:
        """Run a line of shell in the running one, as root, and return its output."""
        if not stdin:
            execution = self.api.exec_create(self.name, ["sh", "-c", line], user="0", stderr=False)["Id"]
            output: bytes = self.api.exec_start(execution)
            code = self.api.exec_inspect(execution)["ExitCode"]
            if code != 0:
                raise subprocess.CalledProcessError(code, line, output)
            return output
        done = subprocess.run(  # noqa: S603 - docker-py cannot end the input of a command
            ["docker", "exec", "-i", "-u", "0", self.name, "sh", "-c", line],  # noqa: S607
            input=stdin,
            capture_output=True,
            check=True,
        )
        return done.stdout

    def _remove(self) -> None:
        for name in (self.name, self.stopped):
            with contextlib.suppress(Exception):  # the process ends: what is gone already is no failure
                self.api.remove_container(name, force=True)
        self.api.close()


_conform_containers = functools.cache(_Containers)


@contextlib.contextmanager
def external() -> Iterator[BackendUnderTest]:
    """Describe `external`, which has nothing to push to."""
    with TemporaryDirectory(prefix="plugport-conform-") as folder:
        workspace = Workspace("w", runtime="external", backend="external")
        yield BackendUnderTest(external_backend.provider, workspace, DirectoryFilesystem(Path(folder)))


@contextlib.contextmanager
def local() -> Iterator[SourceUnderTest]:
    """Describe `local` with a catalog of one plugin."""
    with TemporaryDirectory(prefix="plugport-conform-") as folder:
        greeter = Path(folder, "greeter")
        for path, content in _FILES.items():
            (greeter / path).parent.mkdir(parents=True, exist_ok=True)
            (greeter / path).write_bytes(content)
        (greeter / "run.sh").chmod(0o755)
        yield SourceUnderTest(
            local_source.provider,
            Source("local", "greeter"),
            _FILES,
            frozenset({"run.sh"}),
            name="greeter",
            service=ServiceSettings(plugins_dir=folder),
            absent=Source("local", "nobody"),
            malformed=("../greeter", "/etc", "a/b", ".hidden", ""),
            change=lambda: (greeter / "empty").write_bytes(b"full"),
        )
