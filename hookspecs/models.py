"""Deprecated name of `plugport.hookspecs.values`; it goes with version 0.3."""

import warnings

from .values import (
    EMPTY,
    JSON,
    Action,
    Cleaned,
    Event,
    InstalledPlugin,
    KeyValueStore,
    PolicyRequest,
    Receipt,
    Refusal,
    Removal,
    Resolved,
    RuleDescriptor,
    RunState,
    RunStateKind,
    ServiceSettings,
    Source,
    StartupContext,
    Workspace,
    normalise_runtime,
)

__all__ = [
    "EMPTY",
    "JSON",
    "Action",
    "Cleaned",
    "Event",
    "InstalledPlugin",
    "KeyValueStore",
    "PolicyRequest",
    "Receipt",
    "Refusal",
    "Removal",
    "Resolved",
    "RuleDescriptor",
    "RunState",
    "RunStateKind",
    "ServiceSettings",
    "Source",
    "StartupContext",
    "Workspace",
    "normalise_runtime",
]
warnings.warn("plugport.hookspecs.models is now plugport.hookspecs.values", DeprecationWarning, stacklevel=2)
