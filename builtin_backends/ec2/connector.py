"""Opens an SSH connection to an instance: describes it, pushes a key for this login, and checks the host key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import asyncssh

from ...hookspecs.errors import BackendUnavailable, WorkspaceNotRunning
from ..workspace_checks import require_running
from .aws import AWS_ERRORS, Aws, describe_failure
from .endpoints import Endpoint, find_endpoint
from .host_keys import ExpectedKeys, HostKeys
from .instances import Instance, Instances
from .tunnel import Tunnel, presigned_url

_LOGIN_SECONDS = 20
_KEEPALIVE_SECONDS = 15
_LOGIN_ATTEMPTS = 2
"""A pushed key is good for 60 seconds. If a login came too late, a new key is pushed once."""
_CIPHERS: Final = ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr"]
"""AES-GCM first: asyncssh's own order is as slow as chacha20 (tests/bench/ec2_delivery.py)."""
_KEY_ALGORITHMS: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
_NOT_RUNNING: Final = frozenset({"EC2InstanceStateInvalidException", "EC2InstanceNotFoundException"})


@dataclass(frozen=True, slots=True)
class ConnectionTarget:
    """Where a workspace's instance is: its id and, for direct SSH without an endpoint, the host and port."""

    instance_id: str
    host: str | None = None
    port: int = 22


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach an instance now: its current description and its endpoint (None for direct SSH)."""

    target: ConnectionTarget
    instance: Instance
    endpoint: Endpoint | None


class SshConnection:
    """An SSH connection, with the tunnel that carries it (None for direct SSH)."""

    def __init__(self, ssh: asyncssh.SSHClientConnection, tunnel: Tunnel | None) -> None:
        self._ssh, self._tunnel = ssh, tunnel

    async def create_process(self, command: str) -> asyncssh.SSHClientProcess[bytes]:
        """Start a command. Raises asyncssh's errors."""
        return await self._ssh.create_process(command, encoding=None)

    def is_closed(self) -> bool:
        """Return whether the connection was lost or closed."""
        return self._ssh.is_closed()

    def close(self) -> None:
        """Start to close the connection."""
        self._ssh.close()

    async def wait_closed(self) -> None:
        """Wait until both ends have closed it."""
        await self._ssh.wait_closed()
        if self._tunnel is not None:
            await self._tunnel.wait_closed()


class Connector:
    """Opens connections. `tunnel_address` is a host and port to connect to instead of each endpoint's address."""

    def __init__(
        self,
        aws: Aws,
        instances: Instances,
        host_keys: HostKeys,
        os_user: str,
        tunnel_address: tuple[str, int] | None,
    ) -> None:
        self._aws, self._instances, self._host_keys = aws, instances, host_keys
        self._os_user, self._tunnel_address = os_user, tunnel_address

    async def find_route(self, target: ConnectionTarget) -> Route:
        """Describe the instance and find its endpoint. May be repeated.

        Raises `WorkspaceNotRunning` and `BackendUnavailable`.
        """
        instance = await self._instances.get(target.instance_id)
        require_running(instance.state, f"the instance {target.instance_id}")
        if target.host is not None:
            return Route(target, instance, None)
        if instance.address is None:
            raise BackendUnavailable(f"the instance {target.instance_id} has no private address")
        return Route(target, instance, await self._aws.in_thread(lambda: find_endpoint(self._aws, instance)))

    async def connect(self, route: Route) -> SshConnection:
        """Connect to the instance. The host key is checked before anything is sent.

        Raises `HostKeyMismatch`, `WorkspaceNotRunning`, and `BackendUnavailable` for every other failure.
        """
        expected = await self._host_keys.expected(route.target.instance_id, route.instance.account)
        for remaining in reversed(range(_LOGIN_ATTEMPTS)):
            key = asyncssh.generate_private_key("ssh-ed25519")
            public_key = key.export_public_key().decode("ascii").strip()
            await self._aws.in_thread(partial(self._push_key, route, public_key))
            try:
                return await self._login(route, expected, key)
            except asyncssh.PermissionDenied as error:
                if remaining == 0:
                    reason = f"{route.target.instance_id} takes no pushed key for {self._os_user}: {error.reason}"
                    raise BackendUnavailable(reason) from error
        raise AssertionError("the last attempt returns or raises")

    def _push_key(self, route: Route, public_key: str) -> None:
        """Let the key in for 60 seconds. Blocking."""
        instance_id = route.target.instance_id
        parameters = {"InstanceId": instance_id, "InstanceOSUser": self._os_user, "SSHPublicKey": public_key}
        if route.instance.zone is not None:
            parameters["AvailabilityZone"] = route.instance.zone
        try:
            answer: Mapping[str, Any] = self._aws.client("ec2-instance-connect").send_ssh_public_key(**parameters)
        except AWS_ERRORS as error:
            reason = f"no key could be pushed to {instance_id}: {describe_failure(error)[1]}"
            code = getattr(error, "response", {}).get("Error", {}).get("Code")
            raise (WorkspaceNotRunning if code in _NOT_RUNNING else BackendUnavailable)(reason) from error
        if answer.get("Success") is False:
            raise BackendUnavailable(f"the push to {instance_id} failed (request id {answer.get('RequestId')})")

    async def _login(self, route: Route, expected: ExpectedKeys, key: asyncssh.SSHKey) -> SshConnection:
        target, tunnel = route.target, None
        host, port = target.host or route.instance.address or "", target.port
        if (endpoint := route.endpoint) is not None:
            port = 22
            url = await self._aws.in_thread(lambda: presigned_url(self._aws, endpoint, host, port))
            tunnel = Tunnel(url, self._tunnel_address)
        client = _HostKeyRecorder(expected)
        try:
            connection = await asyncssh.connect(
                host,
                port,
                tunnel=tunnel,
                client_factory=lambda: client,
                known_hosts=(list(expected.keys), [], []),
                server_host_key_algs=_key_algorithms(expected),
                username=self._os_user,
                client_keys=[key],
                preferred_auth="publickey",
                agent_path=None,
                config=None,
                encryption_algs=_CIPHERS,
                compression_algs=["none"],
                keepalive_interval=_KEEPALIVE_SECONDS,
                connect_timeout=_LOGIN_SECONDS,
                login_timeout=_LOGIN_SECONDS,
            )
        except asyncssh.HostKeyNotVerifiable as error:
            raise await self._host_keys.mismatch_error(expected, client.shown) from error
        except asyncssh.PermissionDenied:
            raise
        except (asyncssh.Error, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            reason = f"{target.instance_id} cannot be reached: {type(error).__name__}: {error}"
            raise BackendUnavailable(reason) from error
        try:
            await self._host_keys.pin(expected, connection.get_server_host_key())
        except BaseException:
            connection.abort()
            raise
        return SshConnection(connection, tunnel)


class _HostKeyRecorder(asyncssh.SSHClient):
    """Decides about a host key that is not among the known ones, and keeps it for the error."""

    def __init__(self, expected: ExpectedKeys) -> None:
        self._expected = expected
        self.shown: asyncssh.SSHKey | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Accept any key at first use, else none."""
        self.shown = key
        return self._expected.origin == "first-use"


def _key_algorithms(expected: ExpectedKeys) -> list[str]:
    """Return every algorithm, those of the expected keys first. A host that lost the pinned kind of key then shows
    another kind, and is refused."""
    wanted = {key.get_algorithm() for key in expected.keys}
    return sorted(
        _KEY_ALGORITHMS, key=lambda name: name not in wanted and not ("ssh-rsa" in wanted and "rsa" in name)
    )
