"""Measures the docker backend on a private engine: `python tests/bench/docker_delivery.py [--rounds N]`, as root.

Everything goes through the API with the source in the cache; both sides of a ratio alternate, and
medians are compared. Nothing here is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from main_job import make_plugin, timed
from support.engine import PrivateEngine
from support.service import Service

DIGEST = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum"


def medians(rounds: int, *works: Callable[[], object], before: Callable[[], object] = lambda: None) -> list[float]:
    """Medians of works that take turns; `before` each of them, untimed."""
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for index, work in enumerate(works):
            before()
            seconds[index].append(timed(work))
    return [statistics.median(times) for times in seconds]


class Bench:
    """A service and an engine, and one container in it."""

    def __init__(self, folder: Path, engine: PrivateEngine, service: Service) -> None:
        self.folder, self.engine, self.service = folder, engine, service
        self.environment = {**os.environ, "DOCKER_HOST": engine.url}

    def workspace(self, name: str) -> None:
        """A container of that name, known to the service."""
        self.engine.run(name)
        self.service.client.post("/workspaces", json={"id": name, "org": "b", "container": name}).raise_for_status()

    def install(self, workspace: str, plugin: str) -> None:
        """One install."""
        body = {"source": plugin, "restart": False}
        self.service.client.post(f"/workspaces/{workspace}/plugins", json=body).raise_for_status()

    def docker(self, *arguments: str) -> None:
        """The docker command."""
        subprocess.run(["docker", *arguments], env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def against_docker_cp(self, label: str, files: int, size: int, rounds: int, goals: tuple[float, float]) -> str:
        """An install against `docker cp`, with and without the digest line."""
        plugin = make_plugin(self.service.folder / f"plugins/{label}", files, size)
        time.sleep(2.5)  # a tree that was changed just now is fetched again
        self.install("one", label)

        def clear() -> None:
            self.docker("exec", "one", "rm", "-rf", "/by-hand", "/configs/plugins")

        def copy() -> None:
            self.docker("cp", str(plugin), "one:/by-hand")

        def by_hand() -> None:
            copy()
            self.docker("exec", "one", "sh", "-c", f"cd /by-hand && {DIGEST}")

        ours, checked, bare = medians(rounds, lambda: self.install("one", label), by_hand, copy, before=clear)
        return (
            f"{files} files, {size // 10**6} MB: {ours:.2f} s; by hand {checked:.2f} s: {ours / checked:.2f} x "
            f"(goal {goals[0]}); docker cp {bare:.2f} s: {ours / bare:.2f} x (goal {goals[1]})"
        )

    def listing(self, rounds: int) -> str:
        """Fifty plugins listed, against one exec."""
        for number in range(50):
            make_plugin(self.service.folder / f"plugins/l{number}", 3, 3000)
            self.install("two", f"l{number}")
        listed, command = medians(
            rounds,
            lambda: self.service.client.get("/workspaces/two/plugins").raise_for_status(),
            lambda: self.docker("exec", "two", "true"),
        )
        return (
            f"50 plugins listed: {listed:.3f} s; one docker exec {command:.3f} s: {listed / command:.2f} x (goal 5)"
        )

    def fan_out(self) -> str:
        """The same plugin into twenty containers at once, against twenty times one."""
        for number in range(20):
            self.workspace(f"fan{number}")
            self.install(f"fan{number}", "small")
        single = statistics.median(timed(lambda: self.install("fan0", "small")) for _ in range(5))
        whole = timed(lambda: asyncio.run(self._all(20)))
        twenty = 20 * single
        return f"20 containers at once: {whole:.2f} s; 20 x one {twenty:.2f} s: {whole / twenty:.2f} x (goal 0.8)"

    async def _all(self, count: int) -> None:
        import httpx

        headers = dict(self.service.client.headers)
        async with httpx.AsyncClient(base_url=self.service.url, headers=headers, timeout=120) as client:
            body = {"source": "small", "restart": False}
            replies = [client.post(f"/workspaces/fan{number}/plugins", json=body) for number in range(count)]
            for reply in await asyncio.gather(*replies):
                reply.raise_for_status()

    def memory(self) -> str:
        """The server's peak over idle for 99 MiB."""
        make_plugin(self.service.folder / "plugins/huge", 20, 99 * 1024 * 1024)
        process = self.service.process.pid
        status = Path(f"/proc/{process}/status")

        def field(name: str) -> float:
            return (
                int(next(line for line in status.read_text().splitlines() if line.startswith(name)).split()[1]) / 1024
            )

        Path(f"/proc/{process}/clear_refs").write_text("5")
        idle = field("VmRSS")
        self.install("one", "huge")
        return f"a plugin of 99 MiB: {field('VmHWM') - idle:.0f} MiB over idle (goal 64)"


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    engine = PrivateEngine()
    folder = Path(tempfile.mkdtemp())
    service = Service(folder, DOCKER_HOST=engine.url)
    try:
        bench = Bench(folder, engine, service)
        bench.workspace("one")
        bench.workspace("two")
        print(f"{os.cpu_count()} cores, {rounds} rounds, engine {engine.client.version()['Version']}", flush=True)
        print(bench.against_docker_cp("small", 100, 1_000_000, rounds, (1.0, 1.75)), flush=True)
        print(bench.against_docker_cp("large", 2000, 50_000_000, rounds, (1.0, 1.25)), flush=True)
        print(bench.listing(rounds), flush=True)
        print(bench.fan_out(), flush=True)
        print(bench.memory(), flush=True)
    finally:
        service.stop()
        engine.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"{time.monotonic() - started:.0f} s in all")
