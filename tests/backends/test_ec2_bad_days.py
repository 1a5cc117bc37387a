"""Bad days of an instance, of AWS and of the line: a typed error, words for the log, no leftover."""

from __future__ import annotations

import asyncio
import re
import time

import asyncssh
import pytest

from plugport.builtin_backends.ec2 import instances
from plugport.builtin_backends.ec2 import pool as connections
from plugport.builtin_backends.ec2.simulator.aws import Fault, console_with_host_keys
from plugport.hookspecs import RunStateKind, errors
from plugport.hookspecs.conformance import bundle_of

OLD = {"a": b"old", "plugin.yaml": b"name: p\n"}


@pytest.fixture
def old(tmp_path):
    return bundle_of(tmp_path / "old", "p", OLD)


@pytest.fixture
def new(tmp_path):
    """Small enough that a host's answers are not needed before its end: SSH's window is 2 MiB."""
    return bundle_of(tmp_path / "new", "p", {"a": b"new", "big": bytes(range(256)) * 4000})


def _whole(ec2, *bundles, folder="/configs"):
    """Which of the bundles lies there, whole and alone."""
    line = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum | cut -d' ' -f1"
    digest = ec2.host.shell(f"cd {folder}/plugins/p && {line}").strip()
    assert ec2.host.shell(f"ls -A {folder}/plugins").split() == ["p"]
    (found,) = [one for one in bundles if one.digest == f"sha256:{digest}"]
    return found


async def _settled(ec2):
    """The host has seen that the line is cut, and has cleaned up; a shell may outlive its connection for a moment."""
    for _ in range(250):
        if not ec2.host.connection_pids() and ".stg-" not in ec2.host.shell("ls -A /configs/plugins"):
            return
        await asyncio.sleep(0.02)


# The instance


@pytest.mark.parametrize("state", ["pending", "stopping", "stopped", "shutting-down", "terminated", "absent"])
async def test_an_instance_that_does_not_run_is_not_running(ec2, old, new, state, monkeypatch):
    monkeypatch.setattr(instances, "_ABSENT_AGAIN", (0.01,))
    ec2.aws.states[ec2.instance] = state
    async with ec2.backend() as backend:
        assert (await backend.is_running(ec2.workspace())).kind is RunStateKind.STOPPED
        for call in (backend.deliver(ec2.workspace(), new), backend.list_installed(ec2.workspace())):
            with pytest.raises(errors.WorkspaceNotRunning, match=ec2.instance):
                await call
    assert "SendSSHPublicKey" not in ec2.aws.calls


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("RequestLimitExceeded", "throttled"),
        ("UnauthorizedOperation", "denied"),
        ("InternalError", "transient"),
    ],
)
async def test_what_aws_does_not_say_is_unknown_with_its_request_id(ec2, new, code, word):
    ec2.aws.faults["DescribeInstances"] = Fault(code, 503 if word == "transient" else 400, times=99)
    async with ec2.backend() as backend:
        state = await backend.is_running(ec2.workspace())
        assert state.kind is RunStateKind.UNKNOWN
        with pytest.raises(errors.BackendUnavailable) as caught:
            await backend.deliver(ec2.workspace(), new)
    for text in (state.reason, caught.value.reason):
        assert f"{word}: DescribeInstances: {code}" in text
        assert "request id req-" in text


async def test_an_instance_that_is_gone_at_the_push_does_not_run(ec2, new):
    ec2.aws.faults["SendSSHPublicKey"] = Fault("EC2InstanceStateInvalidException", 400)
    async with ec2.backend() as backend:
        with pytest.raises(errors.WorkspaceNotRunning, match="request id req-"):
            await backend.deliver(ec2.workspace(), new)


# AWS on the way in


async def test_no_endpoint_is_told_and_one_in_another_subnet_is_used(ec2, old):
    (endpoint,) = ec2.aws.endpoints
    async with ec2.backend() as backend:
        ec2.aws.endpoints[:] = []
        with pytest.raises(errors.BackendUnavailable, match="no EC2 Instance Connect endpoint"):
            await backend.deliver(ec2.workspace(), old)
        ec2.aws.endpoints[:] = [endpoint | {"vpcId": "vpc-other"}, endpoint | {"state": "create-failed"}]
        with pytest.raises(errors.BackendUnavailable, match="no EC2 Instance Connect endpoint"):
            await backend.deliver(ec2.workspace(), old)
        ec2.aws.endpoints[:] = [
            endpoint | {"subnetId": "subnet-far", "state": "create-in-progress"},
            endpoint | {"subnetId": "subnet-other", "state": "update-complete"},
        ]
        await backend.deliver(ec2.workspace(), old)
    assert _whole(ec2, old) is old


