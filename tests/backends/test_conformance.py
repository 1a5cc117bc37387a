"""The built-in backends, held to the kit that everybody's are held to."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest
from support.ec2_faults import Fault, FaultyEndpoint
from support.mounts import tmpfs
from support.root_filesystems import NAMES
from support.simulated_ec2 import use_simulator
from support.socket_proxy import SocketProxy
from support.third_party import command

from plugport.builtin_backends.docker.backend import DockerBackend
from plugport.builtin_backends.ec2.backend import Ec2Backend
from plugport.builtin_backends.ec2.simulator.tunnel_endpoint import ENDPOINT_HOST
from plugport.builtin_backends.external import ExternalBackend
from plugport.builtin_backends.host import HostBackend
from plugport.hookspecs import Workspace
from plugport.hookspecs.conformance import (
    CONNECTION_DROPS,
    DISK_FULL,
    FEW_TOOLS,
    NO_COMMANDS,
    NOISY,
    WORKSPACE_VANISHES,
    BackendConformance,
    BackendUnderTest,
    DirectoryFilesystem,
    ShellFilesystem,
)

ROOT = os.geteuid() == 0


@contextlib.contextmanager
def small_disk(folder: Path):
    """A file system of 8 MiB there, and what fills it up."""

    @contextlib.contextmanager
    def full():
        filler = folder / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as out:
            while True:
                out.write(bytes(4096))
        try:
            yield
        finally:
            filler.unlink()

    with tmpfs(folder, "size=8m,uid=1000,gid=1000"):
        yield full


class TestHost(BackendConformance):
    @pytest.fixture
    def under_test(self, tmp_path):
        with contextlib.ExitStack() as stack:
            folder = tmp_path / "config"
            troubles = {}
            if ROOT:
                troubles[DISK_FULL] = stack.enter_context(small_disk(folder))
            else:
                folder.mkdir()

            @contextlib.contextmanager
            def vanishes():
                folder.joinpath("plugins").rename(tmp_path / "aside")
                try:
                    yield
                finally:
                    subprocess.run(["rm", "-rf", str(folder / "plugins")], check=True)
                    (tmp_path / "aside").rename(folder / "plugins")

            if not ROOT:  # a folder cannot be moved out of its own file system
                troubles[WORKSPACE_VANISHES] = vanishes
            yield BackendUnderTest(
                HostBackend(),
                Workspace("w", backend="host", options={"path": str(folder)}),
                DirectoryFilesystem(folder, owned=ROOT),
                stopped=Workspace("s", backend="host", options={"path": str(tmp_path / "absent")}),
                troubles=troubles,
            )


class TestExternal(BackendConformance):
    @pytest.fixture
    def under_test(self, tmp_path):
        workspace = Workspace("w", runtime="external", backend="external")
        return BackendUnderTest(ExternalBackend(), workspace, DirectoryFilesystem(tmp_path / "config"))


class TestDocker(BackendConformance):
    options: ClassVar[Mapping[str, object]] = {}

    @pytest.fixture
    def under_test(self, engine, tmp_path, monkeypatch):
        with contextlib.ExitStack() as stack:
            full = stack.enter_context(small_disk(tmp_path / "config"))
            proxy = stack.enter_context(SocketProxy(engine.url.removeprefix("unix://"), tmp_path / "docker.sock"))
            monkeypatch.setenv("DOCKER_HOST", f"unix://{proxy.path}")
            name, stopped = f"kit{os.getpid()}", f"kit{os.getpid()}-stopped"
            bound = {str(tmp_path / "config"): {"bind": "/configs", "mode": "rw"}}
            made = [engine.run(name, volumes=bound, stop_signal="SIGKILL", **self.options)]
            api = engine.client.api
            made.append(api.create_container("shelled:1", ["/bin/sleep", "1"], name=stopped)["Id"])

            @contextlib.contextmanager
            def vanishes():
                api.kill(name)
                try:
                    yield
                finally:
                    api.start(name)

            @contextlib.contextmanager
            def drops():
                proxy.cut()
                yield

            try:
                yield BackendUnderTest(
                    DockerBackend(),
                    Workspace("w", backend="docker", container=name),
                    DirectoryFilesystem(tmp_path / "config", owned=True, owner=1000),
                    stopped=Workspace("s", backend="docker", container=stopped),
                    unreachable=proxy.refusing,
                    troubles={DISK_FULL: full, WORKSPACE_VANISHES: vanishes, CONNECTION_DROPS: drops},
                )
            finally:
                for container in made:
                    api.remove_container(container, force=True)


class TestDockerWithoutPrivileges(TestDocker):
    options: ClassVar[Mapping[str, object]] = {
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "read_only": True,
        "user": "1000:1000",
    }


class EndpointInAThread:
    """A tunnel endpoint on a loop of its own, for tests that have none."""

    def __init__(self, folder, target):
        self.endpoint = FaultyEndpoint(folder, target)
        self._loop, started = asyncio.new_event_loop(), threading.Event()

        async def serve():
            self._over = asyncio.Event()
            async with self.endpoint:
                started.set()
                await self._over.wait()

        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(serve(),), daemon=True)
        self._thread.start()
        assert started.wait(20)

    def cut(self):
        self._loop.call_soon_threadsafe(self.endpoint.cut_tunnels)

    def stop(self):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(20)
        self._loop.close()


NOISE = "echo Welcome; printf './evil/\\000\\000\\000\\000'; trap 'echo bye' EXIT"


@contextlib.contextmanager
def bash_login(ssh_host):
    """Make bash the login shell, which reads a `.bashrc`."""
    ssh_host.shell("sed -i 's#:/home/ubuntu:/bin/sh#:/home/ubuntu:/bin/bash#' /etc/passwd")
    try:
        yield
    finally:
        ssh_host.shell("sed -i 's#:/home/ubuntu:/bin/bash#:/home/ubuntu:/bin/sh#' /etc/passwd")


def odd_logins(ssh_host):
    """What the host is like for a time: its login shell is bash."""

    @contextlib.contextmanager
    def login_line(line):
        bashrc = ssh_host.root / "home/ubuntu/.bashrc"
        bashrc.write_text(f"{line}\n")
        try:
            yield
        finally:
            bashrc.unlink()

    @contextlib.contextmanager
    def few_tools():
        ssh_host.hide_tools("sha256sum")
        try:
            yield
        finally:
            ssh_host.show_tools()

    return {
        NOISY: lambda: login_line(NOISE),
        NO_COMMANDS: lambda: login_line("echo Welcome; exit 0"),
        FEW_TOOLS: few_tools,
    }


class TestEc2(BackendConformance):
    @pytest.fixture
    def under_test(self, ssh_host, session_aws, tmp_path, monkeypatch):
        session_aws.reset()
        use_simulator(session_aws, tmp_path, monkeypatch)
        instance, stopped = session_aws.run_instance(ENDPOINT_HOST), session_aws.run_instance(ENDPOINT_HOST)
        options = {"restart": "true"}
        session_aws.states[stopped] = "stopped"

        def shell(line, stdin):
            return subprocess.run(
                ssh_host.on_host("sh", "-c", line), input=stdin, capture_output=True, check=True
            ).stdout

        @contextlib.contextmanager
        def vanishes():
            session_aws.states[instance] = "stopped"
            ssh_host.cut_connections()
            try:
                yield
            finally:
                del session_aws.states[instance]

        @contextlib.contextmanager
        def drops():
            endpoint.cut()
            yield

        @contextlib.contextmanager
        def unreachable():
            session_aws.faults["DescribeInstances"] = Fault("RequestLimitExceeded", 400, times=99)
            try:
                yield
            finally:
                session_aws.faults.clear()

        endpoint = EndpointInAThread(tmp_path / "tls", ("127.0.0.1", ssh_host.port))
        with bash_login(ssh_host), small_disk(ssh_host.root / "configs") as full:
            try:
                yield BackendUnderTest(
                    Ec2Backend(),
                    Workspace("w", runtime="claude-code", backend="ec2", instance_id=instance, options=options),
                    ShellFilesystem(shell, "/configs"),
                    provider_name="ec2",
                    settings={"os_user": ssh_host.user, "tunnel_connect": f"127.0.0.1:{endpoint.endpoint.port}"},
                    stopped=Workspace("s", backend="ec2", instance_id=stopped),
                    unreachable=unreachable,
                    troubles={DISK_FULL: full, WORKSPACE_VANISHES: vanishes, CONNECTION_DROPS: drops},
                    conditions=odd_logins(ssh_host),
                )
            finally:
                endpoint.stop()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("root", NAMES)
def test_docker_can_be_tried_on_a_container_of_its_own(engine, tmp_path, root):
    image = {"DOCKER_HOST": engine.url, "PLUGPORT_CONFORM_IMAGE": engine.image_of(root)}
    done = command(tmp_path, "conform", "docker", seconds=880, **image)
    assert done.returncode == 0, done.stdout + done.stderr
    assert engine.client.containers.list(all=True, filters={"name": "plugport-conform"}) == []
