"""The shells that the scripts are tried under."""

from __future__ import annotations

import pytest

from plugport.builtin_backends.shell import CommandChannel

SHELLS = [
    pytest.param(["sh"], id="sh"),
    pytest.param(["bash", "--posix"], id="bash"),
    pytest.param(["busybox", "sh"], id="busybox"),
]


def with_shell(shell: list[str]) -> CommandChannel:
    """A channel with this shell, whose own tools go first where it has them built in."""
    return CommandChannel(lambda argv: [*shell, *argv[1:]])
