"""Starts a container for the demo, if there is a Docker engine and an image for it."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_COMMAND = ["sh", "-c", "mkdir -p /configs && while :; do sleep 1; done"]
_IMAGE = "plugport-demo"


@contextmanager
def demo_container() -> Iterator[str | None]:
    """Run a container without a network until the block ends, and yield its name.

    Yields None if that is impossible: no engine or no docker-py, or neither an image with a shell nor a static
    busybox to make an image from.
    """
    client = _connect()
    if client is None:
        yield None
        return
    name = f"plugport-demo-{secrets.token_hex(4)}"
    try:
        yield name if _start(client, name) else None
    finally:
        with contextlib.suppress(Exception):
            client.api.remove_container(name, force=True)
        with contextlib.suppress(Exception):
            client.images.remove(f"{_IMAGE}:latest")
        client.close()


def _connect() -> Any:
    try:
        import docker
    except ModuleNotFoundError:
        return None
    try:
        client = docker.from_env(version="auto", timeout=20)
        client.ping()
    except Exception:  # noqa: BLE001 - for any reason, there is no engine for the demo
        return None
    return client


def _start(client: Any, name: str) -> bool:
    """Start a container from the first image that works, and return whether one did."""
    for image in _images(client):
        try:
            client.containers.run(
                image,
                _COMMAND,
                name=name,
                detach=True,
                network_mode="none",
                entrypoint="",
                user="0",
                stop_signal="SIGKILL",
            )
            return True
        except Exception:  # noqa: BLE001 - an image without a shell, for example: try the next one
            with contextlib.suppress(Exception):
                client.api.remove_container(name, force=True)
    return False


def _images(client: Any) -> Iterator[str]:
    """Yield an image made of busybox if it is installed here, then the first images of the engine."""
    busybox = shutil.which("busybox")
    if busybox is not None:
        with contextlib.suppress(Exception):
            client.api.import_image_from_data(
                _root_filesystem(os.path.realpath(busybox)), repository=_IMAGE, tag="latest"
            )
            yield f"{_IMAGE}:latest"
    yield from [tag for image in client.images.list()[:5] for tag in image.tags[:1] if not tag.startswith(_IMAGE)]


def _root_filesystem(busybox: str) -> bytes:
    """Return a tar archive with busybox and a link for each of its programs."""
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.add(busybox, "bin/busybox")
        for program in listed.stdout.split():
            if program != "busybox":
                link = tarfile.TarInfo(f"bin/{program}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(link)
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(folder)
    return stream.getvalue()
