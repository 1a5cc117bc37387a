"""Uninstalls a plugin from a target with a shell: one command reads, this module decides, one command deletes."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from ...hookspecs import Receipt, Removal
from ...hookspecs.errors import DeliveryFailed
from .channel import Channel
from .script import TEXT_CHANGED, script_command, script_error
from .script_output import hash_lines, tar_files

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class _TargetState:
    """What the target has: the config dir's real path, the files' digests, and the texts, by path."""

    config_dir: str
    digests: Mapping[str, str]
    texts: Mapping[str, bytes]


async def uninstall(channel: Channel, config_dir: str, removal: Removal) -> Receipt:
    """Remove what `removal` names, in its order. The receipt's `left` names what stays because somebody edited it.

    May be repeated; a path that is gone already is fine. Raises `DeliveryFailed` (also if a text keeps changing while
    it is cleaned), `UnsupportedTarget`, and what the channel raises.
    """
    for _ in range(_ATTEMPTS):
        state = await _read_target(channel, config_dir, removal)
        orders, left = _decide(removal, state)
        completed = await channel.run(script_command("uninstall", config_dir, removal.name), orders)
        if completed.exit_code == 0:
            return Receipt(None, left)
        if completed.exit_code != TEXT_CHANGED:
            raise script_error("uninstall", completed)
    raise DeliveryFailed("a memory or settings file kept changing while it was cleaned")


async def _read_target(channel: Channel, config_dir: str, removal: Removal) -> _TargetState:
    texts = (*removal.memory_files, removal.settings_file)
    paths = io.BytesIO(_nul_terminated(removal.files))
    completed = await channel.run(script_command("examine", config_dir, *texts), paths)
    if completed.exit_code != 0:
        raise script_error("examine", completed)
    head, _, archive = completed.stdout.partition(b"--texts--\n")
    real_config_dir, _, lines = head.partition(b"\n")
    return _TargetState(
        real_config_dir.decode("utf-8", "surrogateescape"), dict(hash_lines(lines)), dict(tar_files(archive))
    )


def _decide(removal: Removal, state: _TargetState) -> tuple[BinaryIO, tuple[str, ...]]:
    """Return the tar for `uninstall.sh`, and what stays because somebody edited it."""
    delete = [path for path, accepted in removal.files.items() if state.digests.get(path) in accepted]
    left = [path for path in removal.files if path in state.digests and path not in delete]
    orders = {"delete": _nul_terminated(delete), "directories": _nul_terminated(removal.directories)}
    changed: list[str] = []
    for path, content in state.texts.items():
        text = content.decode("utf-8", "surrogateescape")
        if path == removal.settings_file:
            cleaned = removal.clean_settings(text, f"{state.config_dir}/.claude")
        else:
            cleaned = removal.clean_memory(text)
        left += [f"{path}: {part}" for part in cleaned.left]
        if cleaned.text == text:
            continue
        number = len(changed)
        changed.append(f"{number} {hashlib.sha256(content).hexdigest()} {path}\n")
        if cleaned.text is not None:
            orders[f"new-{number}"] = cleaned.text.encode("utf-8", "surrogateescape")
    orders["texts"] = "".join(changed).encode()
    return _tar(orders), tuple(left)


def _nul_terminated(paths: Iterable[str]) -> bytes:
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
