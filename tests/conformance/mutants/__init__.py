"""Providers that break one promise each, registered in `verdicts.MUTANTS`."""

from . import activations, deliveries, observers, policies, queries, sources, targets, uninstalls

__all__ = ["activations", "deliveries", "observers", "policies", "queries", "sources", "targets", "uninstalls"]
