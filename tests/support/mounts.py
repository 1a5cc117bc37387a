"""Small file systems for tests of a full disk. Only root can mount them."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from support.tools import need_tool


@contextlib.contextmanager
def tmpfs(folder: Path, options: str) -> Iterator[None]:
    """Make the folder and mount a tmpfs there, with options as `size=1m`."""
    mount, unmount = need_tool("mount"), need_tool("umount")
    folder.mkdir()
    subprocess.run([mount, "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run([unmount, "-l", str(folder)], check=True)
