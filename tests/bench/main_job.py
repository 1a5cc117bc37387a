"""Measures the main job: `python tests/bench/main_job.py [--rounds N]`. Prints a table; ratios are of this one run.

Both sides of a ratio alternate, and medians are compared, since machines are noisy. Nothing here is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from plugport.core.app import create_app
from plugport.core.settings import Settings
from plugport.hookspecs.providers import inspect_provider

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.doubles import MemoryBackend
from support.service import TOKEN, Service

DIGEST = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum"
BARE = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
async def schemes(request):
    return JSONResponse({"schemes": ["github", "local"]})
uvicorn.run(Starlette(routes=[Route("/plugins/sources", schemes)]), port=int(sys.argv[1]), log_level="critical",
            access_log=False)
"""


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def make_plugin(folder: Path, files: int, size: int) -> Path:
    """A plugin of so many files with so many bytes together."""
    chance = random.Random(files)
    folder.mkdir(parents=True)
    (folder / "plugin.yaml").write_text(f"name: {folder.name}\nversion: 1\n")
    for index in range(files - 1):
        path = folder / f"skills/s{index % 40}/f{index}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.randbytes(size // files))
    return folder


def workspace(service: Service, name: str) -> Path:
    """A host workspace of its own."""
    folder = service.folder / name
    folder.mkdir()
    body = {"id": name, "org": "bench", "backend": "host", "options": {"path": str(folder)}}
    service.client.post("/workspaces", json=body).raise_for_status()
    return folder


def install(service: Service, identity: str, plugin: str) -> None:
    """One install, read back."""
    service.client.post(f"/workspaces/{identity}/plugins", json={"source": plugin}).raise_for_status()


def per_install(service: Service, rounds: int) -> str:
    """An install of one small file: into a directory, and into a backend in memory, where the engine alone costs."""
    make_plugin(service.folder / "plugins/tiny", 1, 100)
    workspace(service, "tiny")
    install(service, "tiny", "tiny")
    whole = statistics.median(timed(lambda: install(service, "tiny", "tiny")) for _ in range(rounds * 5))
    engine = statistics.median(asyncio.run(in_memory(service.folder, rounds * 5)))
    return (
        f"an install of one small file: {whole * 1000:.0f} ms; into a backend in memory, which costs nothing: "
        f"{engine * 1000:.0f} ms (goal: 60 ms)"
    )


async def in_memory(folder: Path, count: int) -> list[float]:
    """Seconds of each install through the whole application, in this process, into a backend in memory."""
    settings = Settings(data_dir=folder / "memory", plugins_dir=folder / "plugins", admin_token=TOKEN)
    app = create_app(settings, extra_providers=[inspect_provider(MemoryBackend(), "memory")])
    seconds = []
    async with app.router.lifespan_context(app):
        transport, headers = httpx.ASGITransport(app), {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://bench", headers=headers) as client:
            await client.post("/workspaces", json={"id": "w", "org": "bench", "backend": "memory"})
            for _ in range(count):
                started = time.perf_counter()
                (await client.post("/workspaces/w/plugins", json={"source": "tiny"})).raise_for_status()
                seconds.append(time.perf_counter() - started)
    return seconds


def large(service: Service, rounds: int) -> str:
    """2,000 files, 50 MB, against `cp -a` and the digest line."""
    plugin = make_plugin(service.folder / "plugins/large", 2000, 50_000_000)
    target = workspace(service, "large")
    by_hand = service.folder / "by-hand"

    def copy() -> None:
        shutil.rmtree(by_hand, ignore_errors=True)
        subprocess.run(["cp", "-a", str(plugin), str(by_hand)], check=True)
        subprocess.run(DIGEST, shell=True, cwd=by_hand, check=True, stdout=subprocess.DEVNULL)

    install(service, "large", "large")
    ours, theirs = [], []
    for _ in range(rounds):
        shutil.rmtree(target / "plugins")
        ours.append(timed(lambda: install(service, "large", "large")))
        shutil.rmtree(by_hand, ignore_errors=True)
        theirs.append(timed(copy))
    ours_median, theirs_median = statistics.median(ours), statistics.median(theirs)
    ratio = ours_median / theirs_median
    return f"2,000 files, 50 MB: {ours_median:.2f} s; by hand {theirs_median:.2f} s; {ratio:.2f} x (goal: 3 x)"


def memory(service: Service) -> str:
    """The server's peak over what it held idle, for a plugin of 100 MiB in one file and many."""
    make_plugin(service.folder / "plugins/huge", 20, 99 * 1024 * 1024)
    workspace(service, "huge")
    install(service, "huge", "tiny")
    status = Path(f"/proc/{service.process.pid}/status")

    def field(name: str) -> float:
        line = next(line for line in status.read_text().splitlines() if line.startswith(name))
        return int(line.split()[1]) / 1024

    Path(f"/proc/{service.process.pid}/clear_refs").write_text("5")
    idle = field("VmRSS")
    install(service, "huge", "huge")
    service.client.get("/workspaces/huge/plugins/huge/download").raise_for_status()
    return f"a plugin of 99 MiB, installed and downloaded: {field('VmHWM') - idle:.0f} MiB over idle (goal: 64 MiB)"


def requests(port: int, count: int) -> float:
    """Requests a second on one connection."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        reader = line.makefile("rb")
        started = time.perf_counter()
        for _ in range(count):
            line.sendall(b"GET /plugins/sources HTTP/1.1\r\nHost: localhost\r\n\r\n")
            length = 0
            while (header := reader.readline()) != b"\r\n":
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            reader.read(length)
        return count / (time.perf_counter() - started)


def read_route(service: Service, rounds: int) -> str:
    """GET /plugins/sources against a bare Starlette route with the same answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    bare = subprocess.Popen([sys.executable, "-c", BARE, str(port)])
    try:
        for _ in range(200):
            try:
                requests(port, 1)
                break
            except OSError:
                time.sleep(0.05)
        own = int(service.url.rpartition(":")[2])
        pairs = [(requests(own, 2000), requests(port, 2000)) for _ in range(rounds)]
    finally:
        bare.terminate()
        bare.wait()
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    return (
        f"GET /plugins/sources: {ours:.0f} a second; bare Starlette {theirs:.0f}; {ours / theirs:.2f} x (goal: 0.5 x)"
    )


def starts(rounds: int) -> str:
    """`plugport --help`, and from `serve` to its first line."""
    command = [sys.executable, "-P", "-m", "plugport.core", "--help"]
    shown = statistics.median(
        timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)) for _ in range(rounds)
    )
    ready = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            service = Service(Path(folder))
            ready.append(time.perf_counter() - started)
            service.stop()
    return f"plugport --help {shown:.2f} s (goal: 0.3 s); serve ready in {statistics.median(ready):.2f} s (goal: 4 s)"


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {rounds} rounds")
    print(starts(rounds))
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder))
        try:
            print(per_install(service, rounds))
            print(large(service, rounds))
            print(read_route(service, rounds))
            print(memory(service))
        finally:
            service.stop()


if __name__ == "__main__":
    main()
