"""Providers that break one promise each, registered in `verdicts.MUTANTS`."""

from . import deliveries, observers, policies, queries, sources, targets, uninstalls

__all__ = ["deliveries", "observers", "policies", "queries", "sources", "targets", "uninstalls"]
