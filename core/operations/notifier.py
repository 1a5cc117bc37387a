"""Tells of operations that ended: metrics at once, the audit log and the observers beside the work."""

from __future__ import annotations

import asyncio
import logging
import time

from ...hookspecs.values import Event
from ..dispatcher import Dispatcher
from ..store.ledger import Audit
from ..store.operations import Operation
from ..telemetry import Metrics

log = logging.getLogger("plugport.operations")


class Announcer:
    """Hears of every operation's end. What succeeded was told by the pipeline, as part of the operation."""

    def __init__(self, metrics: Metrics, audit: Audit, dispatcher: Dispatcher) -> None:
        self._metrics, self._audit, self._dispatcher = metrics, audit, dispatcher
        self._telling: set[asyncio.Task[None]] = set()

    def ended(self, operation: Operation) -> None:
        """Count the operation; tell of it where it failed. Never raises."""
        slug = _slug(operation)
        self._metrics.operations.labels(operation.kind, operation.status, slug or "").inc()
        finished = operation.finished_at or time.time()
        self._metrics.operation_seconds.labels(operation.kind).observe(max(0.0, finished - operation.created_at))
        if operation.status == "failed":
            task = asyncio.create_task(self._failed(operation, slug))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _failed(self, operation: Operation, slug: str | None) -> None:
        try:
            fields = {"operation": operation.id, "kind": operation.kind, "problem": slug, "source": operation.source}
            await self._audit.write(operation.actor, "operation.failed", operation.workspace, fields)
        except Exception:
            log.exception("could not write to the audit log")
        event = Event(
            "operation.failed",
            operation.workspace,
            operation.plugin,
            operation.source,
            operation=operation.id,
            problem=slug,
        )
        await self._dispatcher.observe(event)


def _slug(operation: Operation) -> str | None:
    kind = (operation.error or {}).get("type")
    return kind.rsplit(":", 1)[-1] if isinstance(kind, str) else None
