"""Connections that break or stall, and hosts that fail: a typed error, one whole version, no leftover."""

from __future__ import annotations

import asyncio
import time

import pytest
from support.ec2_assertions import installed_bundle, staging_in, wait_for_cleanup

from plugport.builtin_backends.ec2 import pool
from plugport.hookspecs import errors
from plugport.hookspecs.conformance import bundle_of


@pytest.mark.parametrize("part", [0.0, 0.001, 0.5, 0.999])
async def test_a_connection_that_is_cut_leaves_the_old_versioninstalled_bundle(ec2, old, new, part):
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
        ec2.endpoint.bytes_received = 0
        ec2.endpoint.cut_after = int(part * new.archive.stat().st_size)
        with pytest.raises((errors.DeliveryFailed, errors.BackendUnavailable)) as caught:
            await backend.deliver(ec2.workspace(), new)
        assert part < 0.01 or "broke" in caught.value.reason
        await wait_for_cleanup(ec2)
        assert installed_bundle(ec2, old, new) is old
        ec2.endpoint.cut_after = None
        await backend.deliver(ec2.workspace(), new)
    assert installed_bundle(ec2, old, new) is new


async def test_a_connection_that_is_cut_at_its_last_byte_leaves_one_versioninstalled_bundle(ec2, old, new):
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
        ec2.endpoint.bytes_received = 0
        await backend.deliver(ec2.workspace(), new)
        whole = ec2.endpoint.bytes_received
        for bytes_before in (1, 40, 80, 120, 200):
            await backend.deliver(ec2.workspace(), old)
            ec2.endpoint.bytes_received, ec2.endpoint.cut_after = 0, whole - bytes_before
            result = await asyncio.gather(backend.deliver(ec2.workspace(), new), return_exceptions=True)
            await wait_for_cleanup(ec2)
            installed = installed_bundle(ec2, old, new)
            if isinstance(result[0], BaseException):
                assert isinstance(result[0], errors.DeliveryFailed)
            else:
                assert installed is new
            ec2.endpoint.cut_after = None
            await backend.deliver(ec2.workspace(), new)
            assert installed_bundle(ec2, old, new) is new


async def test_a_connection_that_is_cut_after_the_swap_is_an_error_and_a_repeat_is_harmless(ec2, old, new):
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
        ec2.endpoint.bytes_received, ec2.endpoint.mute_after = 0, 100_000  # after the command was started
        delivery = asyncio.create_task(backend.deliver(ec2.workspace(), new))
        for _ in range(2500):
            await asyncio.sleep(0.02)
            if "big" in ec2.host.shell("ls /configs/plugins/p"):
                break
        ec2.endpoint.cut_tunnels()
        with pytest.raises(errors.DeliveryFailed, match="broke"):
            await delivery
        assert installed_bundle(ec2, old, new) is new
        ec2.endpoint.mute_after = None
        assert (await backend.deliver(ec2.workspace(), new)).digest == new.digest
    assert installed_bundle(ec2, old, new) is new


async def test_a_stalled_connection_is_given_up_and_a_slow_one_is_not(ec2, old, new, tmp_path):
    large = bundle_of(tmp_path / "large", "p", {"a": bytes(range(256)) * 40_000})
    async with ec2.backend(stall_seconds="1.5") as backend:
        await backend.deliver(ec2.workspace(), old)
        ec2.endpoint.rate = 3_500_000  # the whole takes three seconds, and something moves all the time
        started = time.monotonic()
        await backend.deliver(ec2.workspace(), large)
        assert time.monotonic() - started > 2
        ec2.endpoint.rate = None
        await backend.deliver(ec2.workspace(), old)
        ec2.endpoint.bytes_received, ec2.endpoint.stall_after = 0, 300_000
        started = time.monotonic()
        with pytest.raises(errors.DeliveryTimeout, match="no progress"):
            await backend.deliver(ec2.workspace(), new)
        assert time.monotonic() - started < 10
        ec2.endpoint.cut_tunnels()
        await wait_for_cleanup(ec2)
        assert installed_bundle(ec2, old, new) is old


