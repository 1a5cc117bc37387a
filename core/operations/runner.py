"""Runs operations: durable once accepted, one at a time per workspace and in order, resumed after a crash.

The stored operation is the one truth. A worker takes the lease of a workspace and carries out its open operations,
oldest first. It renews the lease while it works and checks it right before the target is changed, so that a process
that stood still for a while does not deliver after another has taken over. docs/decisions/0002 says why this is our
own and not a workflow library's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from ...hookspecs import errors
from ...hookspecs.values import JSON
from ..disk_space import is_disk_full, unforeseen
from ..store.database import Database
from ..store.operations import Leases, OperationStore
from .model import InstallRequest, LeaseLost, NewOperation, Operation, RestoreRequest, UninstallRequest
from .progress import Progress, Watchers

log = logging.getLogger("plugport.operations")
RenderError = Callable[[errors.PlugportError, str], Mapping[str, JSON]]
Result = Mapping[str, JSON]
_LEASE_SECONDS = 30.0
_POLL_SECONDS = 2.0
_MAX_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Handlers:
    """What carries out each kind of request. A handler returns the result or raises the errors of the tree.
    After a crash it is called again, so every step of it may be repeated."""

    install: Callable[[Operation, InstallRequest, Progress], Awaitable[Result]]
    uninstall: Callable[[Operation, UninstallRequest, Progress], Awaitable[Result]]
    restore: Callable[[Operation, RestoreRequest, Progress], Awaitable[Result]]

    async def handle(self, operation: Operation, progress: Progress) -> Result:
        """Carry the operation out."""
        request = operation.request
        if isinstance(request, InstallRequest):
            return await self.install(operation, request, progress)
        if isinstance(request, RestoreRequest):
            return await self.restore(operation, request, progress)
        return await self.uninstall(operation, request, progress)


class Operations:
    """Accepts, runs and watches operations.

    `render_error` turns an error and a request id into the problem document that is stored. `on_end` is called after
    each operation's end and must not raise. `exclusive` says that no other process uses the database (SQLite): the
    leases of an earlier process are then void. `concurrency` bounds how many workspaces are worked on at once.
    """

    def __init__(
        self,
        database: Database,
        handlers: Handlers,
        render_error: RenderError,
        *,
        exclusive: bool,
        concurrency: int,
        on_end: Callable[[Operation], None],
    ) -> None:
        self._store = OperationStore(database)
        self._leases = Leases(database, uuid.uuid4().hex, _LEASE_SECONDS)
        self._handlers, self._render_error, self._on_end = handlers, render_error, on_end
        self._exclusive = exclusive
        self._slots = asyncio.Semaphore(concurrency)
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._scheduler: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._watchers = Watchers()
        self._full_disks: Counter[str] = Counter()

    async def start(self) -> None:
        """Start to run open operations: first those that an earlier process left."""
        if self._exclusive:
            await self._leases.release_all()
        self._scheduler = asyncio.create_task(self._schedule_workers(), name="operations")

    async def stop(self) -> None:
        """Cancel the workers. What is open stays open in the store, and the next start resumes it."""
        tasks = [task for task in (self._scheduler, *self._workers.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def submit(self, new: NewOperation) -> Operation:
        """Store the operation and have it run, or return the one with the same idempotency key.

        Raises `IdempotencyConflict` if the key belongs to another request.
        """
        operation, is_new = await self._store.accept(new)
        if is_new:
            self._start_worker(operation.workspace)
        return operation

    async def find_submitted(self, new: NewOperation) -> Operation | None:
        """Return the operation with the same idempotency key, or None. Raises `IdempotencyConflict`."""
        return await self._store.find_by_idempotency_key(new)

    async def get(self, operation_id: str) -> Operation:
        """Return the operation as it is now. Raises `OperationNotFound`."""
        return self._watchers.with_phase(await self._store.get(operation_id))

    async def page(self, workspaces: Sequence[str] | None, before: int | None, limit: int) -> list[Operation]:
        """Return up to `limit` operations, newest first; see `OperationStore.page`."""
        stored = await self._store.page(workspaces, before, limit)
        return [self._watchers.with_phase(operation) for operation in stored]

    async def wait(self, operation_id: str) -> Operation:
        """Wait until the operation has ended and return it.

        Raises `OperationNotFound`, and `InsufficientStorage` if its state cannot be stored: it goes on when it can.
        """
        met_before = self._full_disks.copy()
        while True:
            changed = self._watchers.change_of(operation_id)
            operation = await self.get(operation_id)
            if operation.finished:
                self._watchers.notify(operation_id)
                return operation
            if self._full_disks[operation.workspace] > met_before[operation.workspace]:
                raise errors.InsufficientStorage("the operation stays open, since its state cannot be stored")
            await _wait_for_change(changed)

    async def watch(self, operation_id: str) -> AsyncIterator[Operation]:
        """Yield the operation now and after every change, for the last time when it has ended."""
        shown: tuple[str, str] | None = None
        while True:
            changed = self._watchers.change_of(operation_id)
            operation = await self.get(operation_id)
            if (operation.status, operation.phase) != shown:
                shown = operation.status, operation.phase
                yield operation
            if operation.finished:
                self._watchers.notify(operation_id)
                return
            await _wait_for_change(changed)

    async def _schedule_workers(self) -> None:
        while True:
            self._wake.clear()
            try:
                for workspace in await self._store.workspaces_with_open():
                    self._start_worker(workspace)
            except Exception:
                log.exception("could not look for open operations")
            await _wait_for_change(self._wake)

    def _start_worker(self, workspace: str) -> None:
        if workspace not in self._workers:
            worker = self._run_workspace(workspace)
            self._workers[workspace] = asyncio.create_task(worker, name=f"workspace {workspace}")

    async def _run_workspace(self, workspace: str) -> None:
        """Carry out the open operations of the workspace, oldest first, if its lease is free."""
        completed = False
        try:
            async with self._slots:
                if not await self._leases.take(workspace):
                    return
                try:
                    while operation := await self._store.next_open(workspace):
                        await self._run_operation(operation)
                    completed = True
                finally:
                    await self._leases.release(workspace)
        except LeaseLost:
            log.warning("workspace %s was taken over by another process", workspace)
        except Exception as error:
            self._full_disks[workspace] += is_disk_full(error)
            log.exception("the worker of workspace %s stopped", workspace)
        finally:
            del self._workers[workspace]
            if completed:
                self._wake.set()  # an operation may have been accepted after the last look

    async def _run_operation(self, operation: Operation) -> None:
        await self._change(operation, status="running", attempts=operation.attempts + 1)
        if operation.attempts >= _MAX_ATTEMPTS:
            await self._fail(operation, errors.Internal(f"given up after {operation.attempts} attempts"))
            return
        progress = Progress(operation, self._store, self._leases, self._watchers)
        heartbeat = asyncio.create_task(self._keep_lease(operation.workspace))
        try:
            result = await self._handlers.handle(await self._store.get(operation.id), progress)
        except errors.PlugportError as error:
            await self._fail(operation, error)
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - an operation always ends
            await self._fail(operation, unforeseen(error))
        else:
            await self._end(
                operation,
                status="succeeded",
                plugin=result.get("plugin"),
                source=result.get("source") or operation.source,
                digest=result.get("digest"),
                result=dict(result),
            )
        finally:
            heartbeat.cancel()
            self._watchers.set_phase(operation.id, None)

    async def _keep_lease(self, workspace: str) -> None:
        while True:
            await asyncio.sleep(_LEASE_SECONDS / 3)
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
        problem = dict(self._render_error(error, operation.request_id))
        if error.retry_after is not None:
            problem["retry_after"] = error.retry_after
        await self._end(operation, status="failed", error=problem)

    async def _end(self, operation: Operation, **values: object) -> None:
        await self._change(operation, finished_at=time.time(), phase="done", **values)
        self._on_end(await self._store.get(operation.id))

    async def _change(self, operation: Operation, **values: object) -> None:
        await self._store.change(operation.id, **values)
        self._watchers.notify(operation.id)


async def _wait_for_change(changed: asyncio.Event) -> None:
    """Wait until the event is set, or for the poll's seconds.

    `asyncio.wait_for` of Python 3.11 loses a cancellation that comes with the event, and the task would never end.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_POLL_SECONDS):
            await changed.wait()
