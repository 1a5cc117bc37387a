"""Deprecated name of `plugport.builtin_backends.shell.channel`; it goes with version 0.3."""

from ..shell import Channel, Completed
from ..shell.script import script_command as script
from ..shell.script import script_error as failure

__all__ = ["Channel", "Completed", "failure", "script"]
