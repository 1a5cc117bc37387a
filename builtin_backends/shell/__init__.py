"""For backends of anything with a shell, other teams' included: give `ShellTarget` a way to run a command there."""

from .channel import Channel, Completed
from .command_channel import CommandChannel
from .shell_target import ShellTarget

__all__ = ["Channel", "CommandChannel", "Completed", "ShellTarget"]
