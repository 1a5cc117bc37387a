"""Measures the ec2 backend: `python tests/bench/ec2_delivery.py [--rounds N]`, as root.

A simulated instance (plugport.builtin_backends.ec2.simulator, its own process) has a real sshd, a tunnel endpoint
with TLS, and AWS as far as it is asked. Both sides of a ratio use that sshd and alternate; medians are compared.
"By OpenSSH" is `tar c | ssh HOST tar x` over plain TCP, a new connection each time, with a key that is let in
already: nothing is checked there, and nothing is read back. Nothing here is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import uvloop
from main_job import make_plugin
from support.service import Service
from support.simulated_ec2 import DictStore
from support.tools import find_tool

from plugport.builtin_backends.ec2.backend import Ec2Backend
from plugport.builtin_backends.shell import CommandChannel
from plugport.builtin_backends.shell.install import install
from plugport.hookspecs import Bundle, ServiceSettings, StartupContext, TreeEntry, Workspace, pack
from plugport.hookspecs.conformance import bundle_of

DELAY = 0.02
Work = Callable[[], Awaitable[object]]


@contextmanager
def instance(*options: str) -> Iterator[dict[str, Any]]:
    """A simulated instance with its options, and its environment here."""
    command = [sys.executable, "-P", "-m", "plugport.builtin_backends.ec2.simulator", *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        simulated = json.loads(process.stdout.readline())
        before = dict(os.environ)
        os.environ.update(simulated["environment"])
        try:
            yield simulated
        finally:
            os.environ.clear()
            os.environ.update(before)
            process.communicate("", timeout=60)


async def started(simulated: dict[str, Any]) -> Ec2Backend:
    """The backend, as the service would start it."""

    async def audit(what: str, fields: object) -> None:
        return None

    environment = simulated["environment"]
    settings = {
        "os_user": environment["PLUGPORT_EC2_OS_USER"],
        "tunnel_connect": environment["PLUGPORT_EC2_TUNNEL_CONNECT"],
    }
    import logging

    service = ServiceSettings(plugins_dir="/nonexistent")
    made = Ec2Backend()
    await made.startup(
        StartupContext(
            "ec2", settings, service, DictStore(), audit, logging.getLogger("bench"), lambda awaitable: None
        )
    )
    return made


def bundle(folder: Path, name: str, files: int, size: int) -> tuple[Bundle, Path]:
    """A bundle, and the tree that it is made of."""
    tree = make_plugin(folder / name, files, size)
    entries = [
        TreeEntry(str(path.relative_to(tree)), path, False) for path in sorted(tree.rglob("*")) if path.is_file()
    ]
    return pack(name, entries, folder / f"{name}.tar"), tree


def ten_bundles(folder: Path, name: str) -> list[Bundle]:
    """Ten bundles of 1 MB each."""
    content = [{f"f{number}": os.urandom(10_000) for number in range(100)} for _ in range(10)]
    return [bundle_of(folder / f"{name}{number}", f"{name}{number}", files) for number, files in enumerate(content)]


class OpenSsh:
    """The ssh command, with a key of its own that the host lets in."""

    def __init__(self, simulated: dict[str, Any], folder: Path) -> None:
        self.simulated, self.key = simulated, folder / "key"
        subprocess.run([find_tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        user = simulated["environment"]["PLUGPORT_EC2_OS_USER"]
        with (Path(simulated["ssh_folder"]) / f"keys-{user}").open("a") as keys:
            keys.write(self.key.with_suffix(".pub").read_text())
        options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
        self.ssh = [
            "ssh",
            "-F",
            "none",
            *options,
            "-i",
            str(self.key),
            "-p",
            str(simulated["ssh_port"]),
            f"{user}@127.0.0.1",
        ]

    async def copy(self, tree: Path) -> None:
        """`tar c | ssh … tar x` into an empty folder."""
        remote = "rm -rf /configs/by-hand && mkdir -p /configs/by-hand && tar -x -C /configs/by-hand"
        await self.run(f"tar -c -C {tree} . | {' '.join(self.ssh)} '{remote}'")

    async def run(self, line: str) -> None:
        """A shell's line."""
        process = await asyncio.create_subprocess_shell(line)
        assert await process.wait() == 0


