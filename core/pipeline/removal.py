"""Decides what goes: with an uninstall, and of an older version after an update.

What was there before a version came stays, and so does what another plugin of the workspace ships.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from ...hookspecs.values import Cleaned, Edited, Removal, TargetState
from .footprint import MEMORY_FILES, SETTINGS_FILE, Footprint, directories_of, directory_of, skill_of
from .memory_file import Appended, remove_blocks
from .overwritten import restorations
from .settings_file import programs_in, refers_to, remove_entries
from .settings_fragment import Brought, without_same

Edit = Callable[[bytes, str], Edited]


def removal_of(
    name: str,
    own: Sequence[Footprint],
    others: Sequence[Footprint],
    state: TargetState | None = None,
    *,
    keeps_plugin: bool = False,
) -> Removal:
    """Return what to remove with the plugin `name`, or beside its directory if that stays (`keeps_plugin`).

    `own` are the footprints of all its versions that may have left something, newest first. `others` are the
    footprints of the workspace's other plugins. `state` is what lies on the target, if the backend can tell.
    """
    shared = _shared(others, state)
    restored = restorations(own, shared)
    files = {path: digests for path, digests in _files(own, shared).items() if path not in restored}
    return Removal(
        name=name,
        skills=tuple(sorted({skill for path in files if (skill := skill_of(path)) is not None})),
        files=files,
        directories=tuple(directories_of(files)),
        edits={**restored, **_edits(None if keeps_plugin else name, own, others, files, state)},
        known=_digests(own),
        keeps_plugin=keeps_plugin,
        clean_memory=_clean_memory(own),
        clean_settings=_clean_settings(own, others),
    )


def cleanup_of(
    name: str,
    older: Sequence[Footprint],
    current: Footprint,
    others: Sequence[Footprint],
    state: TargetState | None = None,
) -> Removal:
    """Return what to remove after an update, so that the adaptor brings the current version at its next start.

    That is what the adaptor would not replace (skills and blocks that changed, handlers, keys that it sets once), and
    what the current version no longer brings. The plugin's own directory stays.
    """
    stale = [_stale_part(footprint, current) for footprint in older]
    return removal_of(name, stale, others, state, keeps_plugin=True)


def skill_paths(own: Iterable[Footprint], others: Sequence[Footprint]) -> list[str]:
    """Return the files that decide, for `removal_of`, which plugin's copy of a shared skill lies on the target."""
    skills = {skill for footprint in own for skill in footprint.skills}
    return sorted({path for other in others for path in other.files if skill_of(path) in skills})


def _stale_part(footprint: Footprint, current: Footprint) -> Footprint:
    """Return the part of an older version that the adaptor will not replace by the current one's."""
    older_skills, current_skills = footprint.files_by_skill(), current.files_by_skill()
    unchanged = {skill for skill, files in older_skills.items() if current_skills.get(skill) == files}
    files = {
        path: sha256
        for path, sha256 in footprint.files.items()
        if (path not in current.files if skill_of(path) is None else skill_of(path) not in unchanged)
    }
    blocks = tuple(block for block in footprint.blocks if block not in current.blocks)
    settings = None if footprint.settings is None else without_same(footprint.settings, current.settings or {})
    return replace(footprint, files=files, blocks=blocks, settings=settings or None, lost_settings=False)


def _shared(others: Sequence[Footprint], state: TargetState | None) -> set[tuple[str, str]]:
    """Return the files that other plugins ship too, each with its sha256."""
    shared: set[tuple[str, str]] = set()
    for other in others:
        copies = {skill for skill, files in other.files_by_skill().items() if _may_be_its_copy(files, state)}
        shared.update(item for item in other.files.items() if skill_of(item[0]) in {None, *copies})
    return shared


