"""Deprecated name of `plugport.hookspecs.providers`; it goes with version 0.3."""

import warnings

from .providers import (
    GROUP,
    LINT_GROUP,
    Implementation,
    Provider,
    ProviderInvalid,
    ProviderStatus,
    conflicts,
    discover,
    own_settings,
    specifications,
)
from .providers.inspection import BACKEND_HOOKS, SLOW_IMPORT_SECONDS
from .providers.inspection import inspect_provider as examine

__all__ = [
    "BACKEND_HOOKS",
    "GROUP",
    "LINT_GROUP",
    "SLOW_IMPORT_SECONDS",
    "Implementation",
    "Provider",
    "ProviderInvalid",
    "ProviderStatus",
    "conflicts",
    "discover",
    "examine",
    "own_settings",
    "specifications",
]
warnings.warn("plugport.hookspecs.loading is now plugport.hookspecs.providers", DeprecationWarning, stacklevel=2)
