"""The values that hooks take and return: frozen and typed. They know nothing of the service."""

from ..json import EMPTY, JSON
from .bundle import Bundle, BundleFile, TreeEntry, pack, tree_digest
from .context import KeyValueStore, ServiceSettings, StartupContext
from .delivery import Action, Cleaned, Edited, InstalledPlugin, Receipt, Removal
from .event import Event
from .finding import Finding
from .name import NAME_PATTERN, is_name
from .policy import PolicyRequest, Refusal
from .rule import RuleDescriptor
from .source import Resolved, Source
from .target import PathKind, PathState, TargetQuery, TargetState
from .workspace import RunState, RunStateKind, Workspace, normalise_runtime

__all__ = [
    "EMPTY",
    "JSON",
    "NAME_PATTERN",
    "Action",
    "Bundle",
    "BundleFile",
    "Cleaned",
    "Edited",
    "Event",
    "Finding",
    "InstalledPlugin",
    "KeyValueStore",
    "PathKind",
    "PathState",
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
    "TargetQuery",
    "TargetState",
    "TreeEntry",
    "Workspace",
    "is_name",
    "normalise_runtime",
    "pack",
    "tree_digest",
]