async def test_a_refused_handshake_is_told_with_the_request_id(ec2, old):
    ec2.endpoint.refuse_status = 403
    async with ec2.backend() as backend:
        with pytest.raises(errors.BackendUnavailable, match=r"403: no access \(request id req-42\)"):
            await backend.deliver(ec2.workspace(), old)
        ec2.endpoint.refuse_status = None
        await backend.deliver(ec2.workspace(), old)


@pytest.mark.parametrize(
    ("action", "code", "word"),
    [
        ("SendSSHPublicKey", "AuthException", "denied"),
        ("SendSSHPublicKey", "AccessDeniedException", "denied"),
        ("SendSSHPublicKey", "ThrottlingException", "throttled"),
        ("SendSSHPublicKey", "ServiceException", "transient"),
        ("DescribeInstanceConnectEndpoints", "RequestLimitExceeded", "throttled"),
        ("DescribeInstanceConnectEndpoints", "UnauthorizedOperation", "denied"),
        ("GetConsoleOutput", "RequestLimitExceeded", "throttled"),
    ],
)
async def test_a_denied_or_throttled_way_in_is_told_with_the_request_id(ec2, old, action, code, word):
    ec2.aws.faults[action] = Fault(code, 400, times=99)
    async with ec2.backend() as backend:
        with pytest.raises(errors.BackendUnavailable, match=rf"{word}: {action}: {code}.*request id req-"):
            await backend.deliver(ec2.workspace(), old)
    assert ec2.endpoint.requests == []


async def test_a_moment_of_throttling_is_waited_out(ec2, old):
    ec2.aws.faults["SendSSHPublicKey"] = Fault("ThrottlingException", 400, times=1)
    ec2.aws.faults["DescribeInstances"] = Fault("RequestLimitExceeded", 503, times=1)
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)


async def test_a_key_that_expires_between_push_and_login_is_pushed_anew_once(ec2, old):
    ec2.aws.key_seconds = -5
    async with ec2.backend() as backend:
        with pytest.raises(errors.BackendUnavailable, match="takes no pushed key for ubuntu"):
            await backend.deliver(ec2.workspace(), old)
        assert ec2.aws.calls.count("SendSSHPublicKey") == 2

        real = ec2.aws.accept_key

        def late_at_first(user, key, seconds):
            ec2.aws.accept_key = real
            real(user, key, -5)

        ec2.aws.key_seconds, ec2.aws.accept_key = 60, late_at_first
        await backend.deliver(ec2.workspace(), old)
    keys = ec2.host.shell("cut -d' ' -f3 /etc/plugport-ssh/keys-ubuntu").split()
    assert len(keys) == len(set(keys)) == 4


# Host keys


async def test_the_first_key_is_pinned_with_an_audit_and_another_one_is_refused_until_it_is_forgotten(ec2, old, new):
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
    (place,) = ec2.store.values
    assert place == f"host-key/123456789012/eu-west-1/{ec2.instance}"
    ((what, fields),) = ec2.audits
    assert (what, fields["instance_id"], fields["origin"]) == ("host-key.pinned", ec2.instance, "first-use")
    ec2.host.make_host_key()
    ec2.host.start()
    async with ec2.backend() as backend:
        for _ in range(2):
            with pytest.raises(
                errors.HostKeyMismatch, match=f"shows SHA256:.*known by its pin: {re.escape(fields['fingerprint'])}"
            ):
                await backend.deliver(ec2.workspace(), new)
        assert _whole(ec2, old, new) is old
        assert ec2.audits[-1][0] == "host-key.mismatch"
        await ec2.store.delete(place)
        await backend.deliver(ec2.workspace(), new)
    assert _whole(ec2, old, new) is new


async def test_nothing_is_said_to_a_host_with_another_key(ec2, old):
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
    ec2.host.make_host_key()
    ec2.host.start()
    (ec2.host.folder / "sshd.log").write_text("")
    async with ec2.backend() as backend:
        with pytest.raises(errors.HostKeyMismatch):
            await backend.list_installed(ec2.workspace())
    assert "publickey" not in (ec2.host.folder / "sshd.log").read_text()


