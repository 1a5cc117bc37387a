"""For backends of anything with a shell, other teams' included: give `ShellTarget` a way to run a command there."""

from plugport.builtin_backends.target.channel import Channel, Completed
from plugport.builtin_backends.target.command_channel import CommandChannel
from plugport.builtin_backends.target.shell_target import ShellTarget

__all__ = ["Channel", "CommandChannel", "Completed", "ShellTarget"]
