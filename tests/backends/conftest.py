"""The real parts for tests of the backends: one Docker engine and one sshd for all of them."""

from __future__ import annotations

import pytest
from support.ec2_stand import stand
from support.engine import NoEngine, PrivateEngine
from support.pretend_aws import PretendAws
from support.ssh_host import NoSshHost, SshHost
from support.tools import skip_without


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
def one_ssh_host():
    """A host with a real sshd, the same for all tests."""
    try:
        started = SshHost()
        if not started.is_view:
            started.stop()
            raise NoSshHost("these tests change what lies on the host: only root can have one for it")
    except NoSshHost as error:
        skip_without(f"no host with sshd: {error}")
    yield started
    started.stop()


@pytest.fixture
def ssh_host(one_ssh_host):
    """The host, as it was when it was made."""
    yield one_ssh_host
    one_ssh_host.renew()


@pytest.fixture(scope="session")
def one_aws(one_ssh_host):
    made = PretendAws(one_ssh_host.let_in)
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def ec2(ssh_host, one_aws, tmp_path, monkeypatch):
    """Everything that the ec2 backend talks to."""
    one_aws.renew()
    async with stand(ssh_host, one_aws, tmp_path, monkeypatch) as made:
        yield made
