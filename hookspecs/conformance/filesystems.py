"""What the kit sees of a target, by another way than the provider that is under test."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import stat
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Seen:
    """A file on a target. `owner` is its user's id, None where that means nothing there."""

    content: bytes
    executable: bool
    owner: int | None = None


class Place(Protocol):
    """A workspace's config dir, looked at and changed behind the provider's back. Paths are relative, with `/`."""

    def read(self) -> Mapping[str, Seen]:
        """Every file below it (links not followed, and not listed); empty where the directory is missing."""

    def folders(self) -> set[str]:
        """Every directory below it."""

    def write(self, path: str, content: bytes) -> None:
        """Write a file as the agent would, with the directories above it."""

    def delete(self, path: str) -> None:
        """Delete a file or a whole directory; fine where it is gone."""

    def link(self, path: str, to: str) -> None:
        """Lay a symbolic link."""


class DirectoryPlace:
    """A config dir on this machine. `owned` says whether its files' owners mean something."""

    def __init__(self, folder: Path, *, owned: bool = False) -> None:
        self.folder, self._owned = folder, owned

    def read(self) -> Mapping[str, Seen]:
        """See `Place.read`."""
        found: dict[str, Seen] = {}
        for above, _, names in os.walk(self.folder):
            for path in (Path(above, name) for name in names):
                with contextlib.suppress(FileNotFoundError):  # a provider may be cleaning up meanwhile
                    told = path.lstat()
                    if stat.S_ISREG(told.st_mode):
                        owner = told.st_uid if self._owned else None
                        seen = Seen(path.read_bytes(), bool(told.st_mode & 0o100), owner)
                        found[path.relative_to(self.folder).as_posix()] = seen
        return found

    def folders(self) -> set[str]:
        """See `Place.folders`."""
        every = (Path(above, name) for above, names, _ in os.walk(self.folder) for name in names)
        return {path.relative_to(self.folder).as_posix() for path in every if not path.is_symlink()}

    def write(self, path: str, content: bytes) -> None:
        """See `Place.write`."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def delete(self, path: str) -> None:
        """See `Place.delete`."""
        import shutil

        target = self.folder / path
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)

    def link(self, path: str, to: str) -> None:
        """See `Place.link`."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(to)


class ShellPlace:
    """A config dir behind a shell: `run(line, stdin)` runs a line there, as root, and returns what it says.

    The lines need `tar`, `find`, `mkdir`, `chown`, `rm` and `ln`.
    """

    def __init__(self, run: Callable[[str, bytes], bytes], config_dir: str, *, owner: int | None = 1000) -> None:
        self._run, self._dir, self._owner = run, config_dir, owner

    def read(self) -> Mapping[str, Seen]:
        """See `Place.read`."""
        told = self._run(f"cd {self._quoted()} 2>/dev/null || exit 0; tar -cf - . || [ $? = 1 ]", b"")
        if not told.strip(b"\0"):
            return {}
        found: dict[str, Seen] = {}
        with tarfile.open(fileobj=io.BytesIO(told)) as archive:
            for one in archive:
                name, opened = one.name.removeprefix("./"), archive.extractfile(one) if one.isreg() else None
                if opened is not None:
                    found[name] = Seen(opened.read(), bool(one.mode & 0o100), one.uid)
        return found

    def folders(self) -> set[str]:
        """See `Place.folders`."""
        told = self._run(f"cd {self._quoted()} 2>/dev/null || exit 0; find . -type d", b"")
        return {line.removeprefix("./") for line in told.decode().split("\n") if line.startswith("./")}

    def write(self, path: str, content: bytes) -> None:
        """See `Place.write`."""
        target = shlex.quote(f"{self._dir}/{path}")
        first = shlex.quote(f"{self._dir}/{path.partition('/')[0]}")
        owned = "" if self._owner is None else f"; chown -R {self._owner}:{self._owner} {self._quoted()} {first}"
        self._run(f'mkdir -p "$(dirname {target})" && cat > {target}{owned}', content)

    def delete(self, path: str) -> None:
        """See `Place.delete`."""
        self._run(f"rm -rf {shlex.quote(f'{self._dir}/{path}')}", b"")

    def link(self, path: str, to: str) -> None:
        """See `Place.link`."""
        target = shlex.quote(f"{self._dir}/{path}")
        owned = "" if self._owner is None else f"; chown -hR {self._owner}:{self._owner} {self._quoted()}"
        self._run(f'mkdir -p "$(dirname {target})" && ln -s {shlex.quote(to)} {target}{owned}', b"")

    def _quoted(self) -> str:
        return shlex.quote(self._dir)
