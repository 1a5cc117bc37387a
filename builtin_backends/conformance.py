"""The targets on which `plugport conform` tries the built-in providers."""

from __future__ import annotations

import contextlib
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
    """Describe `docker` with containers of the image `PLUGPORT_CONFORM_IMAGE` (default `busybox`)."""
    import docker as sdk

    from . import docker as docker_backend

    client = sdk.from_env(version="auto")
    image = os.environ.get("PLUGPORT_CONFORM_IMAGE", "busybox")
    name, command = f"plugport-conform-{secrets.token_hex(4)}", ["sh", "-c", "while :; do sleep 1; done"]

    def shell(line: str, stdin: bytes) -> bytes:
        done = subprocess.run(  # noqa: S603 - docker-py cannot end the input of a command
            ["docker", "exec", "-i", "-u", "0", name, "sh", "-c", line],  # noqa: S607
            input=stdin,
            capture_output=True,
            check=True,
        )
        return done.stdout

    @contextlib.contextmanager
    def killed() -> Iterator[None]:
        client.api.kill(name)
        try:
            yield
        finally:
            client.api.start(name)

    try:
        client.containers.run(image, command, name=name, detach=True, user="0", stop_signal="SIGKILL")
        client.containers.create(image, command, name=f"{name}-stopped")
        yield BackendUnderTest(
            docker_backend.provider,
            Workspace("w", backend="docker", container=name),
            ShellFilesystem(shell, "/configs"),
            stopped=Workspace("s", backend="docker", container=f"{name}-stopped"),
            troubles={WORKSPACE_VANISHES: killed},
        )
    finally:
        for container in (name, f"{name}-stopped"):
            with contextlib.suppress(sdk.errors.NotFound):
                client.api.remove_container(container, force=True)
        client.close()


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
