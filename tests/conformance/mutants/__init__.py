"""Providers that break one promise each, registered in `verdicts.MUTANTS`."""

from . import (
    activations,
    conditions,
    deliveries,
    formats,
    layouts,
    observers,
    policies,
    queries,
    sources,
    targets,
    uninstalls,
)

__all__ = [
    "activations",
    "conditions",
    "deliveries",
    "formats",
    "layouts",
    "observers",
    "policies",
    "queries",
    "sources",
    "targets",
    "uninstalls",
]
