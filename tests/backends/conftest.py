"""The real parts for tests of the backends: one Docker engine and one sshd for all of them."""

from __future__ import annotations

import logging
import os

import pytest
from support.ec2_faults import FaultyAws, FaultyHost
from support.engine import NoEngine, PrivateEngine
from support.shells import SHELLS, shell_words, with_shell
from support.simulated_ec2 import simulated_ec2
from support.tools import skip_without

from plugport.builtin_backends.docker.backend import DockerBackend
from plugport.builtin_backends.ec2.aws import Aws
from plugport.builtin_backends.ec2.simulator.ssh_host import SshHostUnavailable
from plugport.builtin_backends.shell import CommandChannel
from plugport.hookspecs import ServiceSettings, StartupContext
from plugport.hookspecs.conformance import bundle_of


@pytest.fixture(params=SHELLS)
def shell(request) -> list[str]:
    """The words that start each shell of each root file system."""
    return shell_words(request.param)


@pytest.fixture
def channel(shell) -> CommandChannel:
    """A channel to that shell."""
    return with_shell(shell)


@pytest.fixture(scope="session")
def engine():
    """A private engine."""
    try:
        started = PrivateEngine()
    except NoEngine as error:
        skip_without(f"no engine: {error}")
    yield started
    started.stop()


@pytest.fixture
async def backend(engine, monkeypatch):
    """The docker backend, started, on the private engine."""
    monkeypatch.setenv("DOCKER_HOST", engine.url)
    backend = DockerBackend()
    logger = logging.getLogger("plugport.provider.docker")
    await backend.startup(StartupContext("docker", {}, ServiceSettings(""), None, None, logger, None))
    yield backend
    await backend.shutdown()


@pytest.fixture(scope="session")
def session_ssh_host():
    """A host with a real sshd, the same for all tests."""
    try:
        started = FaultyHost()
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
    made = FaultyAws(session_ssh_host.accept_key)
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def ec2(ssh_host, session_aws, tmp_path, monkeypatch):
    """Everything that the ec2 backend talks to."""
    session_aws.reset()
    async with simulated_ec2(ssh_host, session_aws, tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def old(tmp_path):
    """The version of the plugin `p` that is installed first."""
    return bundle_of(tmp_path / "old", "p", {"a": b"old", "plugin.yaml": b"name: p\n"})


@pytest.fixture
def new(tmp_path):
    """An update of `p`, smaller than SSH's window of 2 MiB, so that it is sent without an answer of the host."""
    return bundle_of(tmp_path / "new", "p", {"a": b"new", "big": bytes(range(256)) * 4000})


@pytest.fixture
def aws(monkeypatch):
    """AWS's clients with credentials of an example, and no other `AWS_*` setting."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    clients = Aws()
    yield clients
    clients.close()
