"""Faults of the engine: whatever fails, the target has the whole old version or the whole new one."""

from __future__ import annotations

import asyncio
import contextlib
import io
import signal
import tarfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from plugport.builtin_backends.docker import shellless
from plugport.hookspecs import Bundle, RunState, Workspace, errors
from plugport.hookspecs.conformance import bundle_of

DIGEST = "cd /configs/plugins/p && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum"


@dataclass
class Interrupted:
    """A bundle whose stream does something when a part of it was read."""

    bundle: Bundle
    part: float
    what: Callable[[], object]
    cut: bool = False

    @property
    def name(self) -> str:
        return self.bundle.name

    @property
    def digest(self) -> str:
        return self.bundle.digest

    @property
    def size(self) -> int:
        return self.bundle.size

    def open_tar(self, prefix: str = "") -> io.BytesIO:
        return _Stream(self.bundle.open_tar(prefix).read(), self.part, self.what, self.cut)


class _Stream(io.BytesIO):
    def __init__(self, data: bytes, part: float, what: Callable[[], object], cut: bool) -> None:
        self._at = int(len(data) * part) // 512 * 512
        super().__init__(data[: self._at] if cut else data)
        self._what, self._done = what, cut

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(min(size or -1, 1 << 18) if size and size > 0 else size)
        if not self._done and self.tell() > self._at:
            self._done = True
            self._what()
        return chunk


@pytest.fixture
async def workspace(engine, backend, tmp_path):
    """A container with an old version of `p`; `old` is its digest."""
    name = f"f{time.monotonic_ns()}"
    engine.run(name)
    made = Workspace(name, backend="docker", container=name)
    await backend.deliver(made, bundle_of(tmp_path / "old", "p", {"a": b"old", "b": b"old"}))
    yield made
    engine.client.api.remove_container(name, force=True)


def _now(engine, workspace) -> str:
    return "sha256:" + engine.shell(workspace.container_name, DIGEST).split()[0]


_OWN = {".:", ".plugport", ".plugport/staging:"}


def _left(engine, workspace) -> list[str]:
    """What lies in `plugins`; of plugport's own folder only what a delivery left there."""
    lines = "cd /configs/plugins && ls -A . .plugport/staging 2>/dev/null || :"
    return [word for word in engine.shell(workspace.container_name, lines).split() if word not in _OWN]


def _new(tmp_path) -> Bundle:
    return bundle_of(tmp_path / "new", "p", {f"f{n}": bytes([n]) * 200_000 for n in range(40)})


async def test_a_hung_engine_is_unknown_and_not_stopped(engine, backend, workspace):
    engine.signal(signal.SIGSTOP)
    try:
        started = time.monotonic()
        state = await backend.is_running(workspace)
        assert time.monotonic() - started < 15
        assert state.kind == "unknown"
        assert "Timeout" in state.reason
        with pytest.raises(errors.BackendUnavailable):
            await backend.list_installed(workspace)
    finally:
        engine.signal(signal.SIGCONT)
    assert await backend.is_running(workspace) == RunState.RUNNING


async def test_an_engine_that_is_away_is_unknown_and_comes_back(engine, backend, workspace, tmp_path):
    engine.kill()
    try:
        assert (await backend.is_running(workspace)).kind == "unknown"
        with pytest.raises(errors.BackendUnavailable):
            await backend.deliver(workspace, _new(tmp_path))
    finally:
        engine.start()
    assert await backend.is_running(workspace) == RunState.RUNNING


async def test_an_engine_that_is_killed_in_the_middle_of_a_copy(engine, backend, workspace, tmp_path):
    old, new = _now(engine, workspace), _new(tmp_path)
    with pytest.raises((errors.BackendUnavailable, errors.DeliveryFailed, errors.DeliveryTimeout)):
        await backend.deliver(workspace, Interrupted(new, 0.5, engine.kill))
    engine.start()
    assert _now(engine, workspace) == old
    assert (await backend.deliver(workspace, new)).digest == new.digest == _now(engine, workspace)
    assert _left(engine, workspace) == ["p"]


async def test_an_engine_that_restarts_in_the_middle_of_a_copy(engine, backend, workspace, tmp_path):
    old, new, back = _now(engine, workspace), _new(tmp_path), threading.Event()

    def restart() -> None:
        engine.signal(signal.SIGTERM)
        engine.process.wait(30)
        engine.start()
        back.set()

    try:
        await backend.deliver(workspace, Interrupted(new, 0.5, restart))
    except (errors.BackendUnavailable, errors.DeliveryFailed, errors.DeliveryTimeout, errors.WorkspaceNotRunning):
        assert await asyncio.to_thread(back.wait, 60)
        assert _now(engine, workspace) == old
    assert (await backend.deliver(workspace, new)).digest == new.digest == _now(engine, workspace)
    assert _left(engine, workspace) == ["p"]