async def test_the_console_vouches_for_the_first_key(ec2, old):
    ec2.aws.consoles[ec2.instance] = console_with_host_keys(ec2.host.host_keys)
    async with ec2.backend(host_keys="strict") as backend:
        await backend.deliver(ec2.workspace(), old)
    ((what, fields),) = ec2.audits
    assert (what, fields["origin"]) == ("host-key.pinned", "console")


async def test_a_key_that_is_not_the_consoles_is_refused_at_first_contact(ec2, old):
    another = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    ec2.aws.consoles[ec2.instance] = console_with_host_keys([another])
    async with ec2.backend() as backend:
        with pytest.raises(errors.HostKeyMismatch, match="known by its console"):
            await backend.deliver(ec2.workspace(), old)
    assert ec2.store.values == {}


async def test_under_strict_nothing_is_trusted_for_being_first(ec2, old):
    async with ec2.backend(host_keys="strict") as backend:
        with pytest.raises(errors.HostKeyMismatch, match="strict refuses it"):
            await backend.deliver(ec2.workspace(), old)
    assert (ec2.endpoint.requests, ec2.store.values) == ([], {})


async def test_who_may_not_read_the_console_goes_by_the_first_key(ec2, old, caplog):
    ec2.aws.faults["GetConsoleOutput"] = Fault("UnauthorizedOperation", 403, times=9)
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
    assert "may not be read: denied: GetConsoleOutput" in caplog.text
    assert ec2.audits[0][1]["origin"] == "first-use"


async def test_a_host_that_lost_the_pinned_kind_of_key_is_refused_as_well(ec2, old):
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
    ec2.host.make_host_key("ecdsa")
    ec2.host.start()
    async with ec2.backend() as backend:
        with pytest.raises(errors.HostKeyMismatch):
            await backend.deliver(ec2.workspace(), old)


# The line


@pytest.mark.parametrize("part", [0.0, 0.001, 0.5, 0.999])
async def test_a_line_that_is_cut_leaves_the_old_version_whole(ec2, old, new, part):
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
        ec2.endpoint.bytes_received = 0
        ec2.endpoint.cut_after = int(part * new.archive.stat().st_size)
        with pytest.raises((errors.DeliveryFailed, errors.BackendUnavailable)) as caught:
            await backend.deliver(ec2.workspace(), new)
        assert part < 0.01 or "broke" in caught.value.reason
        await _settled(ec2)
        assert _whole(ec2, old, new) is old
        ec2.endpoint.cut_after = None
        await backend.deliver(ec2.workspace(), new)
    assert _whole(ec2, old, new) is new


async def test_a_line_that_is_cut_at_its_last_byte_leaves_one_version_whole(ec2, old, new):
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
        ec2.endpoint.bytes_received = 0
        await backend.deliver(ec2.workspace(), new)
        whole = ec2.endpoint.bytes_received
        for bytes_before in (1, 40, 80, 120, 200):
            await backend.deliver(ec2.workspace(), old)
            ec2.endpoint.bytes_received, ec2.endpoint.cut_after = 0, whole - bytes_before
            result = await asyncio.gather(backend.deliver(ec2.workspace(), new), return_exceptions=True)
            await _settled(ec2)
            found = _whole(ec2, old, new)
            if isinstance(result[0], BaseException):
                assert isinstance(result[0], errors.DeliveryFailed)
            else:
                assert found is new
            ec2.endpoint.cut_after = None
            await backend.deliver(ec2.workspace(), new)
            assert _whole(ec2, old, new) is new


async def test_a_line_that_is_cut_after_the_swap_is_told_and_a_repeat_is_harmless(ec2, old, new):
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
        ec2.endpoint.bytes_received, ec2.endpoint.mute_after = 0, 100_000  # after the command was started
        delivery = asyncio.create_task(backend.deliver(ec2.workspace(), new))
        for _ in range(500):
            await asyncio.sleep(0.02)
            if "big" in ec2.host.shell("ls /configs/plugins/p"):
                break
        ec2.endpoint.cut_tunnels()
        with pytest.raises(errors.DeliveryFailed, match="broke"):
            await delivery
        assert _whole(ec2, old, new) is new
        ec2.endpoint.mute_after = None
        assert (await backend.deliver(ec2.workspace(), new)).digest == new.digest
    assert _whole(ec2, old, new) is new


