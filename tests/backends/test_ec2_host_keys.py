"""Host keys: what is pinned, what the console vouches for, and what is refused."""

from __future__ import annotations

import re

import asyncssh
import pytest
from support.ec2_assertions import installed_bundle
from support.ec2_faults import Fault

from plugport.builtin_backends.ec2.simulator.aws import console_with_host_keys
from plugport.hookspecs import errors


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
        assert installed_bundle(ec2, old, new) is old
        assert ec2.audits[-1][0] == "host-key.mismatch"
        await ec2.store.delete(place)
        await backend.deliver(ec2.workspace(), new)
    assert installed_bundle(ec2, old, new) is new


async def test_nothing_is_sent_to_a_host_with_another_key(ec2, old):
    async with ec2.backend() as backend:
        await backend.deliver(ec2.workspace(), old)
    ec2.host.make_host_key()
    ec2.host.start()
    (ec2.host.folder / "sshd.log").write_text("")
    async with ec2.backend() as backend:
        with pytest.raises(errors.HostKeyMismatch):
            await backend.list_installed(ec2.workspace())
    assert "publickey" not in (ec2.host.folder / "sshd.log").read_text()


async def test_the_console_confirms_the_first_key(ec2, old):
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


async def test_without_access_to_the_console_the_first_key_is_trusted(ec2, old, caplog):
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
