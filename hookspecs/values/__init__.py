"""The values that hooks take and return: frozen and typed. They know nothing of the service."""

from ..json import EMPTY, JSON
from .activation import (
    Activation,
    Answer,
    Copy,
    FileSyntax,
    Grant,
    LayoutTarget,
    Link,
    MemoryText,
    PlacedFile,
    Question,
    Seen,
    SeenState,
    SettingsEntry,
    TakesEffect,
    TargetChanges,
    TargetCopy,
    TargetLink,
    TargetWrite,
    Unsupported,
)
from .bundle import Bundle, BundleFile, TreeEntry, pack, tree_digest
from .contents import Component, ComponentKind, ContentFinding, Contents, PluginTree, Severity
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
    "Activation",
    "Answer",
    "Bundle",
    "BundleFile",
    "Cleaned",
    "Component",
    "ComponentKind",
    "ContentFinding",
    "Contents",
    "Copy",
    "Edited",
    "Event",
    "FileSyntax",
    "Finding",
    "Grant",
    "InstalledPlugin",
    "KeyValueStore",
    "LayoutTarget",
    "Link",
    "MemoryText",
    "PathKind",
    "PathState",
    "PlacedFile",
    "PluginTree",
    "PolicyRequest",
    "Question",
    "Receipt",
    "Refusal",
    "Removal",
    "Resolved",
    "RuleDescriptor",
    "RunState",
    "RunStateKind",
    "Seen",
    "SeenState",
    "ServiceSettings",
    "SettingsEntry",
    "Severity",
    "Source",
    "StartupContext",
    "TakesEffect",
    "TargetChanges",
    "TargetCopy",
    "TargetLink",
    "TargetQuery",
    "TargetState",
    "TargetWrite",
    "TreeEntry",
    "Unsupported",
    "Workspace",
    "is_name",
    "normalise_runtime",
    "pack",
    "tree_digest",
]