async def test_a_line_that_stalls_is_given_up_and_a_slow_one_is_not(ec2, old, new, tmp_path):
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
        with pytest.raises(errors.DeliveryTimeout, match="nothing has moved"):
            await backend.deliver(ec2.workspace(), new)
        assert time.monotonic() - started < 10
        ec2.endpoint.cut_tunnels()
        await _settled(ec2)
        assert _whole(ec2, old, new) is old


async def test_a_cancelled_delivery_ends_on_the_host_too(ec2, old, new):
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
        ec2.endpoint.rate = 200_000
        delivery = asyncio.create_task(backend.deliver(ec2.workspace(), new))
        while ".stg-" not in ec2.host.shell("ls -A /configs/plugins"):
            await asyncio.sleep(0.02)
        delivery.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivery
        ec2.endpoint.rate = None
        for _ in range(250):
            if ".stg-" not in ec2.host.shell("ls -A /configs/plugins"):
                break
            await asyncio.sleep(0.02)
        assert _whole(ec2, old, new) is old
        await backend.deliver(ec2.workspace(), new)


async def test_a_kept_connection_that_died_is_replaced_before_anything_was_sent(ec2, old, new):
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
        ec2.host.cut_connections()
        await backend.deliver(ec2.workspace(), new)
        assert len(ec2.endpoint.requests) == 2
        ec2.endpoint.cut_tunnels()
        await backend.deliver(ec2.workspace(), old)
    assert _whole(ec2, old, new) is old


# The host


async def test_a_full_disk_keeps_the_old_version(ec2, old, tmp_path):
    ec2.host.shell("mkdir /configs && mount -t tmpfs -o size=1m,uid=1000,gid=1000 tmpfs /configs")
    try:
        async with ec2.backend() as backend:
            await backend.deliver(ec2.workspace(), old)
            with pytest.raises(errors.DeliveryFailed, match=r"tar: .*Wrote only|No space left"):
                await backend.deliver(ec2.workspace(), bundle_of(tmp_path, "p", {"a": b"x" * 3_000_000}))
        assert _whole(ec2, old) is old
    finally:
        ec2.host.shell("umount -l /configs")


async def test_a_target_that_cannot_be_written_is_told(ec2, old):
    ec2.host.shell("mkdir /configs && mount -t tmpfs -o ro tmpfs /configs")
    try:
        async with ec2.backend() as backend:
            with pytest.raises(errors.DeliveryFailed, match=r"Read-only|cannot be made"):
                await backend.deliver(ec2.workspace(), old)
            assert await backend.list_installed(ec2.workspace()) == []
    finally:
        ec2.host.shell("umount -l /configs")


async def test_a_host_without_sha256sum_is_told(ec2, old):
    ec2.host.hide_tools("sha256sum")
    async with ec2.backend() as backend:
        with pytest.raises(errors.UnsupportedTarget, match="there is no sha256sum"):
            await backend.deliver(ec2.workspace(), old)
    assert "p" not in ec2.host.shell("ls -A /configs/plugins 2>/dev/null || true")


@pytest.mark.parametrize("missing", [("flock",), ("python3",), ("flock", "python3", "setpriv")])
async def test_a_host_without_flock_or_an_exchange_of_names_is_served(ec2, old, new, missing):
    ec2.host.hide_tools(*missing)
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
        await backend.deliver(ec2.workspace(), new)
    assert _whole(ec2, old, new) is new


async def test_a_host_that_allows_one_session_is_served_one_after_the_other(ec2, tmp_path):
    ec2.host.start(MaxSessions="1")
    bundles = [bundle_of(tmp_path / str(n), f"p{n}", {"a": b"%d" % n}) for n in range(6)]
    async with ec2.backend() as backend:
        await asyncio.gather(*(backend.deliver(ec2.workspace(), one) for one in bundles))
        assert len(ec2.endpoint.requests) == 1
    assert ec2.host.shell("ls -A /configs/plugins").split() == [one.name for one in bundles]


async def test_a_host_that_allows_no_session_is_told(ec2, old, monkeypatch):
    monkeypatch.setattr(connections, "_SESSION_AGAIN", (0.01,))
    ec2.host.start(MaxSessions="0")
    async with ec2.backend() as backend:
        with pytest.raises(errors.BackendUnavailable, match="no command could be started"):
            await backend.deliver(ec2.workspace(), old)
