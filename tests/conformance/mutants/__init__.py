"""Providers that break one promise each, registered in `verdicts.MUTANTS`."""

from . import activations, deliveries, formats, layouts, observers, policies, queries, sources, targets, uninstalls

__all__ = [
    "activations",
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
