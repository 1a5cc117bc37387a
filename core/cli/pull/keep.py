"""Keeps what somebody edited in a pulled plugin: it is set aside before the next version takes the directory's place.

What was pulled is noted in the data directory of this machine's user. Without a note, whatever is not in the new
version counts as edited.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ....hookspecs import tree_digest
from ...pipeline.remove_tree import discard_tree
from .unpack import PulledFile, PullFailed

_OWN: Final = ".plugport"


@dataclass(frozen=True, slots=True)
class Kept:
    """What was set aside: the files as they were called, the directories in which they are now, and those that were
    deleted since there were too many. All are relative to the folder of the plugins."""

    files: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EditedFiles:
    """What somebody edited or added in the plugin `name` of the folder `into`. `notes` is the folder of the notes. At
    most `most_files` files with `most_bytes` bytes of all plugins are kept; the newest directory always is."""

    into: Path
    name: str
    notes: Path
    most_files: int
    most_bytes: int

    def set_aside(self, pulled: Iterable[PulledFile]) -> Kept:
        """Copy what is neither noted nor among the `pulled` files to `.plugport/kept/<name>/<digest>`.

        May be repeated. Raises `PullFailed`; nothing is lost then.
        """
        kept = self.into / _OWN / "kept"
        try:
            known = self._delivered() | {(file.path, file.sha256) for file in pulled}
            edited = [file for file in self._present() if (file.path, file.sha256) not in known]
            if not edited:
                return Kept()
            place = kept / self.name / tree_digest(edited).removeprefix("sha256:")
            if not place.exists():
                self._copy(edited, place)
            os.utime(place)
            dropped = tuple(self._bound(kept, place))
        except OSError as error:
            raise PullFailed(f"{kept} cannot be written: {error.strerror}") from error
        files = tuple(f"{self.name}/{file.path}" for file in edited)
        return Kept(files, (str(place.relative_to(self.into)),), dropped)

    def note(self, files: Iterable[PulledFile]) -> None:
        """Note what was pulled. If that fails, the next pull sets more aside than it must."""
        note = self._note
        fresh = note.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):
            note.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(json.dumps(sorted([file.path, file.sha256] for file in files)), "ascii")
            fresh.replace(note)

    @property
    def _note(self) -> Path:
        place = hashlib.sha256(os.fsencode(self.into.resolve() / self.name)).hexdigest()
        return self.notes / f"{place}.json"

    def _delivered(self) -> set[tuple[str, str]]:
        """Return the paths that were delivered, each with its hash."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            return {(str(path), str(sha256)) for path, sha256 in json.loads(self._note.read_text("ascii"))}
        return set()

    def _present(self) -> Iterator[PulledFile]:
        plugin = self.into / self.name
        if plugin.is_symlink():
            return
        for root, folders, names in os.walk(plugin):
            links = [name for name in folders if Path(root, name).is_symlink()]
            for name in sorted([*names, *links]):
                file = Path(root, name)
                yield PulledFile(str(file.relative_to(plugin)), _sha256(file))

    def _copy(self, edited: Iterable[PulledFile], place: Path) -> None:
        fresh = place.with_name(f".{place.name}.new")
        discard_tree(fresh)
        for file in edited:
            target = fresh / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.into / self.name / file.path, target, follow_symlinks=False)
        fresh.rename(place)

    def _bound(self, kept: Path, newest: Path) -> Iterator[str]:
        """Delete the oldest directories until what is kept is within the bounds. Yield those that went."""
        sizes = {place: _size(place) for place in sorted(kept.glob("*/*"), key=_modified)}
        for place in [place for place in sizes if place != newest]:
            if (
                sum(files for files, _ in sizes.values()) <= self.most_files
                and sum(size for _, size in sizes.values()) <= self.most_bytes
            ):
                return
            discard_tree(place)
            del sizes[place]
            yield str(place.relative_to(self.into))


def _sha256(file: Path) -> str:
    """Return the hash of a file's bytes; for a link and whatever else is no file one that no delivery has."""
    if file.is_symlink():
        return hashlib.sha256(b"link " + os.fsencode(file.readlink())).hexdigest()
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _modified(place: Path) -> float:
    return place.stat().st_mtime


def _size(place: Path) -> tuple[int, int]:
    files = [file for file in place.rglob("*") if file.is_symlink() or file.is_file()]
    return len(files), sum(file.lstat().st_size for file in files)
