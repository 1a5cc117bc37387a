"""A person's hooks and commands that the runtime's adaptor writes over: known before, brought back by the uninstall.

The adaptor copies a plugin's `hooks/` and `commands/` over what is there. So an install records the bytes that a
person has at these places, and an uninstall puts them back where the plugin's bytes lie.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from ...hookspecs import errors
from ...hookspecs.values import Edited, PathKind, TargetChanges, TargetState, TargetWrite
from .footprint import Footprint, FootprintBefore, skill_of

MAX_BYTES: Final = 256 * 1024
"""Bytes of the longest file that is recorded. A longer one is not written over, unless the caller adopts it."""


def written_over(footprint: Footprint) -> list[str]:
    """Return the places at which the adaptor writes over what is there."""
    return sorted(path for path in footprint.files if skill_of(path) is None)


def record_overwritten(
    footprint: Footprint, state: TargetState, known: Sequence[Footprint], *, adopt: bool
) -> Footprint:
    """Return the footprint with a person's files that the adaptor will write over.

    `known` are the footprints of the plugins that are installed here, earlier versions of this one included: their
    bytes are no person's, and what they recorded is inherited. Raises `NotManaged` if a file is too long to be
    recorded and `adopt` is not set.
    """
    before = footprint.before or FootprintBefore()
    overwritten: dict[str, bytes] = {}
    for path in written_over(footprint):
        path_state = state.paths.get(path)
        if path_state is None or path_state.kind is not PathKind.FILE:
            continue
        sha256 = (path_state.digest or "").removeprefix("sha256:")
        if _is_brought(path, sha256, known):
            inherited = next((other for other in known if path in _overwritten(other)), None)
            if inherited is not None:
                overwritten[path] = _overwritten(inherited)[path]
        elif sha256 == footprint.files[path]:
            continue
        elif path_state.content is not None and len(path_state.content) <= MAX_BYTES:
            overwritten[path] = path_state.content
        elif not adopt:
            raise errors.NotManaged(path)
    paths = before.paths - overwritten.keys()
    return replace(footprint, before=replace(before, paths=paths, overwritten=overwritten))


def restorations(own: Sequence[Footprint], shared: set[tuple[str, str]]) -> dict[str, Callable[[bytes, str], Edited]]:
    """Return, by path, the edits that put a person's file back where a version of the plugin, `own`, lies.

    `own` are newest first. `shared` are the files, with their sha256, that another plugin ships too: they stay.
    """
    brought: dict[str, set[str]] = defaultdict(set)
    old: dict[str, bytes] = {}
    for footprint in own:
        for path in written_over(footprint):
            if (path, footprint.files[path]) not in shared:
                brought[path].add(footprint.files[path])
            if path in _overwritten(footprint):
                old.setdefault(path, _overwritten(footprint)[path])
    return {path: _restoration(content, brought[path]) for path, content in old.items()}


def overwritten_paths(footprint: Footprint) -> list[str]:
    """Return the places at which a person's file is recorded."""
    return sorted(_overwritten(footprint))


def _is_brought(path: str, sha256: str, known: Sequence[Footprint]) -> bool:
    return any(other.brought_files().get(path) == sha256 for other in known)


def _overwritten(footprint: Footprint) -> Mapping[str, bytes]:
    return {} if footprint.before is None else footprint.before.overwritten


def set_beside(
    name: str, own: Sequence[Footprint], others: Sequence[Footprint], state: TargetState
) -> TargetChanges | None:
    """Return the writes that put a person's file beside what lies in its place now, if that is neither the person's
    nor a plugin's: somebody edited it after the adaptor wrote it. The name has the digest, so it may be repeated."""
    writes = []
    for path in sorted({path for footprint in own for path in _overwritten(footprint)}):
        old = next(_overwritten(footprint)[path] for footprint in own if path in _overwritten(footprint))
        sha256 = hashlib.sha256(old).hexdigest()
        path_state = state.paths.get(path)
        known_digests = {sha256, *(footprint.files.get(path) for footprint in (*own, *others))}
        if path_state is None or path_state.kind is not PathKind.FILE or path_state.digest is None:
            continue
        if path_state.digest.removeprefix("sha256:") not in known_digests:
            writes.append(TargetWrite(f"{path}.before-{name}-{sha256[:8]}", old, None))
    return TargetChanges(writes=tuple(writes)) if writes else None


def _restoration(old: bytes, brought: set[str]) -> Callable[[bytes, str], Edited]:
    def edit(content: bytes, _config_dir: str) -> Edited:
        if content == old:
            return Edited(content)
        if hashlib.sha256(content).hexdigest() in brought:
            return Edited(old)
        return Edited(content, ("it is not what the plugin brought",))

    return edit
