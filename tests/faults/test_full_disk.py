"""A full disk of the service gives typed answers and blames nobody; a data directory belongs to one service."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import sqlite3
import subprocess
import sys

import pytest
from sqlalchemy.exc import OperationalError
from support.doubles import MemoryBackend
from support.service import Service
from support.tools import without_rights

from plugport.core.disk_space import Unwritable, is_disk_full, require_space
from plugport.core.store.database import Database
from plugport.hookspecs import Resolved, errors, hookimpl

MIB = 1024 * 1024


def _slug(reply):
    return reply.json()["type"].rsplit(":", 1)[-1]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(folder):
    with (folder / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


class _SqliteFull(sqlite3.OperationalError):
    sqlite_errorcode = 13


class _PostgresFull(Exception):
    sqlstate = "53100"


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (OSError(errno.ENOSPC, "x"), True),
        (OSError(errno.EDQUOT, "x"), True),
        (OSError(errno.EACCES, "x"), False),
        (OperationalError("x", {}, _SqliteFull("database or disk is full")), True),
        (OperationalError("x", {}, sqlite3.OperationalError("locked")), False),
        (OperationalError("x", {}, _PostgresFull()), True),
        (ExceptionGroup("x", [ValueError(), OSError(errno.ENOSPC, "x")]), True),
        (ValueError("No space left on device"), False),
    ],
)
def test_a_full_disk_is_known_by_its_error(error, is_full):
    assert is_disk_full(error) == is_full
    outer = errors.SourceUnavailable("x")
    outer.__cause__ = error
    assert is_disk_full(outer) == is_full


def test_a_disk_below_the_floor_has_no_space(tmp_path):
    require_space(tmp_path, 0)
    assert os.listdir(tmp_path) == []
    with pytest.raises(Unwritable, match="full"):
        require_space(tmp_path, 2**62)
    with pytest.raises(Unwritable, match="cannot be written"):
        require_space(tmp_path / "absent", 0)


class Full:
    """A source that meets a full disk, in each way that it may be said."""

    schemes = ("full",)

    @hookimpl
    def resolve_source(self, source, destination):
        error = OSError(errno.ENOSPC, "secret")
        if source.spec == "raises":
            raise error
        if source.spec == "chains":
            raise errors.SourceUnavailable("secret") from error
        if source.spec == "names":
            raise errors.InsufficientStorage("secret")
        if source.spec == "theirs":
            raise errors.SourceUnavailable("the registry says: No space left on device")
        return Resolved("full")


@pytest.mark.parametrize(("spec", "status"), [("raises", 507), ("chains", 507), ("names", 507), ("theirs", 502)])
async def test_a_source_is_not_blamed_for_our_disk(serve, spec, status):
    async with serve(MemoryBackend(), Full()) as admin:
        await admin.post("/workspaces", json={"id": "w1", "org": "acme", "backend": "memory"})
        for reply in (
            await admin.post("/workspaces/w1/plugins", json={"source": f"full://{spec}"}),
            await admin.get(f"/workspaces/w1/plugins/full/download?source=full://{spec}"),
        ):
            assert reply.status_code == status, reply.text
            assert "secret" not in reply.text
            if status == 507:
                assert (_slug(reply), reply.headers["retry-after"]) == ("insufficient-storage", "60")


async def test_a_full_database_is_a_typed_answer_and_the_operation_goes_on_later(serve, add_plugin, monkeypatch):
    add_plugin("greeter")
    is_full = False
    execute = Database.execute

    async def execute_or_fail(self, *statements):
        if is_full:
            raise OperationalError("x", {}, _SqliteFull("database or disk is full"))
        return await execute(self, *statements)

    class Filling(MemoryBackend):
        @hookimpl
        async def deliver(self, workspace, bundle):
            nonlocal is_full
            is_full = fills
            return await super().deliver(workspace, bundle)

    fills = True
    monkeypatch.setattr(Database, "execute", execute_or_fail)
    async with serve(Filling()) as admin:
        await admin.post("/workspaces", json={"id": "w1", "org": "acme", "backend": "memory"})
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})
        assert (reply.status_code, _slug(reply)) == (507, "insufficient-storage")
        refused = await admin.post("/workspaces", json={"id": "w2", "org": "acme", "backend": "memory"})
        assert (refused.status_code, _slug(refused)) == (507, "insufficient-storage")
        is_full = fills = False
        again = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})
        assert again.status_code == 200, again.text
        operations = (await admin.get("/operations")).json()["items"]
        assert [operation["status"] for operation in operations] == ["succeeded", "succeeded"]


async def test_a_real_small_disk_gives_507_and_readyz_says_why(serve, add_plugin, small_disk):
    add_plugin("large", {"data.bin": os.urandom(12 * MIB)})
    add_plugin("greeter")
    async with serve(MemoryBackend(), data_dir=small_disk / "data") as admin:
        await admin.post("/workspaces", json={"id": "w1", "org": "acme", "backend": "memory"})
        assert (await admin.get("/readyz")).status_code == 200
        for reply in (
            await admin.post("/workspaces/w1/plugins", json={"source": "large"}),
            await admin.get("/workspaces/w1/plugins/large/download"),
        ):
            assert (reply.status_code, _slug(reply)) == (507, "insufficient-storage"), reply.text
        assert os.listdir(small_disk / "data" / "work") == []
        assert not [name for name in os.listdir(small_disk / "data" / "cache") if name.endswith(".new")]
        _fill(small_disk)
        ready = await admin.get("/readyz")
        assert (ready.status_code, _slug(ready)) == (503, "not-ready")
        assert "full" in ready.json()["detail"]
        for reply in (
            await admin.post("/workspaces/w1/plugins", json={"source": "greeter"}),
            await admin.get("/workspaces/w1/plugins/greeter/download"),
        ):
            assert (reply.status_code, _slug(reply)) == (507, "insufficient-storage"), reply.text
        (small_disk / "filler").unlink()
        assert (await admin.get("/readyz")).status_code == 200
        assert (await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})).status_code == 200


def _serve(data_dir):
    command = [sys.executable, "-P", "-m", "plugport.core", "serve", "--data-dir", str(data_dir), "--port", "0"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_second_service_on_one_data_dir_is_refused_and_touches_nothing(tmp_path):
    (tmp_path / "plugins").mkdir()
    service = Service(tmp_path)
    try:
        leftover = tmp_path / "data" / "work" / "under-way"
        leftover.mkdir()
        done = _serve(tmp_path / "data")
        assert (done.returncode, done.stdout) == (2, "")
        (line,) = done.stderr.splitlines()
        assert "another plugport serves from" in line
        assert leftover.is_dir()
        assert service.client.get("/readyz").status_code == 200
    finally:
        service.kill()
    after_the_kill = Service(tmp_path)
    assert after_the_kill.stop() in {0, -signal.SIGTERM}


def test_a_lock_that_another_program_holds_is_named(tmp_path):
    with (tmp_path / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert _serve(tmp_path).returncode == 2


def test_a_data_dir_that_cannot_be_written_is_one_line_and_exit_2(tmp_path, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    (tmp_path / "file").write_text("x")
    for folder in (small_disk, small_disk / "data", tmp_path / "file", tmp_path / "file" / "data"):
        done = _serve(folder)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        (line,) = done.stderr.splitlines()
        assert "cannot be written" in line


def _refused_start(data_dir, *arguments):
    command = [*without_rights(), sys.executable, "-P", "-m", "plugport.core", "serve"]
    command += ["--data-dir", str(data_dir), "--port", "0", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("plugport: ")]
    assert "Traceback" not in done.stderr
    return line


@pytest.mark.parametrize("free", [0, 8 * 1024, 32 * 1024, 128 * 1024])
def test_a_start_on_a_full_disk_is_one_line(small_disk, free):
    (small_disk / "reserve").write_bytes(bytes(free))
    _fill(small_disk)
    (small_disk / "reserve").unlink()
    assert "full" in _refused_start(small_disk / "data")


@pytest.mark.parametrize("kind", ["a file", "no rights", "below a file", "a broken link"])
def test_a_plugins_directory_that_cannot_be_read_is_one_line(tmp_path, kind):
    folder = tmp_path / "plugins"
    if kind == "no rights":
        folder.mkdir(0o000)
    elif kind == "a broken link":
        folder.symlink_to("absent")
    else:
        folder.write_text("x")
    line = _refused_start(tmp_path / "data", "--plugins-dir", folder / "below" if kind == "below a file" else folder)
    assert "the plugins directory" in line
    assert str(folder) in line


def test_a_database_that_is_none_is_one_line(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "plugport.sqlite3").write_bytes(b"this is no database" * 1000)
    assert "the database cannot be used" in _refused_start(tmp_path / "data")


def test_a_plugins_directory_that_cannot_be_read_any_more_is_a_typed_answer(tmp_path):
    catalog = tmp_path / "plugins"
    (catalog / "greeter").mkdir(parents=True)
    (catalog / "greeter" / "plugin.yaml").write_text("name: greeter\n")
    (catalog / "closed").mkdir()
    (catalog / "closed" / "plugin.yaml").write_text("name: closed\n")
    service = Service(tmp_path, without_rights())
    try:
        (catalog / "closed").chmod(0)
        assert [plugin["name"] for plugin in service.client.get("/plugins").json()] == ["greeter"]
        for mode, status in ((0o600, 200), (0o000, 502)):
            catalog.chmod(mode)
            reply = service.client.get("/plugins")
            assert reply.status_code == status, reply.text
        assert _slug(reply) == "source-unavailable"
        body = {"id": "w1", "org": "acme", "runtime": "my-own", "backend": "host", "options": {"path": str(tmp_path)}}
        assert service.client.post("/workspaces", json=body).status_code == 201
        reply = service.client.post("/workspaces/w1/plugins", json={"source": "greeter"})
        assert (reply.status_code, _slug(reply)) == (502, "source-unavailable")
    finally:
        catalog.chmod(0o700)
        service.kill()
