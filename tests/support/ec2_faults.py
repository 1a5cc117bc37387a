"""The simulator's parts with what only tests need: faults on demand, and a record of what was asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request

from plugport.builtin_backends.ec2.simulator.aws import SimulatedAws
from plugport.builtin_backends.ec2.simulator.ssh_host import SshHost
from plugport.builtin_backends.ec2.simulator.tunnel_endpoint import SimulatedEndpoint

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_JSON = "application/x-amz-json-1.1"
_STATE_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


@dataclass
class Fault:
    """The error that the next `times` calls of an action get: AWS's code and the HTTP status."""

    code: str
    status: int = 503
    times: int = 1


@dataclass
class FaultyAws(SimulatedAws):
    """`states`: instance id to the name of a state, or `absent`. `faults`: action to the error that it gets. `calls`:
    the actions, in the order in which they were called."""

    states: dict[str, str] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def reset(self) -> None:
        """Clear states, consoles, endpoints, faults and calls."""
        for values in (self.states, self.consoles, self.endpoints, self.faults, self.calls):
            values.clear()
        self.key_seconds = 60

    def run_instance(self, endpoint_host: str) -> str:
        """See `SimulatedAws.run_instance`. Its own call is not recorded."""
        instance = super().run_instance(endpoint_host)
        self.calls.clear()
        return instance

    def answer(
        self, action: str, fields: Mapping[str, Any], request_id: str, environ: WSGIEnvironment
    ) -> tuple[int, bytes, str] | None:
        """See `SimulatedAws.answer`."""
        self.calls.append(action)
        is_json = "HTTP_X_AMZ_TARGET" in environ
        fault = self.faults.get(action)
        if fault is not None and fault.times > 0:
            fault.times -= 1
            return fault.status, *_error(fault.code, request_id, is_json=is_json)
        if action == "SendSSHPublicKey" and (state := self.states.get(fields["InstanceId"], "running")) != "running":
            code = "EC2InstanceNotFoundException" if state == "absent" else "EC2InstanceStateInvalidException"
            return 400, *_error(code, request_id, is_json=is_json)
        if action == "DescribeInstances" and self.states:
            described = b"".join(self.moto(environ, lambda *_: None))
            return 200, self._with_states(described), "text/xml"
        return super().answer(action, fields, request_id, environ)

    def _with_states(self, described: bytes) -> bytes:
        """Replace the state of each instance in moto's answer by the one in `states`."""
        root = ElementTree.fromstring(described)
        for instances in root.iterfind(".//{*}instancesSet"):
            for instance in list(instances):
                state = self.states.get(instance.findtext("{*}instanceId") or "")
                if state == "absent":
                    instances.remove(instance)
                elif state is not None:
                    for part, value in (("code", str(_STATE_CODES.get(state, 0))), ("name", state)):
                        for element in instance.iterfind(f"{{*}}instanceState/{{*}}{part}"):
                            element.text = value
        return ElementTree.tostring(root)


def _error(code: str, request_id: str, *, is_json: bool) -> tuple[bytes, str]:
    if is_json:
        return json.dumps({"__type": code, "message": "no"}).encode(), _JSON
    text = (
        f"<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors>"
        f"<RequestID>{request_id}</RequestID></Response>"
    )
    return text.encode(), "text/xml"


_PROGRAM_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin")


class FaultyHost(SshHost):
    """A host whose options and tools the tests change."""

    _hides_tools = False

    def start(self, **options: str) -> None:
        """See `SshHost.start`."""
        self._options = options
        super().start(**options)

    def reset(self) -> None:
        """Show hidden tools, remove pushed keys and the folders that plugins go to, and the options of sshd."""
        if self._hides_tools:
            self.show_tools()
        for keys in self.ssh_folder.glob("keys-*"):
            keys.unlink()
        if self.is_view:
            self.empty_folders()
        if self._options:
            self.start()

    def hide_tools(self, *tools: str) -> None:
        """Hide these programs, wherever they are on the host: the scripts extend the search path."""
        names = [f"{tool}*" if tool == "python3" else tool for tool in tools]
        places = " ".join(f"{folder}/{name}" for folder in _PROGRAM_FOLDERS for name in names)
        self.shell(
            f'for file in {places}; do [ -e "$file" ] || continue;'
            ' mv "$file" "${file%/*}/.hidden-${file##*/}"; done'
        )
        self._hides_tools = True

    def show_tools(self) -> None:
        """Show the hidden programs again."""
        places = " ".join(f"{folder}/.hidden-*" for folder in _PROGRAM_FOLDERS)
        self.shell(
            f'for file in {places}; do [ -e "$file" ] || continue;'
            ' mv "$file" "${file%/*}/${file##*/.hidden-}"; done'
        )
        self._hides_tools = False


@dataclass
class FaultyEndpoint(SimulatedEndpoint):
    """`send_text_first` sends a text message first. Above `mute_after` bytes the client receives nothing more.
    `requests` are the parameters of each handshake."""

    send_text_first: bool = False
    mute_after: int | None = None
    open_tunnels: int = 0
    requests: list[dict[str, list[str]]] = field(default_factory=list)

    def is_signed(self, request: Request) -> bool:
        """See `SimulatedEndpoint.is_signed`."""
        self.requests.append(parse_qs(request.path.partition("?")[2]))
        return super().is_signed(request)

    async def forward(self, client: ServerConnection) -> None:
        """See `SimulatedEndpoint.forward`."""
        self.open_tunnels += 1
        try:
            if self.send_text_first:
                await client.send("hello")
            await super().forward(_MutableClient(self, client))  # type: ignore[arg-type]
        finally:
            self.open_tunnels -= 1

    def cut_tunnels(self) -> None:
        """Break every tunnel."""
        for connection in list(self._server.connections):
            connection.transport.abort()


class _MutableClient:
    """A client's connection that drops what is sent to it above `mute_after`."""

    def __init__(self, endpoint: FaultyEndpoint, client: ServerConnection) -> None:
        self._endpoint, self._client = endpoint, client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def __aiter__(self) -> AsyncIterator[Any]:
        return aiter(self._client)

    async def send(self, data: bytes) -> None:
        """Send it, or drop it."""
        if self._endpoint.mute_after is None or self._endpoint.bytes_received <= self._endpoint.mute_after:
            await self._client.send(data)
