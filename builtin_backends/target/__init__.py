"""Deprecated name of `plugport.builtin_backends.shell`; it goes with version 0.3."""

import warnings

from ..shell import Channel, CommandChannel, Completed, ShellTarget

__all__ = ["Channel", "CommandChannel", "Completed", "ShellTarget"]
warnings.warn(
    "plugport.builtin_backends.target is now plugport.builtin_backends.shell", DeprecationWarning, stacklevel=2
)
