"""Deprecated name of `plugport.builtin_backends.shell.command_channel`; it goes with version 0.3."""

from ..shell import CommandChannel

__all__ = ["CommandChannel"]
