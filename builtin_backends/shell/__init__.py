"""Delivers into any target with a shell; public, for other teams' backends too.

A backend implements `Channel`, which runs one command on the target, or configures `CommandChannel`.
`ShellTarget` does the rest.
"""

from .channel import Channel, Completed
from .command_channel import CommandChannel
from .kept import KeepBounds
from .shell_target import ShellTarget

__all__ = ["Channel", "CommandChannel", "Completed", "KeepBounds", "ShellTarget"]
