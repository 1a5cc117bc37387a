"""Plans an activation: turns what a layout asks for, and what lies on the target, into changes for a backend."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from ....hookspecs.errors import ActivationFault, ActivationImpossible
from ....hookspecs.json import JSON
from ....hookspecs.values import (
    Activation,
    PathKind,
    PathState,
    SettingsEntry,
    TargetChanges,
    TargetCopy,
    TargetLink,
    TargetQuery,
    TargetState,
    TargetWrite,
)
from .edited_file import EditedFile, insert_entries, insert_text, strip
from .entry_fault import EntryFault
from .record import ActivationRecord

_ABSENT: Final = PathState(PathKind.ABSENT)


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes, the record of what they leave on the target, and what somebody edited and therefore stays."""

    changes: TargetChanges
    record: ActivationRecord
    left: tuple[str, ...] = ()


def activation_query(activation: Activation, records: Sequence[ActivationRecord]) -> TargetQuery:
    """Return what must be known of a target before `plan_activation`. `records` are those that it replaces."""
    contents = {entry.path for entry in activation.entries} | {text.path for text in activation.texts}
    contents.update(chain.from_iterable(record.edited for record in records))
    trees = {copy.path for copy in activation.copies}.union(*(record.copies for record in records))
    paths = {file.path for file in activation.files} | {link.path for link in activation.links}
    paths.update(chain.from_iterable((*record.files, *record.links) for record in records))
    parents = {"plugins"}.union(*map(_parents, (*contents, *trees, *paths)))
    asked = activation.query
    return TargetQuery(
        tuple(sorted((paths | parents | set(asked.paths)) - contents - trees - set(asked.folders))),
        tuple(sorted(contents | set(asked.contents))),
        tuple(sorted(trees | set(asked.trees))),
        folders=asked.folders,
    )


def plan_activation(
    activation: Activation,
    state: TargetState,
    name: str,
    digest: str,
    layout: str,
    records: Sequence[ActivationRecord] = (),
) -> Plan:
    """Plan the activation of the plugin `name` with the tree's `digest`, in place of what `records` say.

    Pure; may be repeated. Raises `ActivationImpossible` if something stands in the way.
    """
    return _Planner(activation, state, name, digest, layout, records).plan()


def plan_undo(state: TargetState, name: str, records: Sequence[ActivationRecord]) -> Plan:
    """Plan the end of an activation: what `records` say goes, but for what somebody edited. Never raises."""
    return _Planner(Activation(), state, name, "", "", records, undoing=True).plan()


