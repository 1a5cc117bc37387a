"""Containers of an image without a shell: one archive whose last entry switches, and an index to list by.

`plugins/<name>` is a link into `plugins/.store/<digest>` there. Nothing can be deleted without a shell, so an older
version stays in the store, unseen; and uninstall is not to be had.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from docker.errors import NotFound

from ...hookspecs import Bundle, InstalledPlugin, Receipt, tree_digest
from ...hookspecs.errors import DeliveryFailed
from ...hookspecs.values.bundle import MTIME, OWNER
from .engine import Client
from .errors import TargetMissing, understood
from .upload import upload

_INDEX = ".store/index.json"
_BLOCK = tarfile.BLOCKSIZE


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    sha256: str


async def install(client: Client, container: str, config_dir: str, bundle: Bundle) -> Receipt:
    """Deliver in one archive and read the tree back."""
    index = dict(await _index(client, container, config_dir))
    index[bundle.name] = {"digest": bundle.digest, "manifest": dict(bundle.manifest)}
    short = bundle.digest.removeprefix("sha256:")
    with tempfile.TemporaryFile() as archive:
        await client.run(lambda: _pack(archive, bundle, short, index))
        try:
            await upload(client, container, f"{config_dir}/plugins", archive)
        except TargetMissing:
            archive.seek(0)
            made = _directory("plugins")
            await upload(client, container, config_dir, io.BytesIO(made))
            await upload(client, container, f"{config_dir}/plugins", archive)
    target = await client.run(lambda: _target(client, container, f"{config_dir}/plugins/{bundle.name}"))
    if not target.endswith(f".store/{short}"):
        raise DeliveryFailed(f"the archive was not unpacked to its end: {bundle.name} leads to {target!r}")
    found = await client.run(lambda: _digest(client, container, f"{config_dir}/plugins/.store/{short}"))
    if found != bundle.digest:
        raise DeliveryFailed(f"{bundle.digest} was sent, {found} was read back")
    return Receipt(found)


async def list_installed(client: Client, container: str, config_dir: str) -> list[InstalledPlugin]:
    """What the index says."""
    index = await _index(client, container, config_dir)
    return [InstalledPlugin(name, one["digest"], one.get("manifest")) for name, one in sorted(index.items())]


async def _index(client: Client, container: str, config_dir: str) -> Mapping[str, Any]:
    def read() -> Mapping[str, Any]:
        with understood():
            try:
                chunks, _ = client.api().get_archive(container, f"{config_dir}/plugins/{_INDEX}")
                content = b"".join(chunks)
            except NotFound as error:
                if "No such container" in str(error):
                    raise
                return {}
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            member = archive.extractfile(archive.next() or tarfile.TarInfo())
            told = json.loads(member.read()) if member is not None else {}
        return told if isinstance(told, dict) else {}

    return await client.run(read)


def _pack(archive: BinaryIO, bundle: Bundle, short: str, index: Mapping[str, Any]) -> None:
    """The store's files, the index, and last the link."""
    with bundle.open_tar(f".store/{short}") as stream:
        while chunk := stream.read(1 << 20):
            archive.write(chunk)
    archive.seek(-2 * _BLOCK, io.SEEK_END)
    content = json.dumps(index).encode()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.GNU_FORMAT) as more:
        told = _member(_INDEX)
        told.size = len(content)
        more.addfile(told, io.BytesIO(content))
        link = _member(bundle.name)
        link.type, link.linkname, link.mode = tarfile.SYMTYPE, f".store/{short}", 0o777
        more.addfile(link)
    archive.seek(0)


def _directory(name: str) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.GNU_FORMAT) as archive:
        member = _member(name)
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(member)
    return held.getvalue()


def _member(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.mode, member.mtime = 0o644, MTIME
    member.uid = member.gid = OWNER
    return member


def _target(client: Client, container: str, link: str) -> str:
    """Where a link in the container leads; empty where there is none."""
    with understood():
        try:
            chunks, told = client.api().get_archive(container, link)
        except NotFound as error:
            if "No such container" in str(error):
                raise
            return ""
        chunks.close()
        return str(told.get("linkTarget", ""))


def _digest(client: Client, container: str, folder: str) -> str:
    """The digest of a tree in the container, hashed as it streams by."""
    with understood():
        chunks, _ = client.api().get_archive(container, folder)
        files = []
        with tarfile.open(fileobj=_Stream(chunks), mode="r|") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None:
                    hashed = hashlib.sha256()
                    while chunk := content.read(1 << 20):
                        hashed.update(chunk)
                    files.append(_File(member.name.partition("/")[2], hashed.hexdigest()))
    return tree_digest(files)


class _Stream(io.RawIOBase):
    """A stream of chunks as a file."""

    def __init__(self, chunks: Any) -> None:
        self._chunks, self._rest = iter(chunks), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if not self._rest:
            self._rest = next(self._chunks, b"")
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def read(self, size: int = -1, /) -> bytes:
        parts, left = [], size
        while left and (chunk := super().read(left if left > 0 else 1 << 16)):
            parts.append(chunk)
            left -= len(chunk) if left > 0 else 0
        return b"".join(parts)
