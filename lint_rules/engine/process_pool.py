"""Spreads jobs over processes. Each process keeps its files from the summaries to the checks and reports job by job,
so that a process that dies loses only the job on which it died."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TypeAlias

from .rule_executor import CheckResult, Crash, Job, Linked, RuleExecutor, Summary

Answer: TypeAlias = "Mapping[str, Summary | Crash] | Mapping[str, CheckResult | Crash]"


class ProcessPool:
    """Processes with one `RuleExecutor` each. Use it as a context manager: no process outlives it."""

    def __init__(self, executor: RuleExecutor, size: int, weights: Mapping[str, int]) -> None:
        """Start `size` processes. `weights` are the files' sizes in bytes, by path."""
        self._executor = executor
        self._weights = weights
        self._context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
        self._linked: Mapping[str, Linked] = {}
        self._member_of: dict[str, int] = {}
        self._members: list[tuple[BaseProcess, Connection]] = []
        for _ in range(size):
            self._members.append(self._spawn())

    def __enter__(self) -> ProcessPool:
        return self

    def __exit__(self, *_: object) -> None:
        for process, connection in self._members:
            connection.close()
            process.terminate()
            process.join()

    def summarise(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, dict[str, Summary | Crash]]]:
        """Yield each job with its `RuleExecutor.summarise`, in any order."""
        yield from self._answers("summarise", jobs)  # type: ignore[misc]

    def link(self, linked: Mapping[str, Linked]) -> None:
        """Call `RuleExecutor.link` in every process."""
        self._linked = linked
        for _, connection in self._members:
            connection.send(("link", linked))

    def check(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, dict[str, CheckResult | Crash]]]:
        """Yield each job with its `RuleExecutor.check`, in any order."""
        yield from self._answers("check", jobs)  # type: ignore[misc]

    def _answers(self, stage: str, jobs: Sequence[Job]) -> Iterator[tuple[Job, Answer]]:
        waiting = self._distribute(jobs)
        for member, member_jobs in waiting.items():
            self._members[member][1].send((stage, member_jobs))
        while waiting := {member: member_jobs for member, member_jobs in waiting.items() if member_jobs}:
            ready = wait([self._members[member][1] for member in waiting])
            for member in [member for member in waiting if self._members[member][1] in ready]:
                job = waiting[member].pop(0)
                try:
                    yield job, self._members[member][1].recv()
                except (EOFError, OSError):
                    yield job, self._replace(member, stage, job, waiting[member])

    def _replace(self, member: int, stage: str, job: Job, rest: list[Job]) -> Answer:
        """Start a process for one that died of a job, and give it the rest of the jobs."""
        process, connection = self._members[member]
        connection.close()
        process.join()
        reason = f"the process died of it (exit code {process.exitcode})"
        self._members[member] = self._spawn()
        connection = self._members[member][1]
        if self._linked:
            connection.send(("link", self._linked))
        connection.send((stage, rest))
        return {code: Crash(code, job.path, stage, reason) for code in job.codes}

    def _spawn(self) -> tuple[BaseProcess, Connection]:
        ours, theirs = self._context.Pipe()
        forked = self._context.get_start_method() == "fork"
        inherited = [ours, *(connection for _, connection in self._members)] if forked else []
        process = self._context.Process(target=_serve, args=(self._executor, theirs, inherited), daemon=True)
        process.start()
        theirs.close()
        return process, ours

    def _distribute(self, jobs: Iterable[Job]) -> dict[int, list[Job]]:
        """Give each job to the process that has the file already, else to the one with the least to do."""
        load = dict.fromkeys(range(len(self._members)), 0)
        by_member: dict[int, list[Job]] = {member: [] for member in load}
        for job in sorted(jobs, key=lambda job: -self._weights[job.path]):
            member = self._member_of.setdefault(job.path, min(load, key=load.__getitem__))
            load[member] += self._weights[job.path]
            by_member[member].append(job)
        return by_member


def _serve(executor: RuleExecutor, connection: Connection, inherited: Sequence[Connection]) -> None:
    for other in inherited:
        other.close()  # else this process would not notice the end of its parent
    try:
        while True:
            stage, payload = connection.recv()
            if stage == "link":
                executor.link(payload)
            else:
                answer = executor.summarise if stage == "summarise" else executor.check
                for job in payload:
                    connection.send(answer(job))
    except (EOFError, OSError, KeyboardInterrupt):
        return
