"""Takes a plugin off a target with a shell: one command reads, one takes away what was decided here."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from ...hookspecs import Receipt, Removal
from ...hookspecs.errors import DeliveryFailed
from .channel import CHANGED, Channel, failure, script
from .listing import hash_lines, members

_TRIES = 3


@dataclass(frozen=True, slots=True)
class _Found:
    """What the target has: the config dir's real path, digests of files, and texts."""

    config_dir: str
    digests: Mapping[str, str]
    texts: Mapping[str, bytes]


async def uninstall(channel: Channel, config_dir: str, removal: Removal) -> Receipt:
    """Take away what `removal` says, in its order, and name what was edited and so stays.

    May be repeated; what is gone already is fine. Raises `DeliveryFailed` (also where a text goes on changing while
    it is cleaned), `UnsupportedTarget`, and what the channel raises.
    """
    for _ in range(_TRIES):
        found = await _examine(channel, config_dir, removal)
        orders, left = _decide(removal, found)
        completed = await channel.run(script("uninstall", config_dir, removal.name), orders)
        if completed.exit_code == 0:
            return Receipt(None, left)
        if completed.exit_code != CHANGED:
            raise failure("uninstall", completed)
    raise DeliveryFailed("a memory or settings file went on changing while it was cleaned")


async def _examine(channel: Channel, config_dir: str, removal: Removal) -> _Found:
    paths = b"".join(path.encode("utf-8", "surrogateescape") + b"\0" for path in removal.files)
    texts = (*removal.memory_files, removal.settings_file)
    completed = await channel.run(script("examine", config_dir, *texts), io.BytesIO(paths))
    if completed.exit_code != 0:
        raise failure("examine", completed)
    head, _, archive = completed.stdout.partition(b"--texts--\n")
    place, _, lines = head.partition(b"\n")
    return _Found(
        place.decode("utf-8", "surrogateescape"),
        dict(hash_lines(lines)),
        dict(members(archive)),
    )


def _decide(removal: Removal, found: _Found) -> tuple[BinaryIO, tuple[str, ...]]:
    """The tar for `uninstall.sh`, and what stays because somebody edited it."""
    delete = [path for path, accepted in removal.files.items() if found.digests.get(path) in accepted]
    left = [path for path in removal.files if path in found.digests and path not in delete]
    orders = {"delete": _ended(delete), "directories": _ended(removal.directories)}
    changed: list[str] = []
    for path, content in found.texts.items():
        text = content.decode("utf-8", "surrogateescape")
        if path == removal.settings_file:
            cleaned = removal.clean_settings(text, f"{found.config_dir}/.claude")
        else:
            cleaned = removal.clean_memory(text)
        left += [f"{path}: {what}" for what in cleaned.left]
        if cleaned.text == text:
            continue
        number = len(changed)
        changed.append(f"{number} {hashlib.sha256(content).hexdigest()} {path}\n")
        if cleaned.text is not None:
            orders[f"new-{number}"] = cleaned.text.encode("utf-8", "surrogateescape")
    orders["texts"] = "".join(changed).encode()
    return _tar(orders), tuple(left)


def _ended(paths: list[str] | tuple[str, ...]) -> bytes:
    return b"".join(path.encode("utf-8", "surrogateescape") + b"\0" for path in paths)


def _tar(contents: Mapping[str, bytes]) -> BinaryIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    stream.seek(0)
    return stream
