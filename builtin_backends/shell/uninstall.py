"""Uninstalls a plugin from a target with a shell: one command reads, this module decides, one command deletes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from typing import BinaryIO, Final

from ...hookspecs import Cleaned, Edited, PathKind, Receipt, Removal, TargetQuery, TargetState
from ...hookspecs.errors import BackendUnavailable, DeliveryFailed, PluginNotFound
from .channel import Channel
from .failure import script_failure
from .frame import run_framed
from .inspect import inspect
from .install import hex_digests
from .kept import KeepBounds, read_receipt
from .orders import orders_tar
from .script import FILE_CHANGED, NOT_KEPT, script_command
from .script_output import decode, encode, printable

Edit = Callable[[bytes, str], Edited]
_ATTEMPTS: Final = 3
_MAX_TEXT: Final = 16 * 1024 * 1024
_WHY_LEFT: Final = {
    PathKind.LINK: "it is a link or lies behind one, and was not changed",
    PathKind.DIRECTORY: "it is no file",
    PathKind.OTHER: "it is no file",
    PathKind.FILE: "it is too long or cannot be read, and was not changed",
}
_NEWEST: Final = "newest"


async def uninstall(channel: Channel, config_dir: str, removal: Removal, bounds: KeepBounds | None = None) -> Receipt:
    """Remove what `removal` names, in its order. `Receipt.left` names what stays, `Receipt.kept` what was set aside.

    May be repeated; a path that is gone already is fine. Raises `DeliveryFailed` (also if a text keeps changing while
    it is cleaned), `UnsupportedTarget`, `PluginNotFound` (nothing is kept under `removal.restore`), and what the
    channel raises.
    """
    limits = (bounds or KeepBounds()).arguments
    try:
        if removal.restore is not None:
            return await _restore(channel, config_dir, removal.name, removal.restore, limits)
        return await _remove(channel, config_dir, removal, limits)
    except BackendUnavailable as error:
        raise DeliveryFailed(error.reason) from error


async def _restore(channel: Channel, config_dir: str, name: str, digest: str, limits: tuple[str, str]) -> Receipt:
    is_digest = len(digest) == hashlib.sha256().digest_size * 2 and not set(digest) - set("0123456789abcdef")
    if digest != _NEWEST and not is_digest:
        raise PluginNotFound("what is restored is named by a digest in hex")
    completed = await run_framed(channel, script_command("restore", config_dir, name, digest, *limits))
    if completed.exit_code == NOT_KEPT:
        raise PluginNotFound("nothing of this digest is kept")
    if completed.exit_code != 0:
        raise await script_failure(channel, config_dir, "restore", completed)
    return read_receipt(completed.stdout)


async def _remove(channel: Channel, config_dir: str, removal: Removal, limits: tuple[str, str]) -> Receipt:
    edits, names_links = dict(removal.edits), True
    if not edits:
        edits, names_links = _edits_on_text(removal), False
    query = TargetQuery((*removal.files, *removal.directories), contents=tuple(edits), max_content=_MAX_TEXT)
    for _ in range(_ATTEMPTS):
        state = await inspect(channel, config_dir, query)
        orders, left, is_needed = await asyncio.to_thread(_decide, removal, edits, state, names_links=names_links)
        fate = "keeps" if removal.keeps_plugin else "sets-aside" if is_needed else "removes"
        argv = script_command("uninstall", config_dir, removal.name, fate, *limits, *hex_digests(removal.known))
        completed = await run_framed(channel, argv, orders)
        if completed.exit_code == 0:
            return read_receipt(completed.stdout, left)
        if completed.exit_code != FILE_CHANGED:
            raise await script_failure(channel, config_dir, "uninstall", completed)
    raise DeliveryFailed("a file kept changing while it was cleaned")


def _decide(
    removal: Removal, edits: Mapping[str, Edit], state: TargetState, *, names_links: bool
) -> tuple[BinaryIO, tuple[str, ...], bool]:
    """Return the tar for `uninstall.sh`, what stays, and whether the plugin's directory is needed.

    `names_links`: whether a file that could not be edited is named; if not, the edit may have nothing to do there.
    """
    orders: dict[str, bytes] = {}
    texts: list[str] = []
    left: list[str] = []
    needed: set[str] = set()
    for path, edit in edits.items():
        path_state = state.paths[path]
        if path_state.content is None:
            if path_state.kind is not PathKind.ABSENT and names_links:
                left.append(f"{printable(path)}: {_WHY_LEFT[path_state.kind]}")
            continue
        edited = edit(path_state.content, state.config_dir)
        left += [f"{path}: {part}" for part in edited.left]
        needed.update(edited.needed)
        if edited.content == path_state.content:
            continue
        number = len(texts)
        texts.append(f"{number} {hashlib.sha256(path_state.content).hexdigest()}\n")
        orders[f"path-{number}"] = encode(path)
        if edited.content is not None:
            orders[f"new-{number}"] = edited.content
    delete, stays = [], []
    for path, accepted in removal.files.items():
        path_state = state.paths[path]
        sha256 = (path_state.digest or "").removeprefix("sha256:")
        if path_state.kind is PathKind.FILE and sha256 in accepted and path not in needed:
            delete.append(b"%s  ./%s\n" % (sha256.encode(), encode(path)))
        elif path_state.kind is not PathKind.ABSENT:
            stays.append(printable(path))
    folders = (path for path in removal.directories if state.paths[path].kind is PathKind.DIRECTORY)
    directories = b"".join(b"./" + encode(path) + b"\0" for path in folders)
    orders |= {"delete": b"".join(delete), "directories": directories, "texts": "".join(texts).encode()}
    return orders_tar(orders), (*stays, *left), f"plugins/{removal.name}" in needed


def _edits_on_text(removal: Removal) -> dict[str, Edit]:
    """Return edits that do what the functions on text of a removal of hook API 2 do."""

    def edited(cleaned: Cleaned) -> Edited:
        return Edited(None if cleaned.text is None else encode(cleaned.text), cleaned.left)

    def edit_memory(content: bytes, config_dir: str) -> Edited:
        return edited(removal.clean_memory(decode(content)))

    def edit_settings(content: bytes, config_dir: str) -> Edited:
        return edited(removal.clean_settings(decode(content), f"{config_dir}/.claude"))

    return {**dict.fromkeys(removal.memory_files, edit_memory), removal.settings_file: edit_settings}