@pytest.mark.parametrize("part", [0.0, 0.3, 0.99])
async def test_an_upload_that_is_cut_between_two_entries_is_no_delivery(engine, backend, workspace, tmp_path, part):
    old = _now(engine, workspace)
    with pytest.raises(errors.DeliveryFailed):
        await backend.deliver(workspace, Interrupted(_new(tmp_path), part, lambda: None, cut=True))
    assert _now(engine, workspace) == old
    assert _left(engine, workspace) == ["p"]


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_an_archive_that_loses_its_last_entries_is_no_delivery(engine, backend, tmp_path, monkeypatch, lost):
    """Into an image without a shell; the engine answers an archive that ends between two entries with 200."""
    name = f"b{time.monotonic_ns()}"
    engine.run(name, "bare:1")
    target = Workspace(name, backend="docker", container=name)
    old = bundle_of(tmp_path / "old", "p", {"a": b"old"})
    await backend.deliver(target, old)
    real = shellless.upload

    async def cut(client, container, folder, stream):
        with tarfile.open(fileobj=stream) as archive:
            end = archive.getmembers()[-lost].offset
        stream.seek(0)
        await real(client, container, folder, io.BytesIO(stream.read(end)))

    monkeypatch.setattr(shellless, "upload", cut)
    with pytest.raises(errors.DeliveryFailed):
        await backend.deliver(target, bundle_of(tmp_path / "new", "p", {"a": b"new"}))
    monkeypatch.undo()
    _, status = engine.client.api.get_archive(name, "/configs/plugins/p")
    assert status["linkTarget"].endswith(old.digest.removeprefix("sha256:"))
    engine.client.api.remove_container(name, force=True)


async def test_a_container_that_is_removed_in_the_middle_of_a_copy(engine, backend, tmp_path):
    name = f"g{time.monotonic_ns()}"
    engine.run(name)
    victim = Workspace(name, backend="docker", container=name)

    def remove() -> None:
        threading.Thread(target=engine.client.api.remove_container, args=(name,), kwargs={"force": True}).start()

    with contextlib.suppress(errors.WorkspaceNotRunning, errors.DeliveryFailed, errors.BackendUnavailable):
        await backend.deliver(victim, Interrupted(_new(tmp_path), 0.5, remove))
    while await backend.is_running(victim) == RunState.RUNNING:  # the upload holds the container's lock
        await asyncio.sleep(0.05)
    with pytest.raises(errors.WorkspaceNotRunning):
        await backend.deliver(victim, _new(tmp_path))


async def test_what_was_left_in_a_container_before_it_was_started_again_goes(engine, backend, workspace, tmp_path):
    """Also when another container has the number of its namespace by then: this once left the folder for a day."""
    api, old, new = engine.client.api, _now(engine, workspace), _new(tmp_path)
    others = [f"{workspace.container_name}-{number}" for number in range(3)]
    with contextlib.suppress(errors.WorkspaceNotRunning, errors.DeliveryFailed, errors.BackendUnavailable):
        await backend.deliver(workspace, Interrupted(new, 0.5, lambda: api.kill(workspace.container_name)))
    try:
        for other in others:
            engine.run(other)
        api.start(workspace.container_name)
        assert _now(engine, workspace) == old
        assert any(word.startswith("p.") for word in _left(engine, workspace))
        assert (await backend.deliver(workspace, new)).digest == new.digest
        assert _left(engine, workspace) == ["p"]
    finally:
        for other in others:
            api.remove_container(other, force=True)


async def test_a_cancelled_delivery_stops_its_upload_and_frees_the_container(engine, backend, workspace, tmp_path):
    old = _now(engine, workspace)
    loop, reached = asyncio.get_running_loop(), asyncio.Event()

    def stall() -> None:
        loop.call_soon_threadsafe(reached.set)
        time.sleep(0.5)

    task = asyncio.create_task(backend.deliver(workspace, Interrupted(_new(tmp_path), 0.2, stall)))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _now(engine, workspace) == old
    await backend.deliver(workspace, _new(tmp_path))
    assert _left(engine, workspace) == ["p"]


async def test_the_service_tells_a_flaky_engine_from_a_stopped_container(
    engine, workspace, serve, add_plugin, monkeypatch, caplog
):
    monkeypatch.setenv("DOCKER_HOST", engine.url)
    add_plugin("greeter")
    async with serve() as admin:
        body = {"id": "w1", "org": "acme", "runtime": "claude-code", "container": workspace.container_name}
        assert (await admin.post("/workspaces", json=body)).status_code == 201
        assert (await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})).status_code == 200
        assert (await admin.get("/workspaces/w1")).json()["state"] == "running"
        engine.client.api.stop(workspace.container_name, timeout=0)
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})
        assert (reply.status_code, reply.json()["type"].rsplit(":", 1)[-1]) == (503, "workspace-not-running")
        engine.kill()
        try:
            reply = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})
            assert (reply.status_code, reply.json()["type"].rsplit(":", 1)[-1]) == (503, "backend-unavailable")
            assert "docker.sock" not in reply.text
            assert (await admin.get("/workspaces/w1")).json()["state"] == "unknown"
        finally:
            engine.start()
