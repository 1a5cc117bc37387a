"""Finds the programs that tests need, also in the folders of the administrator that a user's PATH lacks."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest

PACKAGES = {
    "busybox": "busybox-static",
    "dockerd": "docker.io",
    "apt-get": "apt",
    "bsdtar": "libarchive-tools",
    "chroot": "coreutils",
    "dpkg-source": "dpkg-dev",
    "pgrep": "procps",
    "ps": "procps",
    "ssh-keygen": "openssh-client",
    "setpriv": "util-linux",
    "sshd": "openssh-server",
}
"""The Debian package that has a program, if it is named differently."""


class MissingTool(Exception):
    """Raised when a program is not installed; its text names the program and its Debian package."""


def search_path() -> str:
    """Return PATH, then the folder of this Python's own programs, then the administrator's folders."""
    own = str(Path(sys.executable).parent)
    return os.pathsep.join([os.environ.get("PATH", os.defpath), own, "/usr/local/sbin", "/usr/sbin", "/sbin"])


def find_tool(name: str) -> str:
    """Return the path of a program. Raises `MissingTool`."""
    path = shutil.which(name, path=search_path())
    if path is None:
        raise MissingTool(f"{name} is not installed (Debian: {PACKAGES.get(name, name)})")
    return path


def need_tool(name: str) -> str:
    """Return the path of a program, or skip the test if there is none."""
    try:
        return find_tool(name)
    except MissingTool as error:
        skip_without(str(error))


def skip_without(reason: str) -> NoReturn:
    """Skip the test because this machine lacks something; in CI that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def without_rights() -> list[str]:
    """Return the command that runs another one without the capabilities by which root ignores the modes of files."""
    return [need_tool("setpriv"), "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
