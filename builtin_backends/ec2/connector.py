"""Opens one SSH connection to an instance: describes it, pushes a key for this once, goes in, checks who is there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import asyncssh

from ...hookspecs import RunStateKind
from ...hookspecs.errors import BackendUnavailable, WorkspaceNotRunning
from .aws import FAILURES, Aws, failure_of
from .endpoints import Endpoint, endpoint_for
from .host_keys import Expected, HostKeys
from .instances import Instance, Instances
from .tunnel import Tunnel, presigned

_LOGIN_SECONDS = 20
_KEEPALIVE_SECONDS = 15
_LOGINS = 2
"""A pushed key is good for 60 seconds: one that came too late is pushed anew, once."""
_CIPHERS: Final = ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr"]
"""AES-GCM first: asyncssh's own order costs as much as chacha20 (shared facts; tests/bench/ec2_delivery.py)."""
_KEY_KINDS: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
_NOT_THERE: Final = frozenset({"EC2InstanceStateInvalidException", "EC2InstanceNotFoundException"})


@dataclass(frozen=True, slots=True)
class Way:
    """How an instance is reached: its id, and where it is reached without an endpoint, the address and port."""

    instance_id: str
    host: str | None = None
    port: int = 22


@dataclass(frozen=True, slots=True)
class Route:
    """A way on the day: the instance as it was just described, and the endpoint; None where there is a direct way."""

    way: Way
    instance: Instance
    endpoint: Endpoint | None


class Line:
    """An SSH connection, with the tunnel that it goes through; None where there is a direct way."""

    def __init__(self, ssh: asyncssh.SSHClientConnection, tunnel: Tunnel | None) -> None:
        self._ssh, self._tunnel = ssh, tunnel

    async def create_process(self, command: str) -> asyncssh.SSHClientProcess[bytes]:
        """Start a command. Raises asyncssh's errors."""
        return await self._ssh.create_process(command, encoding=None)

    def is_closed(self) -> bool:
        """Whether it is lost, or was closed."""
        return self._ssh.is_closed()

    def close(self) -> None:
        """Close it, in a while."""
        self._ssh.close()

    async def wait_closed(self) -> None:
        """Until both ends have seen it closed."""
        await self._ssh.wait_closed()
        if self._tunnel is not None:
            await self._tunnel.wait_closed()


class Dialler:
    """`dial` is a host and port to connect to in place of every endpoint's own."""

    def __init__(
        self, aws: Aws, instances: Instances, host_keys: HostKeys, os_user: str, dial: tuple[str, int] | None
    ) -> None:
        self._aws, self._instances, self._host_keys = aws, instances, host_keys
        self._os_user, self._dial = os_user, dial

    async def route(self, way: Way) -> Route:
        """Where the instance is now, and which endpoint leads there. May be repeated.

        Raises `WorkspaceNotRunning` and `BackendUnavailable`.
        """
        found = await self._instances.state(way.instance_id)
        if found.state.kind is RunStateKind.UNKNOWN:
            raise BackendUnavailable(found.state.reason or "EC2 did not say")
        if found.state.kind is RunStateKind.STOPPED:
            raise WorkspaceNotRunning(f"the instance {way.instance_id} does not run")
        if way.host is not None:
            return Route(way, found, None)
        if found.address is None:
            raise BackendUnavailable(f"the instance {way.instance_id} has no private address")
        return Route(way, found, await self._aws.run(partial(endpoint_for, self._aws, found)))

    async def connect(self, route: Route) -> Line:
        """A connection to the instance, whose host key was checked before anything was said to it.

        Raises `HostKeyMismatch`, `WorkspaceNotRunning`, and `BackendUnavailable` for all else that stands in the way.
        """
        expected = await self._host_keys.expected(route.way.instance_id, route.instance.account)
        for left in reversed(range(_LOGINS)):
            key = asyncssh.generate_private_key("ssh-ed25519")
            await self._aws.run(partial(self._push, route, key))
            try:
                return await self._login(route, expected, key)
            except asyncssh.PermissionDenied as error:
                if left == 0:
                    reason = f"{route.way.instance_id} takes no pushed key for {self._os_user}: {error.reason}"
                    raise BackendUnavailable(reason) from error
        raise AssertionError("the last try returns or raises")

    def _push(self, route: Route, key: asyncssh.SSHKey) -> None:
        """Blocking."""
        asked: dict[str, Any] = {
            "InstanceId": route.way.instance_id,
            "InstanceOSUser": self._os_user,
            "SSHPublicKey": key.export_public_key().decode("ascii").strip(),
        }
        if route.instance.zone is not None:
            asked["AvailabilityZone"] = route.instance.zone
        try:
            told: Mapping[str, Any] = self._aws.client("ec2-instance-connect").send_ssh_public_key(**asked)
        except FAILURES as error:
            words = f"no key could be pushed to {route.way.instance_id}: {failure_of(error)[1]}"
            code = getattr(error, "response", {}).get("Error", {}).get("Code")
            raise (WorkspaceNotRunning if code in _NOT_THERE else BackendUnavailable)(words) from error
        if told.get("Success") is False:
            raise BackendUnavailable(
                f"the push to {route.way.instance_id} failed (request id {told.get('RequestId')})"
            )

    async def _login(self, route: Route, expected: Expected, key: asyncssh.SSHKey) -> Line:
        host, port, tunnel = route.way.host, route.way.port, None
        if route.endpoint is not None:
            host = route.instance.address or ""
            port = 22
            address = await self._aws.run(partial(presigned, self._aws, route.endpoint, host, port))
            tunnel = Tunnel(address, self._dial)
        guard = _Guard(expected)
        try:
            connection = await asyncssh.connect(
                host,
                port,
                tunnel=tunnel,
                client_factory=lambda: guard,
                known_hosts=(list(expected.keys), [], []),
                server_host_key_algs=_kinds(expected),
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
            raise await self._host_keys.refused(expected, guard.seen) from error
        except asyncssh.PermissionDenied:
            raise
        except (asyncssh.Error, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            words = f"{route.way.instance_id} is not reached: {type(error).__name__}: {error}"
            raise BackendUnavailable(words) from error
        try:
            await self._host_keys.saw(expected, connection.get_server_host_key())
        except BaseException:
            connection.abort()
            raise
        return Line(connection, tunnel)


class _Guard(asyncssh.SSHClient):
    """Is asked about a key that is not among the known ones."""

    def __init__(self, expected: Expected) -> None:
        self._expected = expected
        self.seen: asyncssh.SSHKey | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Whether the key will do: only where any will."""
        self.seen = key
        return self._expected.origin == "first-use"


def _kinds(expected: Expected) -> list[str]:
    """Every kind of key, those of the expected ones first: a host that no longer has the pinned kind shows another,
    and so is found out."""
    wanted = {one.get_algorithm() for one in expected.keys}
    return sorted(_KEY_KINDS, key=lambda kind: kind not in wanted and not ("ssh-rsa" in wanted and "rsa" in kind))
