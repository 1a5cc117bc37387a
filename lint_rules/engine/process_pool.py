"""Spreads jobs over processes. Each process keeps its files from the summaries to the checks, and reports job by job,
so that one that dies takes nothing with it but the job that it died of."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TypeAlias

from .rule_executor import Checked, Crash, Job, Linked, Summary, Workbench

Answer: TypeAlias = "Mapping[str, Summary | Crash] | Mapping[str, Checked | Crash]"


class Crew:
    """Processes with one workbench each. Use as a context manager: no process outlives it."""

    def __init__(self, bench: Workbench, size: int, weights: Mapping[str, int]) -> None:
        """`weights` are the files' sizes in bytes, by path."""
        self._bench = bench
        self._weights = weights
        start = "fork" if sys.platform == "linux" else None
        self._context = multiprocessing.get_context(start)
        self._linked: Mapping[str, Linked] = {}
        self._members: list[tuple[BaseProcess, Connection]] = []
        self._owner: dict[str, int] = {}
        self._members = [self._hire() for _ in range(size)]

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for process, connection in self._members:
            connection.close()
            process.terminate()
            process.join()

    def summarise(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, dict[str, Summary | Crash]]]:
        """As `Workbench.summarise`, in any order."""
        yield from self._run("summarise", jobs)  # type: ignore[misc]

    def link(self, linked: Mapping[str, Linked]) -> None:
        """As `Workbench.link`."""
        self._linked = linked
        for _, connection in self._members:
            connection.send(("link", linked))

    def check(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, dict[str, Checked | Crash]]]:
        """As `Workbench.check`, in any order."""
        yield from self._run("check", jobs)  # type: ignore[misc]

    def _run(self, stage: str, jobs: Sequence[Job]) -> Iterator[tuple[Job, Answer]]:
        todo = self._shared_out(jobs)
        for member, mine in todo.items():
            self._members[member][1].send((stage, mine))
        while todo := {member: mine for member, mine in todo.items() if mine}:
            ready = wait([self._members[member][1] for member in todo])
            for member in [member for member in todo if self._members[member][1] in ready]:
                job = todo[member].pop(0)
                try:
                    yield job, self._members[member][1].recv()
                except (EOFError, OSError):
                    yield job, self._buried(member, stage, job, todo[member])

    def _buried(self, member: int, stage: str, job: Job, rest: list[Job]) -> Answer:
        process, connection = self._members[member]
        connection.close()
        process.join()
        reason = f"the process died of it (exit code {process.exitcode})"
        self._members[member] = self._hire()
        fresh = self._members[member][1]
        if self._linked:
            fresh.send(("link", self._linked))
        fresh.send((stage, rest))
        return {code: Crash(code, job.path, stage, reason) for code in job.codes}

    def _hire(self) -> tuple[BaseProcess, Connection]:
        ours, theirs = self._context.Pipe()
        forked = self._context.get_start_method() == "fork"
        inherited = [ours, *(connection for _, connection in self._members)] if forked else []
        process = self._context.Process(target=_serve, args=(self._bench, theirs, inherited), daemon=True)  # type: ignore[attr-defined]
        process.start()
        theirs.close()
        return process, ours

    def _shared_out(self, jobs: Iterable[Job]) -> dict[int, list[Job]]:
        load = dict.fromkeys(range(len(self._members)), 0)
        todo: dict[int, list[Job]] = {member: [] for member in load}
        for job in sorted(jobs, key=lambda job: -self._weights[job.path]):
            member = self._owner.get(job.path)
            if member is None:
                member = self._owner[job.path] = min(load, key=lambda one: load[one])
            load[member] += self._weights[job.path]
            todo[member].append(job)
        return todo


def _serve(bench: Workbench, connection: Connection, inherited: Sequence[Connection]) -> None:
    for other in inherited:
        other.close()  # else this process would not learn that its parent has gone
    try:
        while True:
            stage, work = connection.recv()
            if stage == "link":
                bench.link(work)
            else:
                act = bench.summarise if stage == "summarise" else bench.check
                for job in work:
                    connection.send(act(job))
    except (EOFError, OSError, KeyboardInterrupt):
        return
