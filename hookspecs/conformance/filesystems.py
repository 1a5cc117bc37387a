"""A target's files, seen and changed by another way than the provider that is under test."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import shutil
import stat
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class FileState:
    """A file on a target. `owner` is its user's id; None if that means nothing there."""

    content: bytes
    executable: bool
    owner: int | None = None


class TargetFilesystem(Protocol):
    """A workspace's config dir, without the provider. Paths are relative to it, with `/`."""

    def read(self) -> Mapping[str, FileState]:
        """Return every file by its path. Links are left out and not followed; a missing directory is empty."""

    def folders(self) -> set[str]:
        """Return the path of every directory."""

    def write(self, path: str, content: bytes) -> None:
        """Write a file as the agent would, with the directories above it."""

    def delete(self, path: str) -> None:
        """Delete a file or a whole directory. It may be gone already."""

    def link(self, path: str, to: str) -> None:
        """Make a symbolic link at `path` that leads to `to`."""


class DirectoryFilesystem:
    """A config dir on this machine. `owned` says whether the owners of its files mean something; `owner` is the user
    and the group that own what is written there, None if that is who runs the tests."""

    def __init__(self, folder: Path, *, owned: bool = False, owner: int | None = None) -> None:
        self.folder, self._owned, self._owner = folder, owned, owner

    def read(self) -> Mapping[str, FileState]:
        """See `TargetFilesystem.read`."""
        files: dict[str, FileState] = {}
        for above, _, names in os.walk(self.folder):
            for path in (Path(above, name) for name in names):
                with contextlib.suppress(FileNotFoundError):  # a provider may be cleaning up meanwhile
                    status = path.lstat()
                    if stat.S_ISREG(status.st_mode):
                        owner = status.st_uid if self._owned else None
                        state = FileState(path.read_bytes(), bool(status.st_mode & 0o100), owner)
                        files[path.relative_to(self.folder).as_posix()] = state
        return files

    def folders(self) -> set[str]:
        """See `TargetFilesystem.folders`."""
        every = (Path(above, name) for above, names, _ in os.walk(self.folder) for name in names)
        return {path.relative_to(self.folder).as_posix() for path in every if not path.is_symlink()}

    def write(self, path: str, content: bytes) -> None:
        """See `TargetFilesystem.write`."""
        target = self._prepared(path)
        target.write_bytes(content)
        self._give(target)

    def delete(self, path: str) -> None:
        """See `TargetFilesystem.delete`."""
        target = self.folder / path
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)

    def link(self, path: str, to: str) -> None:
        """See `TargetFilesystem.link`."""
        target = self._prepared(path)
        target.symlink_to(to)
        self._give(target)

    def _prepared(self, path: str) -> Path:
        target = self.folder / path
        missing = [above for above in target.parents if not above.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        for above in missing:
            self._give(above)
        return target

    def _give(self, path: Path) -> None:
        if self._owner is not None:
            os.chown(path, self._owner, self._owner, follow_symlinks=False)


class ShellFilesystem:
    """A config dir behind a shell: `run(line, stdin)` runs a line there, as root, and returns its output.

    The lines need `tar`, `find`, `mkdir`, `chown`, `rm` and `ln`.
    """

    def __init__(self, run: Callable[[str, bytes], bytes], config_dir: str, *, owner: int | None = 1000) -> None:
        self._run, self._dir, self._owner = run, config_dir, owner

    def read(self) -> Mapping[str, FileState]:
        """See `TargetFilesystem.read`."""
        archive = self._run(f"cd {self._quoted()} 2>/dev/null || exit 0; tar -cf - . || [ $? = 1 ]", b"")
        if not archive.strip(b"\0"):
            return {}
        files: dict[str, FileState] = {}
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            for entry in opened:
                stream = opened.extractfile(entry) if entry.isreg() else None
                if stream is not None:
                    state = FileState(stream.read(), bool(entry.mode & 0o100), entry.uid)
                    files[entry.name.removeprefix("./")] = state
        return files

    def folders(self) -> set[str]:
        """See `TargetFilesystem.folders`."""
        output = self._run(f"cd {self._quoted()} 2>/dev/null || exit 0; find . -type d", b"")
        return {line.removeprefix("./") for line in output.decode().split("\n") if line.startswith("./")}

    def write(self, path: str, content: bytes) -> None:
        """See `TargetFilesystem.write`."""
        target = self._quoted(path)
        first = self._quoted(path.partition("/")[0])
        owned = "" if self._owner is None else f"; chown -R {self._owner}:{self._owner} {self._quoted()} {first}"
        self._run(f'mkdir -p "$(dirname {target})" && cat > {target}{owned}', content)

    def delete(self, path: str) -> None:
        """See `TargetFilesystem.delete`."""
        self._run(f"rm -rf {self._quoted(path)}", b"")

    def link(self, path: str, to: str) -> None:
        """See `TargetFilesystem.link`."""
        target = self._quoted(path)
        owned = "" if self._owner is None else f"; chown -hR {self._owner}:{self._owner} {self._quoted()}"
        self._run(f'mkdir -p "$(dirname {target})" && ln -s {shlex.quote(to)} {target}{owned}', b"")

    def _quoted(self, path: str = "") -> str:
        return shlex.quote(f"{self._dir}/{path}" if path else self._dir)
