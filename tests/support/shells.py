"""The shells and tools that the scripts are tried with."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from plugport.builtin_backends.shell import CommandChannel
from support.root_filesystems import NAMES, root_filesystem
from support.tools import MissingTool, find_tool, need_tool, skip_without

SHELLS = [pytest.param(name, id=name) for name in ("here", *(NAMES if os.geteuid() == 0 else ("bash", "busybox")))]
"""This machine's own shell and tools, and each root file system. Only root can enter those: another user gets this
machine's tools under other shells."""
_ENTER = """
root=$1 folder=$2
shift 2
mkdir -p "$root$folder" && mount --rbind "$folder" "$root$folder" && mount --rbind /proc "$root/proc" &&
    mount --rbind /dev "$root/dev" && PATH=/bin exec "$CHROOT" "$root" "$@"
"""


def in_root(name: str) -> Path:
    """Return a root file system, or skip the test."""
    try:
        return root_filesystem(name)
    except MissingTool as error:
        skip_without(f"{name}: {error}")


def shell_words(name: str, root: Path | None = None) -> list[str]:
    """Return the words that run a command with one of SHELLS, in which the folder for temporary files is the same.

    `root` takes the place of the root file system of that name.
    """
    if name == "here":
        return []
    if name not in NAMES:
        folder = Path(tempfile.mkdtemp(prefix="pp-shell-"))
        (folder / "sh").symlink_to(need_tool(name))
        return ["env", f"PATH={folder}:{os.environ['PATH']}"]
    try:
        root, chroot = root or in_root(name), find_tool("chroot")
        enter = [find_tool("unshare"), "--mount", "--propagation", "private", "env", f"CHROOT={chroot}"]
    except MissingTool as error:
        skip_without(f"{name}: {error}")
    return [*enter, "sh", "-c", _ENTER, "enter", str(root), tempfile.gettempdir()]


def with_shell(words: Sequence[str]) -> CommandChannel:
    """Return a channel that puts these words before each command."""
    return CommandChannel(lambda argv: [*words, *argv])
