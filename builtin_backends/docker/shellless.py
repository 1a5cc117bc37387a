"""Delivers into images without a shell: one archive whose last entry switches the version, and an index to list by.

There `plugins/<name>` is a link into `plugins/.plugport/store/<digest>`. Nothing can be deleted without a shell, so
older versions stay in the store, and uninstall is not supported. The first release had its store in `plugins/.store`.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping
from typing import Any, BinaryIO

from ...hookspecs import Bundle, InstalledPlugin, Receipt, tree_digest
from ...hookspecs.errors import DeliveryFailed
from ...hookspecs.values.bundle import MTIME, OWNER
from ..shell.script_output import HashedFile
from .engine import Client
from .errors import PathMissing, translate_errors
from .upload import upload

_STORE = ".plugport/store"
_INDEX = f"{_STORE}/index.json"
_FIRST_INDEX = ".store/index.json"
_CHUNK = 1 << 20


async def install(client: Client, container: str, config_dir: str, bundle: Bundle) -> Receipt:
    """Deliver the bundle in one archive, and read the tree back. May be repeated."""
    plugins, sha256 = f"{config_dir}/plugins", bundle.digest.removeprefix("sha256:")
    index = dict(await _read_index(client, container, config_dir))
    index[bundle.name] = {"digest": bundle.digest, "manifest": dict(bundle.manifest)}
    with tempfile.TemporaryFile() as archive:
        await client.in_thread(lambda: _pack(archive, bundle, sha256, index))
        try:
            await upload(client, container, plugins, archive)
        except PathMissing:
            archive.seek(0)
            await upload(client, container, config_dir, io.BytesIO(_directory("plugins")))
            await upload(client, container, plugins, archive)
    target = await client.in_thread(lambda: _link_target(client, container, f"{plugins}/{bundle.name}"))
    if not target.endswith(f"{_STORE}/{sha256}"):
        raise DeliveryFailed(f"the archive was not unpacked to its end: {bundle.name} links to {target!r}")
    digest = await client.in_thread(lambda: _digest(client, container, f"{plugins}/{_STORE}/{sha256}"))
    if digest != bundle.digest:
        raise DeliveryFailed(f"{bundle.digest} was sent, {digest} was read back")
    return Receipt(digest)


async def list_installed(client: Client, container: str, config_dir: str) -> list[InstalledPlugin]:
    """List the plugins of the index, which is written with each delivery."""
    index = await _read_index(client, container, config_dir)
    return [InstalledPlugin(name, entry["digest"], entry.get("manifest")) for name, entry in sorted(index.items())]


async def _read_index(client: Client, container: str, config_dir: str) -> Mapping[str, Any]:
    """Return the index, with what the first release's index has and this one has not."""

    def read(index_path: str) -> Mapping[str, Any]:
        try:
            with translate_errors():
                chunks, _ = client.api().get_archive(container, f"{config_dir}/plugins/{index_path}")
                content = b"".join(chunks)
        except PathMissing:
            return {}
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            file = archive.extractfile(archive.next() or tarfile.TarInfo())
            index = json.loads(file.read()) if file is not None else {}
        return index if isinstance(index, dict) else {}

    return await client.in_thread(lambda: {**read(_FIRST_INDEX), **read(_INDEX)})


def _pack(archive: BinaryIO, bundle: Bundle, sha256: str, index: Mapping[str, Any]) -> None:
    """Write the store's files, the index, the mark of what was delivered, and last the link."""
    with bundle.open_tar(f"{_STORE}/{sha256}") as stream:
        while chunk := stream.read(_CHUNK):
            archive.write(chunk)
    archive.seek(-2 * tarfile.BLOCKSIZE, io.SEEK_END)
    lines = "".join(f"{file.sha256}  ./{file.path}\n" for file in bundle.files)
    managed = _member(".plugport/managed")
    managed.type, managed.mode = tarfile.DIRTYPE, 0o755
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.GNU_FORMAT) as end:
        end.addfile(managed)
        _add_file(end, _INDEX, json.dumps(index).encode())
        _add_file(end, f"{managed.name}/{bundle.name}", f"plugport 1\ndigest {sha256}\n{lines}".encode())
        link = _member(bundle.name)
        link.type, link.linkname, link.mode = tarfile.SYMTYPE, f"{_STORE}/{sha256}", 0o777
        end.addfile(link)
    archive.seek(0)


def _add_file(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    file = _member(name)
    file.size = len(content)
    archive.addfile(file, io.BytesIO(content))


def _directory(name: str) -> bytes:
    """Return a tar with one directory."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        member = _member(name)
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(member)
    return stream.getvalue()


def _member(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.mode, member.mtime = 0o644, MTIME
    member.uid = member.gid = OWNER
    return member


def _link_target(client: Client, container: str, link: str) -> str:
    """Return the target of a link in the container, empty if there is no link."""
    try:
        with translate_errors():
            chunks, status = client.api().get_archive(container, link)
            chunks.close()
    except PathMissing:
        return ""
    return str(status.get("linkTarget", ""))


def _digest(client: Client, container: str, folder: str) -> str:
    """Return the digest of a tree in the container, hashed while it streams."""
    with translate_errors():
        chunks, _ = client.api().get_archive(container, folder)
        files = []
        with tarfile.open(fileobj=io.BufferedReader(_ChunkReader(chunks)), mode="r|") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None:
                    sha256 = hashlib.sha256()
                    while chunk := content.read(_CHUNK):
                        sha256.update(chunk)
                    files.append(HashedFile(member.name.partition("/")[2], sha256.hexdigest()))
    return tree_digest(files)


class _ChunkReader(io.RawIOBase):
    """Reads an iterator of chunks as a file."""

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
