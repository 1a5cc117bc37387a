"""Deprecated name of `plugport.builtin_backends.shell`; it goes with version 0.3."""

import warnings

from ..shell import *  # noqa: F403 - an alias hands on everything

warnings.warn(
    "plugport.builtin_backends.target is now plugport.builtin_backends.shell", DeprecationWarning, stacklevel=2
)