def on_the_host(root: str) -> CommandChannel:
    """The commands on the host itself, as uid 1000: what no line can be faster than."""
    before = [find_tool("chroot"), root, "setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "--"]
    return CommandChannel(lambda argv: [*before, *argv])


async def medians(rounds: int, *works: Work, before: Work | None = None) -> list[float]:
    """Medians of works that take turns; `before` each of them, untimed."""
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for index, work in enumerate(works):
            if before is not None:
                await before()
            seconds[index].append(await timed(work))
    return [statistics.median(times) for times in seconds]


async def timed(work: Work) -> float:
    """Seconds."""
    begun = time.perf_counter()
    await work()
    return time.perf_counter() - begun


async def against_openssh(simulated: dict[str, Any], folder: Path, rounds: int) -> None:
    """Large and small, against tar and ssh; and the floors under ours."""
    backend, workspace = (
        await started(simulated),
        Workspace("w", runtime="claude-code", instance_id=simulated["instance"]),
    )
    direct = Workspace(
        "d",
        runtime="claude-code",
        instance_id=simulated["instance"],
        options={"ssh_host": "127.0.0.1", "ssh_port": simulated["ssh_port"]},
    )
    by_hand = await asyncio.to_thread(OpenSsh, simulated, folder)
    for label, files, size, goal in (("small", 100, 1_000_000, 0.5), ("large", 2000, 50_000_000, 1.1)):
        packed, tree = bundle(folder, label, files, size)
        await backend.deliver(workspace, packed)
        await backend.deliver(direct, packed)

        async def clear() -> None:
            shutil.rmtree(Path(simulated["root"]) / "configs/plugins", ignore_errors=True)
            shutil.rmtree(Path(simulated["root"]) / "configs/by-hand", ignore_errors=True)

        script = f"{' '.join(by_hand.ssh)} 'cat > /dev/null' < {folder / (label + '.tar')}"
        ours, direct_one, theirs, pipe = await medians(
            rounds,
            partial(backend.deliver, workspace, packed),
            partial(backend.deliver, direct, packed),
            partial(by_hand.copy, tree),
            partial(by_hand.run, script),
            before=clear,
        )
        print(
            f"{files} files, {size // 10**6} MB, warm, through the tunnel: {ours:.3f} s; by OpenSSH {theirs:.3f} s: "
            f"{ours / theirs:.2f} x (goal {goal}); direct {direct_one:.3f} s; OpenSSH into /dev/null {pipe:.3f} s",
            flush=True,
        )
    await backend.shutdown()


async def ten_at_once(simulated: dict[str, Any], folder: Path, rounds: int) -> None:
    """Ten deliveries at once against one, with and without a connection."""
    backend, workspace = (
        await started(simulated),
        Workspace("w", runtime="claude-code", instance_id=simulated["instance"]),
    )
    single_bundle = bundle_of(folder / "ten", "one", {f"f{n}": os.urandom(10_000) for n in range(100)})
    several = ten_bundles(folder, "p")

    async def all_ten() -> None:
        await asyncio.gather(*(backend.deliver(workspace, each) for each in several))

    single, ten = await medians(rounds, lambda: backend.deliver(workspace, single_bundle), all_ten)
    print(
        f"ten deliveries of 1 MB at once: {ten:.3f} s; one {single:.3f} s: {ten / single:.2f} x (goal 3)", flush=True
    )
    alone = on_the_host(simulated["root"])

    async def all_ten_alone() -> None:
        await asyncio.gather(*(install(alone, "/configs", each) for each in several))

    single, ten = await medians(rounds, lambda: install(alone, "/configs", single_bundle), all_ten_alone)
    print(
        f"... the host's share, no line at all: ten {ten:.3f} s; one {single:.3f} s: {ten / single:.2f} x", flush=True
    )
    await backend.shutdown()


async def far_away(folder: Path, rounds: int) -> None:
    """With 40 ms of round trip."""
    with instance("--delay", str(DELAY)) as simulated:
        backend = await started(simulated)
        workspace = Workspace("w", runtime="claude-code", instance_id=simulated["instance"])
        packed, _ = bundle(folder, "far", 100, 1_000_000)
        first = await timed(lambda: backend.deliver(workspace, packed))
        (warm,) = await medians(rounds, lambda: backend.deliver(workspace, packed))
        (listed,) = await medians(rounds, lambda: backend.list_installed(workspace))
        several = ten_bundles(folder, "q")

        async def all_ten() -> None:
            await asyncio.gather(*(backend.deliver(workspace, each) for each in several))

        (ten,) = await medians(rounds, all_ten)
        print(
            f"40 ms of round trip: 1 MB warm {warm:.3f} s: {warm / (2 * DELAY):.1f} round trips (goal 6), the first "
            f"{first:.3f} s, a list {listed:.3f} s; ten at once {ten:.3f} s: {ten / warm:.2f} x one (goal 3)",
            flush=True,
        )
        await backend.shutdown()


def memory(folder: Path) -> None:
    """The server's peak over idle for 99 MiB, through the whole service."""
    with instance() as simulated:
        service = Service(folder, **simulated["environment"])
        try:
            make_plugin(folder / "plugins/huge", 20, 99 * 1024 * 1024)
            make_plugin(folder / "plugins/tiny", 1, 1000)
            body = {"id": "w", "org": "b", "runtime": "claude-code", "instance_id": simulated["instance"]}
            service.client.post("/workspaces", json=body).raise_for_status()
            time.sleep(2.5)
            tiny = {"source": "tiny", "restart": False}
            service.client.post("/workspaces/w/plugins", json=tiny).raise_for_status()
            process = Path(f"/proc/{service.process.pid}")

            def field(name: str) -> float:
                lines = (process / "status").read_text().splitlines()
                return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024

            (process / "clear_refs").write_text("5")
            idle = field("VmRSS")
            huge = {"source": "huge", "restart": False}
            service.client.post("/workspaces/w/plugins", json=huge, timeout=300).raise_for_status()
            print(f"a plugin of 99 MiB: {field('VmHWM') - idle:.0f} MiB over idle (goal 64)", flush=True)
        finally:
            service.stop()


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        print(f"{os.cpu_count()} cores, {rounds} rounds", flush=True)
        with instance() as simulated:
            uvloop.run(against_openssh(simulated, folder, rounds))
            uvloop.run(ten_at_once(simulated, folder, rounds))
        uvloop.run(far_away(folder, rounds))
        memory(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    begun = time.monotonic()
    main()
    print(f"{time.monotonic() - begun:.0f} s in all")
