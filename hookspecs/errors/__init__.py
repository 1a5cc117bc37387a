"""The one tree of errors: what may go wrong, as a client sees it.

Each class declares a slug, a status, a title, a template for `detail`, and typed fields (see `base`).
Only fields that cannot hold foreign text reach a client: numbers, closed enums, and names that were validated.
`reason` and the cause, chained with `raise … from …`, are for the log alone; `str(error)` is for the log, too.

A provider may raise the classes that its hook's documentation names. Anything else that it raises becomes a
`HookFailed` and reaches the client as the hook's general failure, without a word of the provider's.
"""

from .backend import BackendUnavailable, HostKeyMismatch, WorkspaceNotRunning
from .base import Internal, PlugportError
from .delivery import (
    ActivationFault,
    ActivationImpossible,
    DeliveryFailed,
    DeliveryTimeout,
    InsufficientStorage,
    PullHint,
    PushNotSupported,
    UnsupportedTarget,
)
from .operation import (
    IdempotencyConflict,
    NameTaken,
    NotManaged,
    OperationNotFound,
    PlaceBlocked,
    PluginNotAllowed,
    PolicyUnavailable,
)
from .plugin import (
    BundleFault,
    BundleTooLarge,
    DigestMismatch,
    InvalidPluginName,
    ManifestInvalid,
    NameMismatch,
    PluginNotFound,
    UnsafeBundle,
)
from .request import (
    FieldProblem,
    Forbidden,
    InvalidRequest,
    MethodNotAllowed,
    NotReady,
    RangeNotSatisfiable,
    RateLimited,
    ReadinessFault,
    RequestTooLarge,
    RouteNotFound,
    Unauthenticated,
    WorkspaceExists,
    WorkspaceNotFound,
)
from .source import InvalidSource, SourceFault, SourceTimeout, SourceUnavailable, UnknownScheme, UnpinnedSource

__all__ = [
    "ActivationFault",
    "ActivationImpossible",
    "BackendUnavailable",
    "BundleFault",
    "BundleTooLarge",
    "DeliveryFailed",
    "DeliveryTimeout",
    "DigestMismatch",
    "FieldProblem",
    "Forbidden",
    "HostKeyMismatch",
    "IdempotencyConflict",
    "InsufficientStorage",
    "Internal",
    "InvalidPluginName",
    "InvalidRequest",
    "InvalidSource",
    "ManifestInvalid",
    "MethodNotAllowed",
    "NameMismatch",
    "NameTaken",
    "NotManaged",
    "NotReady",
    "OperationNotFound",
    "PlaceBlocked",
    "PluginNotAllowed",
    "PluginNotFound",
    "PlugportError",
    "PolicyUnavailable",
    "PullHint",
    "PushNotSupported",
    "RangeNotSatisfiable",
    "RateLimited",
    "ReadinessFault",
    "RequestTooLarge",
    "RouteNotFound",
    "SourceFault",
    "SourceTimeout",
    "SourceUnavailable",
    "Unauthenticated",
    "UnknownScheme",
    "UnpinnedSource",
    "UnsafeBundle",
    "UnsupportedTarget",
    "WorkspaceExists",
    "WorkspaceNotFound",
    "WorkspaceNotRunning",
]