class _Planner:
    def __init__(
        self,
        activation: Activation,
        state: TargetState,
        name: str,
        digest: str,
        layout: str,
        records: Sequence[ActivationRecord],
        *,
        undoing: bool = False,
    ) -> None:
        self._activation, self._state, self._name = activation, state, name
        self._digest, self._layout, self._records = digest, layout, records
        self._undoing = undoing
        self._writes: list[TargetWrite] = []
        self._left: list[str] = []

    def plan(self) -> Plan:
        edited = self._edit_files()
        files = self._place_files()
        links, made_links = self._place_links()
        copies, made_copies = self._place_copies()
        own = () if self._undoing else (f"plugins/{self._name}",)
        folders = self._folders((*own, *edited, *files, *made_links, *made_copies))
        record = ActivationRecord(self._layout, edited, files, made_links, made_copies, folders)
        old_folders = set(chain.from_iterable(each.folders for each in self._records)) - set(folders)
        changes = TargetChanges(
            self._state.home, copies, tuple(self._writes), links, tuple(_deepest_first(old_folders))
        )
        return Plan(changes, record, tuple(self._left))

    def _at(self, path: str) -> PathState:
        return self._state.paths.get(path, _ABSENT)

    def _fail(self, path: str, fault: ActivationFault, line: int | None = None) -> None:
        """Refuse the activation; what is undone only names what stays."""
        if not self._undoing:
            raise ActivationImpossible(path, fault, line)
        self._left.append(path)

    def _edit_files(self) -> dict[str, EditedFile]:
        """Edit the agent's own files: first without the old entries and texts, then with the new ones."""
        wanted = [entry.path for entry in self._activation.entries] + [text.path for text in self._activation.texts]
        old = chain.from_iterable(record.edited for record in self._records)
        edited: dict[str, EditedFile] = {}
        for path in dict.fromkeys((*wanted, *old)):
            there = self._at(path)
            if there.kind not in {PathKind.ABSENT, PathKind.FILE}:
                self._fail(path, ActivationFault.LINK if there.kind is PathKind.LINK else ActivationFault.FOREIGN)
                continue
            if there.kind is PathKind.FILE and there.content is None:
                self._fail(path, ActivationFault.TOO_LARGE)
                continue
            record = self._edit(path, there)
            if record is not None:
                edited[path] = record
        return edited

    def _edit(self, path: str, there: PathState) -> EditedFile | None:
        content, existed = there.content, there.kind is PathKind.FILE
        edited_keys: set[str] = set()
        for old in reversed([record.edited[path] for record in self._records if path in record.edited]):
            stripped = strip(content, old)
            content, existed = stripped.content, existed and (old.existed or stripped.content is not None)
            edited_keys.update(stripped.left)
        self._left += [f"{path}: {what}" for what in sorted(edited_keys)]
        record: EditedFile | None = None
        try:
            entries = [
                self._filled(entry)
                for entry in self._activation.entries
                if entry.path == path and ".".join(entry.keys) not in edited_keys
            ]
            if entries:
                content, record = insert_entries(content, entries, existed)
            for text in self._activation.texts:
                if text.path == path and not edited_keys:
                    filled = replace(text, text=self._fill(text.text))
                    content, record = insert_text(content, self._name, filled, existed)
        except EntryFault as fault:
            raise ActivationImpossible(path, fault.fault, fault.line) from fault
        if content != there.content:
            self._writes.append(TargetWrite(path, content, there.digest if there.kind is PathKind.FILE else None))
        return record

    def _place_files(self) -> dict[str, str]:
        placed: dict[str, str] = {}
        for file in self._activation.files:
            content = self._fill_bytes(file.content)
            sha256 = hashlib.sha256(content).hexdigest()
            there, own = self._at(file.path), self._own("files", file.path)
            present = (there.digest or "").removeprefix("sha256:")
            if there.kind is PathKind.ABSENT or (there.kind is PathKind.FILE and present in own):
                placed[file.path] = sha256
                if present != sha256:
                    self._writes.append(TargetWrite(file.path, content, there.digest, file.executable))
            elif there.kind is PathKind.FILE and own:
                self._left.append(file.path)
            elif present != sha256:
                self._fail(
                    file.path, ActivationFault.LINK if there.kind is PathKind.LINK else ActivationFault.FOREIGN
                )
        for path in dict.fromkeys(chain.from_iterable(record.files for record in self._records)):
            there = self._at(path)
            if path in placed or there.kind is PathKind.ABSENT or path in self._left:
                continue
            if (there.digest or "").removeprefix("sha256:") in self._own("files", path):
                self._writes.append(TargetWrite(path, None, there.digest))
            else:
                self._left.append(path)
        return placed

    def _place_links(self) -> tuple[tuple[TargetLink, ...], dict[str, str]]:
        links: list[TargetLink] = []
        made: dict[str, str] = {}
        for link in self._activation.links:
            text, there = _link_text(link.path, link.target, self._state), self._at(link.path)
            if there.kind is PathKind.ABSENT or (
                there.link is not None and there.link in self._own("links", link.path)
            ):
                made[link.path] = text
                if there.link != text:
                    links.append(TargetLink(link.path, text, there.link))
            elif there.link == text:
                made[link.path] = text
            else:
                behind = there.kind is PathKind.LINK and there.link is None
                self._fail(link.path, ActivationFault.LINK if behind else ActivationFault.FOREIGN)
        for path in dict.fromkeys(chain.from_iterable(record.links for record in self._records)):
            there = self._at(path)
            if path in made or there.kind is PathKind.ABSENT:
                continue
            if there.link in self._own("links", path):
                links.append(TargetLink(path, None, there.link))
            else:
                self._left.append(path)
        return tuple(links), made

    def _place_copies(self) -> tuple[tuple[TargetCopy, ...], dict[str, str]]:
        copies: list[TargetCopy] = []
        made: dict[str, str] = {}
        for copy in self._activation.copies:
            there, own = self._at(copy.path), self._own("copies", copy.path)
            if there.kind is not PathKind.ABSENT and not own and there.digest != self._digest:
                self._fail(
                    copy.path, ActivationFault.LINK if there.kind is PathKind.LINK else ActivationFault.FOREIGN
                )
                continue
            made[copy.path] = self._digest
            copies.append(TargetCopy(copy.path, True, there.digest if there.digest in own else None))
        for path in dict.fromkeys(chain.from_iterable(record.copies for record in self._records)):
            there = self._at(path)
            if path not in made and there.kind is PathKind.DIRECTORY:
                expected = there.digest if there.digest in self._own("copies", path) else None
                copies.append(TargetCopy(path, False, expected))
        return tuple(copies), made

    def _own(self, kind: str, path: str) -> list[str]:
        """Return what the records say of a place: the digests or the texts that plugport put there."""
        return [record_of[path] for record in self._records if path in (record_of := getattr(record, kind))]

    def _folders(self, places: Iterable[str]) -> tuple[str, ...]:
        """Return the folders on the way to the places that were not there before plugport made them."""
        before = set(chain.from_iterable(record.folders for record in self._records))
        parents = set(chain.from_iterable(map(_parents, places)))
        return tuple(
            _deepest_first(
                parent for parent in parents if parent in before or self._at(parent).kind is PathKind.ABSENT
            )
        )

    def _filled(self, entry: SettingsEntry) -> SettingsEntry:
        return replace(entry, value=self._fill_json(entry.value))

    def _fill_json(self, value: JSON) -> JSON:
        if isinstance(value, str):
            return self._fill(value)
        if isinstance(value, Mapping):
            return {self._fill(key): self._fill_json(item) for key, item in value.items()}
        return [self._fill_json(item) for item in value] if isinstance(value, list | tuple) else value

    def _fill(self, text: str) -> str:
        return text.replace("${config_dir}", self._state.config_dir).replace("${home}", self._state.home or "~")

    def _fill_bytes(self, content: bytes) -> bytes:
        config_dir, home = self._state.config_dir, self._state.home or "~"
        content = content.replace(b"${config_dir}", config_dir.encode("utf-8", "surrogateescape"))
        return content.replace(b"${home}", home.encode("utf-8", "surrogateescape"))


def _parents(path: str) -> Iterable[str]:
    """Yield the folders above a place, the deepest first, without the config dir and the home themselves."""
    folder = posixpath.dirname(path)
    while folder not in {"", "~"}:
        yield folder
        folder = posixpath.dirname(folder)


def _deepest_first(folders: Iterable[str]) -> list[str]:
    return sorted(folders, key=lambda folder: (-folder.count("/"), folder))


def _link_text(path: str, target: str, state: TargetState) -> str:
    """Return the text of a link: relative if both places are below the same folder, else absolute."""
    if path.startswith("~/") == target.startswith("~/"):
        return posixpath.relpath(target, posixpath.dirname(path) or ".")
    return f"{state.home}/{target[2:]}" if target.startswith("~/") else f"{state.config_dir}/{target}"
