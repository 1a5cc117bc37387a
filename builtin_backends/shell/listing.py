"""Lists the plugins of a target with a shell, in one round trip."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from ...hookspecs import InstalledPlugin, tree_digest
from ...hookspecs.errors import BackendUnavailable, UnsupportedTarget
from .channel import Channel, failure, script

MAX_MANIFEST = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Hashed:
    path: str
    sha256: str


async def list_installed(channel: Channel, config_dir: str) -> list[InstalledPlugin]:
    """Every plugin below `<config_dir>/plugins`, by name, with the digest of its files and its manifest's text.

    Raises `BackendUnavailable`, `UnsupportedTarget`, and what the channel raises. May be repeated.
    """
    completed = await channel.run(script("list", config_dir))
    if completed.exit_code != 0:
        error = failure("list", completed)
        raise error if isinstance(error, UnsupportedTarget) else BackendUnavailable(error.reason)
    names, _, rest = completed.stdout.partition(b"--files--\n")
    lines, _, manifests = rest.partition(b"--manifests--\n")
    files: dict[str, list[_Hashed]] = {_name(line): [] for line in names.split(b"\n") if line}
    for path, sha256 in hash_lines(lines):
        plugin, _, inside = path.removeprefix("./").partition("/")
        files.setdefault(plugin, []).append(_Hashed(inside.lstrip("/"), sha256))
    texts = dict(_manifests(manifests))
    return [InstalledPlugin(name, tree_digest(found), texts.get(name)) for name, found in sorted(files.items())]


def hash_lines(output: bytes) -> Iterator[tuple[str, str]]:
    """Path and digest of each of `sha256sum`'s lines; a line that starts with a backslash has its name escaped."""
    for line in output.split(b"\n"):
        escaped = line.startswith(b"\\")
        sha256, separator, path = line.removeprefix(b"\\").partition(b"  ")
        if separator and len(sha256) == 64:
            if escaped:
                path = path.replace(b"\\n", b"\n").replace(b"\\r", b"\r").replace(b"\\\\", b"\\")
            yield path.decode("utf-8", "surrogateescape"), sha256.decode("ascii")


def members(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """The regular files of a tar that came from a target."""
    if not archive.strip(b"\0"):
        return
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as opened:
            for one in opened:
                if one.isfile() and (content := opened.extractfile(one)) is not None:
                    yield one.name.removeprefix("./"), content.read()
    except tarfile.TarError as error:
        raise BackendUnavailable("the target's answer is cut or broken") from error


def _manifests(archive: bytes) -> Iterator[tuple[str, str]]:
    for path, content in members(archive):
        if len(content) <= MAX_MANIFEST:
            yield path.partition("/")[0], content.decode("utf-8", "replace")


def _name(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape").removeprefix("./").rstrip("/")
