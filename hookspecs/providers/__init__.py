"""Providers: what they are, how they are found, registered with pluggy, and called.

The modules: `model` (providers as data), `validity` (what an implementation may look like), `manager` (the
`pluggy.PluginManager`), `inspection` (from an object to a description), `discovery` (entry points), `calling` (one
contained call).
"""

from .discovery import GROUP, LINT_GROUP, discover, own_settings
from .inspection import inspect_provider
from .manager import ProviderManager
from .model import Implementation, Provider, ProviderInvalid, ProviderStatus, conflicts
from .validity import specifications

__all__ = [
    "GROUP",
    "LINT_GROUP",
    "Implementation",
    "Provider",
    "ProviderInvalid",
    "ProviderManager",
    "ProviderStatus",
    "conflicts",
    "discover",
    "inspect_provider",
    "own_settings",
    "specifications",
]
