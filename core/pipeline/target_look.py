"""The look at a target before a delivery: what is there that plugport did not put there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from ...hookspecs import errors
from ...hookspecs.values import PathKind, PathState, TargetQuery, TargetState
from .display import displayed
from .footprint import MEMORY_FILES, SETTINGS_FILE, Footprint, FootprintBefore, directory_of
from .memory_file import MemoryBefore, observe_memory
from .overwritten import written_over
from .plugin_names import folded
from .settings_file import observe

_ABSENT: Final = PathState(PathKind.ABSENT)
_MAX_CONTENT: Final = 16 * 1024 * 1024
"""Bytes of the longest memory or settings file that is looked at: those that an uninstall edits are no longer."""


def install_query(name: str, footprint: Footprint) -> TargetQuery:
    """Return what must be known of a target before the plugin `name` is delivered to it."""
    skills = (f"skills/{skill}" for skill in footprint.skills)
    return TargetQuery(
        paths=tuple(sorted({*footprint.files, *skills, *_own_places(name)})),
        contents=(*MEMORY_FILES, SETTINGS_FILE, mark_of(name), *written_over(footprint)),
        trees=(directory_of(name),),
        max_content=_MAX_CONTENT,
        folders=("plugins",),
    )


def uninstall_query(name: str, skill_files: Sequence[str]) -> TargetQuery:
    """Return what must be known of a target before the plugin `name` is removed from it."""
    paths = (*skill_files, *_own_places(name))
    return TargetQuery(paths, (mark_of(name), SETTINGS_FILE), (directory_of(name),), folders=("plugins",))


def restore_query(name: str) -> TargetQuery:
    """Return what must be known of a target before something of the plugin `name` is put back."""
    return TargetQuery(_own_places(name), (mark_of(name),))


def _own_places(name: str) -> tuple[str, ...]:
    """Return where plugport keeps folders of its own."""
    own = "plugins/.plugport"
    return ("plugins", own, f"{own}/staging", f"{own}/managed", f"{own}/kept", f"{own}/kept/{name}")


def mark_of(name: str) -> str:
    """Return the file by which plugport marks the plugin's directory as its own, relative to the config dir."""
    return f"plugins/.plugport/managed/{name}"


def look_before(state: TargetState, footprint: Footprint, known: Sequence[Footprint]) -> Footprint:
    """Return the footprint with what was at its places before it came.

    `known` are the footprints of the plugins that are installed here, earlier versions of this one included: what
    they brought was not there before.
    """
    brought = {path for other in known for path in other.brought_files()}
    copied = {skill for other in known for skill in _brought_skills(other)}
    theirs = {
        skill
        for skill in footprint.skills
        if skill not in copied and _at(state, f"skills/{skill}").kind is not PathKind.ABSENT
    }
    paths = {path for path in footprint.files if path not in brought and _at(state, path).kind is not PathKind.ABSENT}
    by_skill = footprint.files_by_skill()
    paths.update(path for skill in theirs for path in by_skill.get(skill, ()))
    memory = {file: _memory_before(_at(state, file), file, footprint, known) for file in MEMORY_FILES}
    settings = None
    if footprint.settings is not None:
        fragments = [brought_settings for other in known for brought_settings in other.brought_settings()]
        claude_dir = f"{state.config_dir}/.claude"
        now = _at(state, SETTINGS_FILE)
        content = b"" if now.content is None and now.kind is not PathKind.ABSENT else now.content  # b"": not readable
        settings = observe(content, footprint.settings, claude_dir, fragments)
    return replace(footprint, before=FootprintBefore(frozenset(paths), memory, settings))


def _memory_before(now: PathState, file: str, footprint: Footprint, known: Sequence[Footprint]) -> MemoryBefore:
    if now.content is None and now.kind is not PathKind.ABSENT:  # it cannot be read: all may have been there
        markers = (block.marker.decode("utf-8", "surrogateescape") for block in footprint.blocks)
        return MemoryBefore(existed=True, markers=tuple(sorted(markers)))
    return observe_memory(now.content, footprint.blocks, [other.appended(file) for other in known if other.blocks])


def require_own_places(name: str, state: TargetState) -> None:
    """Raise `PlaceBlocked` if something else lies where plugport keeps its own files."""
    if _at(state, "plugins").kind is PathKind.LINK:
        return  # what lies behind a link is not known
    for path in _own_places(name)[1:]:
        if _at(state, path).kind not in {PathKind.ABSENT, PathKind.DIRECTORY}:
            raise errors.PlaceBlocked(path)
    if _at(state, mark_of(name)).kind is PathKind.DIRECTORY:
        raise errors.PlaceBlocked(mark_of(name))


def require_managed(
    name: str, state: TargetState, known_digests: Sequence[str], *, recorded: bool, adopt: bool
) -> bool:
    """Return whether the plugin's directory is taken over: it is none of plugport's, but known or `adopt` is set.

    Raises `NotManaged` if something else lies there.
    """
    if _at(state, "plugins").kind in {PathKind.FILE, PathKind.OTHER}:
        raise errors.NotManaged("plugins")
    there = _at(state, directory_of(name))
    if there.kind is PathKind.ABSENT or recorded or _is_marked(state, name):
        return False
    if adopt or (there.kind is PathKind.DIRECTORY and there.digest in known_digests):
        return True
    raise errors.NotManaged(directory_of(name))


def require_no_variant(name: str, state: TargetState, recorded: Collection[str]) -> None:
    """Raise `NotManaged` if something in `plugins` that is not `recorded` has the name in another spelling.

    On a file system that ignores case or Unicode forms it is the same directory, and on every other one a person
    would confuse them.
    """
    for other in _at(state, "plugins").names or ():
        if other != name and other not in recorded and folded(displayed(other)) == folded(name):
            raise errors.NotManaged(directory_of(displayed(other)))


def is_present(name: str, state: TargetState, recorded: Collection[str]) -> bool:
    """Return whether anything lies at the plugin's place.

    On a file system that ignores case or Unicode forms it may be another plugin: nothing is called so then, and if
    the names are not known, one of the `recorded` plugins is.
    """
    names = _at(state, "plugins").names
    if names is None:
        is_other = any(other != name and folded(other) == folded(name) for other in recorded)
    else:
        is_other = name not in names and any(folded(displayed(other)) == folded(name) for other in names)
    return _at(state, directory_of(name)).kind is not PathKind.ABSENT and not is_other


def _is_marked(state: TargetState, name: str) -> bool:
    mark = _at(state, mark_of(name))
    return mark.kind is PathKind.FILE and mark.content is not None and mark.content.startswith(b"plugport ")


def _brought_skills(footprint: Footprint) -> set[str]:
    brought = footprint.brought_files()
    return {skill for skill, files in footprint.files_by_skill().items() if any(path in brought for path in files)}


def _at(state: TargetState, path: str) -> PathState:
    return state.paths.get(path, _ABSENT)