async def test_a_cancelled_delivery_ends_on_the_host_too(ec2, old, new):
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
        ec2.endpoint.rate = 200_000
        delivery = asyncio.create_task(backend.deliver(ec2.workspace(), new))
        while not staging_in(ec2):
            await asyncio.sleep(0.02)
        delivery.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivery
        ec2.endpoint.rate = None
        for _ in range(250):
            if not staging_in(ec2):
                break
            await asyncio.sleep(0.02)
        assert installed_bundle(ec2, old, new) is old
        await backend.deliver(ec2.workspace(), new)


async def test_a_pooled_connection_that_died_is_replaced_before_anything_was_sent(ec2, old, new):
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
        ec2.host.cut_connections()
        await backend.deliver(ec2.workspace(), new)
        assert len(ec2.endpoint.requests) == 2
        ec2.endpoint.cut_tunnels()
        await backend.deliver(ec2.workspace(), old)
    assert installed_bundle(ec2, old, new) is old


async def test_a_full_disk_keeps_the_old_version(ec2, old, tmp_path):
    ec2.host.shell("mkdir /configs && mount -t tmpfs -o size=1m,uid=1000,gid=1000 tmpfs /configs")
    try:
        async with ec2.backend() as backend:
            await backend.deliver(ec2.workspace(), old)
            with pytest.raises(errors.DeliveryFailed, match=r"tar: .*Wrote only|No space left"):
                await backend.deliver(ec2.workspace(), bundle_of(tmp_path, "p", {"a": b"x" * 3_000_000}))
        assert installed_bundle(ec2, old) is old
    finally:
        ec2.host.shell("umount -l /configs")


async def test_a_target_that_cannot_be_written_is_an_error(ec2, old):
    ec2.host.shell("mkdir /configs && mount -t tmpfs -o ro tmpfs /configs")
    try:
        async with ec2.backend() as backend:
            with pytest.raises(errors.DeliveryFailed, match=r"Read-only|cannot be made"):
                await backend.deliver(ec2.workspace(), old)
            assert await backend.list_installed(ec2.workspace()) == []
    finally:
        ec2.host.shell("umount -l /configs")


async def test_a_host_without_sha256sum_is_an_unsupported_target(ec2, old):
    ec2.host.hide_tools("sha256sum")
    async with ec2.backend() as backend:
        with pytest.raises(errors.UnsupportedTarget, match="there is no sha256sum"):
            await backend.deliver(ec2.workspace(), old)
    assert "p" not in ec2.host.shell("ls -A /configs/plugins 2>/dev/null || true").split()


@pytest.mark.parametrize("missing", [("flock",), ("python3",), ("flock", "python3", "setpriv")])
async def test_a_host_without_flock_or_an_exchange_of_names_is_served(ec2, old, new, missing):
    ec2.host.hide_tools(*missing)
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
        await backend.deliver(ec2.workspace(), new)
    assert installed_bundle(ec2, old, new) is new


async def test_a_host_that_allows_one_session_is_served_one_after_the_other(ec2, tmp_path):
    ec2.host.start(MaxSessions="1")
    bundles = [bundle_of(tmp_path / str(n), f"p{n}", {"a": b"%d" % n}) for n in range(6)]
    async with ec2.backend() as backend:
        await asyncio.gather(*(backend.deliver(ec2.workspace(), bundle) for bundle in bundles))
        assert len(ec2.endpoint.requests) == 1
    assert ec2.host.shell("ls -A /configs/plugins").split() == [".plugport", *(bundle.name for bundle in bundles)]
    assert staging_in(ec2) == []


async def test_a_host_that_allows_no_session_is_unavailable(ec2, old, monkeypatch):
    monkeypatch.setattr(pool, "_SESSION_RETRY_SECONDS", (0.01,))
    ec2.host.start(MaxSessions="0")
    async with ec2.backend() as backend:
        with pytest.raises(errors.BackendUnavailable, match="no command could be started"):
            await backend.deliver(ec2.workspace(), old)
