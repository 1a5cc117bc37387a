"""Deprecated name of `plugport.builtin_backends.shell.shell_target`; it goes with version 0.3."""

from ..shell import ShellTarget

__all__ = ["ShellTarget"]
