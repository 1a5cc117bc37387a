"""Instances that do not run and requests that AWS refuses: a typed error, and AWS's reason in the log."""

from __future__ import annotations

import pytest
from support.ec2_assertions import installed_bundle
from support.ec2_faults import Fault

from plugport.builtin_backends.ec2 import instances
from plugport.hookspecs import RunStateKind, errors


@pytest.mark.parametrize("state", ["pending", "stopping", "stopped", "shutting-down", "terminated", "absent"])
async def test_an_instance_that_does_not_run_is_not_running(ec2, old, new, state, monkeypatch):
    monkeypatch.setattr(instances, "_RETRY_ABSENT_SECONDS", (0.01,))
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
async def test_a_request_that_fails_is_unknown_with_its_request_id(ec2, new, code, word):
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


async def test_no_endpoint_is_an_error_and_one_in_another_subnet_is_used(ec2, old):
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
    assert installed_bundle(ec2, old) is old


async def test_the_error_of_a_refused_handshake_has_the_request_id(ec2, old):
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
async def test_the_error_of_a_denied_or_throttled_request_has_the_request_id(ec2, old, action, code, word):
    ec2.aws.faults[action] = Fault(code, 400, times=99)
    async with ec2.backend() as backend:
        with pytest.raises(errors.BackendUnavailable, match=rf"{word}: {action}: {code}.*request id req-"):
            await backend.deliver(ec2.workspace(), old)
    assert ec2.endpoint.requests == []


async def test_short_throttling_is_retried(ec2, old):
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
