"""Deprecated name of `plugport.hookspecs.providers`; it goes with version 0.3."""

import warnings

from .providers import *  # noqa: F403 - an alias hands on everything
from .providers.inspection import BACKEND_HOOKS, SLOW_IMPORT_SECONDS  # noqa: F401
from .providers.inspection import inspect_provider as examine  # noqa: F401

warnings.warn("plugport.hookspecs.loading is now plugport.hookspecs.providers", DeprecationWarning, stacklevel=2)
