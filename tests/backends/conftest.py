"""The real parts for tests of the backends: one Docker engine and one sshd for all of them."""

from __future__ import annotations

import pytest
from support.engine import NoEngine, PrivateEngine
from support.simulated_ec2 import simulated_ec2
from support.tools import skip_without

from plugport.builtin_backends.ec2.simulator.aws import SimulatedAws
from plugport.builtin_backends.ec2.simulator.ssh_host import SshHost, SshHostUnavailable


@pytest.fixture(scope="session")
def engine():
    """A private engine."""
    try:
        started = PrivateEngine()
    except NoEngine as error:
        skip_without(f"no engine: {error}")
    yield started
    started.stop()


@pytest.fixture(scope="session")
def session_ssh_host():
    """A host with a real sshd, the same for all tests."""
    try:
        started = SshHost()
        if not started.is_view:
            started.stop()
            raise SshHostUnavailable("these tests change what lies on the host: only root can have one for it")
    except SshHostUnavailable as error:
        skip_without(f"no host with sshd: {error}")
    yield started
    started.stop()


@pytest.fixture
def ssh_host(session_ssh_host):
    """The host, as it was when it was made."""
    yield session_ssh_host
    session_ssh_host.reset()


@pytest.fixture(scope="session")
def session_aws(session_ssh_host):
    made = SimulatedAws(session_ssh_host.accept_key)
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def ec2(ssh_host, session_aws, tmp_path, monkeypatch):
    """Everything that the ec2 backend talks to."""
    session_aws.reset()
    async with simulated_ec2(ssh_host, session_aws, tmp_path, monkeypatch) as made:
        yield made
