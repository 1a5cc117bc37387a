"""Makes bundles for tests of backends."""

from __future__ import annotations

from pathlib import Path

from plugport.hookspecs import Bundle, TreeEntry, pack


def bundle_of(folder: Path, name: str, files: dict[str, bytes], executable: frozenset[str] = frozenset()) -> Bundle:
    """A bundle of these files; its archive and their origins lie in `folder`."""
    origins = folder / f"{name}-files"
    origins.mkdir(parents=True, exist_ok=True)
    entries = []
    for index, (path, content) in enumerate(files.items()):
        origin = origins / str(index)
        origin.write_bytes(content)
        entries.append(TreeEntry(path, origin, path in executable))
    return pack(name, entries, folder / f"{name}.tar")


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
