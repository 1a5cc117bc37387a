"""Reports ended operations: to the metrics at once; failures also to the audit log and the observers."""

from __future__ import annotations

import asyncio
import logging
import time

from ...hookspecs.values import Event
from ..dispatcher import Dispatcher
from ..store.audit import Audit
from ..telemetry import Metrics
from .model import Operation

log = logging.getLogger("plugport.operations")


class Notifier:
    """Counts ended operations, and reports failures in tasks of its own. The pipeline itself reports successes."""

    def __init__(self, metrics: Metrics, audit: Audit, dispatcher: Dispatcher) -> None:
        self._metrics, self._audit, self._dispatcher = metrics, audit, dispatcher
        self._tasks: set[asyncio.Task[None]] = set()

    def operation_ended(self, operation: Operation) -> None:
        """Count the operation, and start to report it if it failed. Never raises."""
        slug = _slug(operation)
        self._metrics.operations.labels(operation.kind, operation.status, slug or "").inc()
        finished = operation.finished_at or time.time()
        self._metrics.operation_seconds.labels(operation.kind).observe(max(0.0, finished - operation.created_at))
        if operation.status == "failed":
            task = asyncio.create_task(self._report_failure(operation, slug))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _report_failure(self, operation: Operation, slug: str | None) -> None:
        try:
            fields = {"operation": operation.id, "kind": operation.kind, "problem": slug, "source": operation.source}
            await self._audit.write(operation.actor, "operation.failed", operation.workspace, fields)
        except Exception:
            log.exception("could not write to the audit log")
        await self._dispatcher.observe(
            Event(
                "operation.failed",
                operation.workspace,
                operation.plugin,
                operation.source,
                operation=operation.id,
                problem=slug,
            )
        )


def _slug(operation: Operation) -> str | None:
    kind = (operation.error or {}).get("type")
    return kind.rsplit(":", 1)[-1] if isinstance(kind, str) else None
