"""A container for the demo, where an engine answers and something here can be its image."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_COMMAND = ["sh", "-c", "mkdir -p /configs && while :; do sleep 1; done"]
_IMAGE = "plugport-demo"


@contextmanager
def container() -> Iterator[str | None]:
    """The name of a container that runs, without a network; removed with the block. None where none can be had:
    no engine, no docker-py, or neither an image with a shell nor a static busybox to make one of."""
    client = _client()
    if client is None:
        yield None
        return
    name = f"plugport-demo-{secrets.token_hex(4)}"
    try:
        started = _start(client, name)
        yield name if started is not None else None
    finally:
        with contextlib.suppress(Exception):
            client.api.remove_container(name, force=True)
        with contextlib.suppress(Exception):
            client.images.remove(f"{_IMAGE}:latest")
        client.close()


def _client() -> Any:
    try:
        import docker
    except ModuleNotFoundError:
        return None
    try:
        client = docker.from_env(version="auto", timeout=20)
        client.ping()
    except Exception:  # noqa: BLE001 - whatever it is, there is no engine for the demo
        return None
    return client


def _start(client: Any, name: str) -> Any:
    """A running container of the first image that can: one made of busybox, else one of those that are here."""
    for image in _images(client):
        try:
            return client.containers.run(
                image,
                _COMMAND,
                name=name,
                detach=True,
                network_mode="none",
                entrypoint="",
                user="0",
                stop_signal="SIGKILL",
            )
        except Exception:  # noqa: BLE001 - an image without a shell, say: the next one may do
            with contextlib.suppress(Exception):
                client.api.remove_container(name, force=True)
    return None


def _images(client: Any) -> Iterator[str]:
    busybox = shutil.which("busybox")
    if busybox is not None:
        with contextlib.suppress(Exception):
            client.api.import_image_from_data(_root_of(os.path.realpath(busybox)), repository=_IMAGE, tag="latest")
            yield f"{_IMAGE}:latest"
    yield from [tag for image in client.images.list()[:5] for tag in image.tags[:1] if not tag.startswith(_IMAGE)]


def _root_of(busybox: str) -> bytes:
    """A root file system of busybox alone, with a link for each of its programs."""
    import subprocess

    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        archive.add(busybox, "bin/busybox")
        for program in listed.stdout.split():
            if program != "busybox":
                link = tarfile.TarInfo(f"bin/{program}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(link)
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(folder)
    return held.getvalue()
