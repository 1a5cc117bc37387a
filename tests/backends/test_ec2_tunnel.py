"""The tunnel to an instance: SSH goes through it, and every failure is typed."""

from __future__ import annotations

import asyncio
import os

import asyncssh
import pytest
from support.ec2_faults import FaultyEndpoint

from plugport.builtin_backends.ec2.aws import Aws
from plugport.builtin_backends.ec2.endpoints import Endpoint
from plugport.builtin_backends.ec2.simulator.tunnel_endpoint import ENDPOINT_HOST
from plugport.builtin_backends.ec2.tunnel import FRAME, Tunnel, presigned_url
from plugport.hookspecs.errors import BackendUnavailable


@pytest.fixture
def trusted(tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls/ca.pem"))
    return tmp_path / "tls"


def _tunnel(aws, endpoint) -> Tunnel:
    return Tunnel(
        presigned_url(aws, Endpoint("eice-0123", ENDPOINT_HOST), "10.0.0.7", 22), ("127.0.0.1", endpoint.port)
    )


class _Server(asyncssh.SSHServer):
    def begin_auth(self, username):
        return False


async def _answer(process):
    async for data in process.stdin:
        process.stdout.write(data)
    process.exit(3)


@pytest.fixture
async def sshd():
    key = asyncssh.generate_private_key("ssh-ed25519")
    made = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[key], server_factory=_Server, process_factory=_answer, encoding=None
    )
    yield made.get_port(), key
    made.close()
    await made.wait_closed()


async def test_ssh_goes_through_the_tunnel(aws, trusted, sshd):
    port, key = sshd
    async with FaultyEndpoint(trusted, ("127.0.0.1", port)) as endpoint:
        known: tuple = ([key.convert_to_public()], [], [])
        async with asyncssh.connect("10.0.0.7", tunnel=_tunnel(aws, endpoint), known_hosts=known) as ssh:
            sent = os.urandom(3_000_000)
            done = await ssh.run("x", input=sent, encoding=None)
            assert (done.stdout, done.exit_status) == (sent, 3)
        (asked,) = endpoint.requests
    assert asked["instanceConnectEndpointId"] == ["eice-0123"]
    assert (asked["remotePort"], asked["privateIpAddress"]) == (["22"], ["10.0.0.7"])
    assert asked["X-Amz-SignedHeaders"] == ["host"]


async def test_a_refused_handshake_is_typed_with_the_request_id(aws, trusted, monkeypatch):
    async with FaultyEndpoint(trusted, ("127.0.0.1", 1)) as endpoint:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
        with pytest.raises(BackendUnavailable, match=r"403.*no access.*req-42"):
            await _tunnel(Aws(), endpoint).create_connection(asyncio.Protocol)


async def test_an_endpoint_that_is_not_trusted_or_not_there_is_typed(aws, trusted, monkeypatch):
    async with FaultyEndpoint(trusted, ("127.0.0.1", 1)) as endpoint:
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(BackendUnavailable, match="certificate"):
            await _tunnel(aws, endpoint).create_connection(asyncio.Protocol)
    with pytest.raises(BackendUnavailable, match="cannot be reached"):
        await _tunnel(aws, endpoint).create_connection(asyncio.Protocol)


@pytest.mark.parametrize("fault", [{"cut_after": 200_000}, {"send_text_first": True}])
async def test_a_line_that_breaks_is_never_taken_for_a_command_that_ended(aws, trusted, sshd, fault):
    port, key = sshd
    known: tuple = ([key.convert_to_public()], [], [])

    async def run():
        async with asyncssh.connect("10.0.0.7", tunnel=_tunnel(aws, endpoint), known_hosts=known) as ssh:
            return (await ssh.run("x", input=b"x" * 3_000_000, encoding=None)).exit_status

    async with FaultyEndpoint(trusted, ("127.0.0.1", port), **fault) as endpoint:
        results = await asyncio.gather(asyncio.wait_for(run(), 20), return_exceptions=True)
    assert results == [None] or isinstance(results[0], asyncssh.Error | ConnectionError)


def test_without_credentials_there_is_no_tunnel(aws, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(BackendUnavailable, match="no AWS credentials"):
        presigned_url(Aws(), Endpoint("eice-0123", ENDPOINT_HOST), "10.0.0.7", 22)


def test_no_frame_is_larger_than_an_endpoint_takes():
    assert FRAME <= 65_000  # the simulator refuses larger ones, so the tests above see them too
