"""Deprecated name of `plugport.hookspecs.values`; it goes with version 0.3."""

import warnings

from .values import *  # noqa: F403 - an alias hands on everything

warnings.warn("plugport.hookspecs.models is now plugport.hookspecs.values", DeprecationWarning, stacklevel=2)
