"""Deprecated name of `plugport.hookspecs.providers`; it goes with version 0.3."""

import warnings

from .providers.discovery import *  # noqa: F403 - an alias hands on everything

warnings.warn("plugport.hookspecs.loading is now plugport.hookspecs.providers", DeprecationWarning, stacklevel=2)
