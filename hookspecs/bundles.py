"""Deprecated name of `plugport.hookspecs.values.bundle`; it goes with version 0.3."""

import warnings

from .values.bundle import *  # noqa: F403 - an alias hands on everything

warnings.warn("plugport.hookspecs.bundles is now plugport.hookspecs.values", DeprecationWarning, stacklevel=2)