def _files(own: Sequence[Footprint], shared: set[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return, by path, the digests of the files that go."""
    digests: dict[str, list[str]] = defaultdict(list)
    for footprint in own:
        for path, sha256 in footprint.brought_files().items():
            if (path, sha256) not in shared and sha256 not in digests[path]:
                digests[path].append(sha256)
    return {path: tuple(accepted) for path, accepted in sorted(digests.items()) if accepted}


def _may_be_its_copy(files: Mapping[str, str], state: TargetState | None) -> bool:
    """Whether a skill's folder on the target may be the copy of the plugin that ships `files`: all of them are there.

    The adaptor copies a skill only as a whole, into a folder that does not exist.
    """
    if state is None or not any(path in state.paths for path in files):
        return True
    return all(
        path in state.paths and state.paths[path].digest == f"sha256:{sha256}" for path, sha256 in files.items()
    )


def _edits(
    going: str | None,
    own: Sequence[Footprint],
    others: Sequence[Footprint],
    files: Collection[str],
    state: TargetState | None,
) -> dict[str, Edit]:
    edits: dict[str, Edit] = {}
    if any(footprint.blocks for footprint in own):
        for memory_file in MEMORY_FILES:
            edits[memory_file] = _memory_edit([footprint.appended(memory_file) for footprint in own])
    hooks = {path for path in files if path.startswith(".claude/hooks/")}
    lost = any(footprint.lost_settings for footprint in own)
    settings_now = None if state is None else state.paths.get(SETTINGS_FILE)
    settings_text = (settings_now.content if settings_now else None) or b""
    starts_programs = going is not None and bool(programs_in(settings_text, going))
    if hooks or lost or starts_programs or any(footprint.settings is not None for footprint in own):
        edits[SETTINGS_FILE] = _settings_edit(_brought(own), _brought(others), hooks, lost, going)
    return edits


def _memory_edit(own: Sequence[Appended]) -> Edit:
    def edit(content: bytes, _config_dir: str) -> Edited:
        return remove_blocks(content, own)

    return edit


def _settings_edit(
    own: Sequence[Brought], others: Sequence[Brought], hooks: Collection[str], lost: bool, going: str | None
) -> Edit:
    """`going` is the plugin whose directory goes, if it does."""

    def edit(content: bytes, config_dir: str) -> Edited:
        edited = remove_entries(content, own, others, f"{config_dir}/.claude")
        left = (*edited.left, "settings-fragment.json (it could not be recorded)") if lost else edited.left
        rest = edited.content or b""
        needed = sorted(path for path in hooks if refers_to(rest, path.rpartition("/")[2]))
        if going is not None and (programs := programs_in(rest, going)):
            needed.append(directory_of(going))
            left += tuple(f"{entry} (it starts what lay in {directory_of(going)}: set aside)" for entry in programs)
        return Edited(edited.content, left, tuple(needed))

    return edit


def _brought(footprints: Iterable[Footprint]) -> list[Brought]:
    return [brought for footprint in footprints for brought in footprint.brought_settings()]


def _digests(own: Iterable[Footprint]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(footprint.digest for footprint in own if footprint.digest is not None))


def _clean_memory(own: Sequence[Footprint]) -> Callable[[str], Cleaned]:
    """For backends of hook API 2. They cannot say which memory file it is, so nothing is known of what was there."""
    edit = _memory_edit([Appended(footprint.blocks) for footprint in own])
    return lambda text: _on_text(text, lambda content: edit(content, ""))


def _clean_settings(own: Sequence[Footprint], others: Sequence[Footprint]) -> Callable[[str, str], Cleaned]:
    lost = any(footprint.lost_settings for footprint in own)
    edit = _settings_edit(_brought(own), _brought(others), (), lost, None)

    def clean(text: str, claude_dir: str) -> Cleaned:
        config_dir = claude_dir.removesuffix("/.claude")
        return _on_text(text, lambda content: edit(content, config_dir))

    return clean


def _on_text(text: str, edit: Callable[[bytes], Edited]) -> Cleaned:
    """Apply an edit on bytes to a text; one that does not carry the file's bytes comes back whole, and is named."""
    try:
        content = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return Cleaned(text, ("its bytes cannot be edited as a text",))
    edited = edit(content)
    if edited.content == content:
        return Cleaned(text, edited.left)
    if "\ufffd" in text:
        return Cleaned(text, ("its bytes cannot be edited as a text",))
    new_text = None if edited.content is None else edited.content.decode("utf-8", "surrogateescape")
    return Cleaned(new_text, edited.left)
