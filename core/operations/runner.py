"""Runs operations: durable once accepted, one at a time per workspace and in order, resumed after a crash.

The journal's row is the one truth. A worker takes the lease of a workspace and carries out its open operations,
oldest first; the lease is renewed while it works and checked right before the target is touched, so that a
process that was silent for long does not deliver over its successor's head. docs/decisions/0002 says why this is
ours and not a workflow library's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ...hookspecs import errors
from ...hookspecs.values import JSON
from ..pipeline.fetch import Phase
from ..store.database import Database
from ..store.operations import Journal, Leases, Operation

log = logging.getLogger("plugport.operations")
Render = Callable[[errors.PlugportError, str], Mapping[str, JSON]]
LEASE_SECONDS = 30.0
_MAX_ATTEMPTS = 10
_PHASE_SECONDS = 0.25


class Runner(Protocol):
    """What carries one operation out: the pipeline."""

    async def run(self, operation: Operation, phase: Phase, fence: Any) -> Mapping[str, JSON]:
        """See `Pipeline.run`."""


class LeaseLost(Exception):
    """Raised when another worker has the workspace: the operation is left to it, untouched."""


class Operations:
    """Accepts, runs and watches operations. `render` turns an error into its problem document.

    `exclusive` says that no other process uses the database (SQLite): leases of a process before this one are
    void then, and nobody else's operations need to be looked for.
    """

    def __init__(
        self,
        database: Database,
        runner: Runner,
        render: Render,
        *,
        exclusive: bool,
        concurrency: int = 16,
        poll_seconds: float = 2.0,
        lease_seconds: float = LEASE_SECONDS,
        on_end: Callable[[Operation], None] = lambda operation: None,
    ) -> None:
        self.journal = Journal(database)
        self._leases = Leases(database, uuid.uuid4().hex, lease_seconds)
        self._lease_seconds = lease_seconds
        self._runner, self._render, self._on_end = runner, render, on_end
        self._exclusive, self._poll_seconds = exclusive, poll_seconds
        self._slots = asyncio.Semaphore(concurrency)
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._scheduler: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._changed: dict[str, asyncio.Event] = {}
        self._phases: dict[str, str] = {}

    async def start(self) -> None:
        """Take up what an earlier process left, then whatever comes."""
        if self._exclusive:
            await self._leases.forget_all()
        self._wake.set()
        self._scheduler = asyncio.create_task(self._schedule(), name="operations")

    async def stop(self) -> None:
        """Stop working. What is open stays open in the journal, and is taken up at the next start."""
        tasks = [task for task in (self._scheduler, *self._workers.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def submit(self, **accepted: Any) -> Operation:
        """Write an operation down (see `Journal.accept`) and see to it that it is run."""
        operation, is_new = await self.journal.accept(**accepted)
        if is_new:
            self._start_worker(operation.workspace)
        return operation

    async def get(self, identity: str) -> Operation:
        """The operation as it stands now. Raises `OperationNotFound`."""
        return self._with_phase(await self.journal.get(identity))

    async def page(self, workspaces: Sequence[str] | None, before: int | None, limit: int) -> list[Operation]:
        """See `Journal.page`."""
        return [self._with_phase(one) for one in await self.journal.page(workspaces, before, limit)]

    def _with_phase(self, operation: Operation) -> Operation:
        phase = self._phases.get(operation.id)
        return operation if phase is None or operation.finished else replace(operation, phase=phase)

    async def wait(self, identity: str) -> Operation:
        """The operation when it has ended. Raises `OperationNotFound`."""
        async for operation in self.watch(identity):
            if operation.finished:
                return operation
        raise errors.OperationNotFound

    async def watch(self, identity: str) -> AsyncIterator[Operation]:
        """The operation now and after every change, the last time when it has ended."""
        shown: tuple[str, str] | None = None
        while True:
            changed = self._changed.setdefault(identity, asyncio.Event())
            operation = await self.get(identity)
            if (operation.status, operation.phase) != shown:
                shown = operation.status, operation.phase
                yield operation
            if operation.finished:
                self._changed.pop(identity, None)
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), self._poll_seconds)

    # The workers

    async def _schedule(self) -> None:
        while True:
            try:
                for workspace in await self.journal.waiting():
                    self._start_worker(workspace)
            except Exception:
                log.exception("could not look for open operations")
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._poll_seconds)

    def _start_worker(self, workspace: str) -> None:
        if workspace not in self._workers:
            self._workers[workspace] = asyncio.create_task(self._work(workspace), name=f"workspace {workspace}")

    async def _work(self, workspace: str) -> None:
        came_to_an_end = False
        try:
            async with self._slots:
                if not await self._leases.take(workspace):
                    return
                try:
                    while operation := await self.journal.next_of(workspace):
                        await self._run(operation)
                    came_to_an_end = True
                finally:
                    await self._leases.release(workspace)
        except LeaseLost:
            log.warning("workspace %s was taken over by another process", workspace)
        except Exception:
            log.exception("the worker of workspace %s stopped", workspace)
        finally:
            del self._workers[workspace]
            if came_to_an_end and await self._still_open(workspace):
                self._wake.set()  # accepted between the last look and now

    async def _still_open(self, workspace: str) -> bool:
        with contextlib.suppress(Exception):
            return await self.journal.next_of(workspace) is not None
        return False

    async def _run(self, operation: Operation) -> None:
        await self._change(operation, status="running", attempts=operation.attempts + 1)
        if operation.attempts >= _MAX_ATTEMPTS:
            await self._fail(operation, errors.Internal(f"given up after {operation.attempts} attempts"))
            return

        written = time.monotonic()

        async def phase(name: str) -> None:
            """Told to whoever watches here at once, and written down where it lasts: each write is synced."""
            nonlocal written
            self._phases[operation.id] = name
            if time.monotonic() - written >= _PHASE_SECONDS:
                written = time.monotonic()
                await self.journal.change(operation.id, phase=name)
            self._tell_watchers(operation.id)

        async def fence() -> None:
            if not await self._leases.renew(operation.workspace):
                raise LeaseLost

        heartbeat = asyncio.create_task(self._keep_lease(operation.workspace))
        try:
            current = await self.journal.get(operation.id)
            result = await self._runner.run(current, phase, fence)
        except errors.PlugportError as error:
            await self._fail(operation, error)
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - an operation always ends
            internal = errors.Internal(f"{type(error).__name__}: {error}")
            internal.__cause__ = error
            await self._fail(operation, internal)
        else:
            await self._end(
                operation,
                status="succeeded",
                phase="done",
                plugin=result.get("plugin"),
                source=result.get("source") or operation.source,
                digest=result.get("digest"),
                result=dict(result),
            )
        finally:
            heartbeat.cancel()
            self._phases.pop(operation.id, None)

    async def _keep_lease(self, workspace: str) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            with contextlib.suppress(Exception):
                await self._leases.renew(workspace)

    async def _fail(self, operation: Operation, error: errors.PlugportError) -> None:
        log.error(
            "operation %s failed: %s: %s",
            operation.id,
            error.slug,
            error,
            exc_info=error,
            extra={"request_id": operation.request_id, "workspace": operation.workspace},
        )
        document = dict(self._render(error, operation.request_id))
        if error.retry_after is not None:
            document["retry_after"] = error.retry_after
        await self._end(operation, status="failed", phase="done", error=document)

    async def _end(self, operation: Operation, **values: object) -> None:
        await self._change(operation, finished_at=time.time(), **values)
        self._on_end(await self.journal.get(operation.id))

    async def _change(self, operation: Operation, **values: object) -> None:
        await self.journal.change(operation.id, **values)
        self._tell_watchers(operation.id)

    def _tell_watchers(self, identity: str) -> None:
        if changed := self._changed.pop(identity, None):
            changed.set()
