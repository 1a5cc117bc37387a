"""What the scripts use of a target, beside a shell of POSIX.

tests/backends/test_shell_tools.py holds the scripts to these lists, and docs/backends/tools.md to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

REQUIRED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "cat": (),
        "chmod": ("--",),
        "cp": ("--", "-R", "-p"),
        "find": ("!", "(", "-depth", "-exec +", "-o", "-path", "-print0", "-prune", "-size", "-type"),
        "head": ("-c", "-n"),
        "id": ("-u",),
        "ls": ("--", "-1", "-A", "-d", "-i", "-l", "-n", "-t"),
        "mkdir": ("--", "-m", "-p"),
        "mv": ("--", "-f"),
        "readlink": ("--",),
        "rm": ("--", "-f", "-r"),
        "rmdir": ("--",),
        "sed": ("-n",),
        "sh": ("-c",),
        "sha256sum": ("--",),
        "sort": ("-u", "-z"),
        "tar": ("-C", "-c", "-f", "-o", "-p", "-x"),
        "touch": ("--", "-c"),
        "uniq": ("-d",),
        "wc": ("-c",),
        "xargs": ("-0", "-n", "-r"),
    }
)
"""The tools, and the options of each, without which a target is not served."""

WITH_FALLBACK: Final[Mapping[str, tuple[tuple[str, ...], str]]] = MappingProxyType(
    {
        "base64": ((), "od"),
        "chown": (("--", "-R", "-h"), "used by root only"),
        "chroot": (("--userspec",), "su or start-stop-daemon: how root asks an agent"),
        "find -mmin": ((), "a lock folder of another container is not broken"),
        "flock": (("-n", "-s", "-u"), "a lock folder that names its run"),
        "kill": ((), "the run before this one is left alone"),
        "ln": (("--", "-s"), "used by a layout that makes links only"),
        "mv --exchange": (("--no-target-directory",), "perl, python3, or two renames"),
        "od": (("-A", "-t", "-v"), "base64"),
        "openssl": (("-r", "-sha256"), "sha256sum"),
        "perl": (("-e",), "python3, or two renames"),
        "python3": (("-I", "-S", "-c"), "two renames"),
        "setpriv": (("--clear-groups", "--regid", "--reuid"), "chroot, su or start-stop-daemon"),
        "sleep": ((), "used only while another delivery holds the lock"),
        "start-stop-daemon": (("-S", "-c", "-p", "-x"), "the agent is not asked"),
        "su": (("-c", "-s"), "start-stop-daemon"),
        "tr": ((), "a loop of the shell"),
        "uname": (("-m",), "python3, or two renames"),
    }
)
"""The tools that a target may lack, with their options, and what takes their place."""
