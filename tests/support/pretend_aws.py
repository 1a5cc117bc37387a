"""AWS on loopback, as far as the ec2 backend asks it: moto's EC2, and before it what moto lacks.

That is: Instance Connect endpoints, states that moto does not know, consoles, faults on demand, and a key push that a
real sshd enforces. tests/backends/test_ec2_doubles.py holds botocore's own model against the answers.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

ACCOUNT = "123456789012"
ACCESS_KEY, SECRET_KEY, REGION = "AKIDEXAMPLE", "secret", "eu-west-1"
_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
Environ = dict[str, Any]


@dataclass
class Fault:
    """What the next `times` calls of an action are answered with."""

    code: str
    status: int = 503
    times: int = 1


@dataclass
class PretendAws:
    """`let_in(user, key, seconds)` is told of each key that is pushed. Everything may be changed between calls.

    `states`: instance id to a state's name, or to `absent`. `consoles`: instance id to its console's text.
    `endpoints`: what DescribeInstanceConnectEndpoints answers. `faults`: action to what it is answered with.
    `key_seconds`: how long a pushed key is good. `calls`: the actions that were asked for, in their order.
    """

    let_in: Callable[[str, str, float], None]
    states: dict[str, str] = field(default_factory=dict)
    consoles: dict[str, str] = field(default_factory=dict)
    endpoints: list[dict[str, str]] = field(default_factory=list)
    faults: dict[str, Fault] = field(default_factory=dict)
    key_seconds: float = 60
    calls: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Serve on a free port of loopback; `url` is where."""
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    def renew(self) -> None:
        """Forget states, consoles, endpoints, faults and calls."""
        for one in (self.states, self.consoles, self.endpoints, self.faults, self.calls):
            one.clear()
        self.key_seconds = 60

    def environment(self) -> dict[str, str]:
        """What a process needs to take this for AWS."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_EC2": self.url,
            "AWS_ENDPOINT_URL_EC2_INSTANCE_CONNECT": self.url,
        }

    def client(self, service: str) -> Any:
        """A client of the real library that asks here."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )

    def run_instance(self, endpoint_host: str) -> str:
        """Start an instance, in whose subnet there is an endpoint of that host name; its id."""
        (made,) = self.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"]
        self.endpoints = [
            {
                "instanceConnectEndpointId": endpoint_host.partition(".")[0],
                "state": "create-complete",
                "dnsName": endpoint_host,
                "vpcId": made["VpcId"],
                "subnetId": made["SubnetId"],
                "ownerId": ACCOUNT,
            }
        ]
        self.calls.clear()
        return str(made["InstanceId"])

    def _answer(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        request = f"req-{uuid.uuid4()}"
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        action = target.rpartition(".")[2] or parse_qs(body.decode()).get("Action", [""])[0]
        self.calls.append(action)

        def reply(status: int, content: bytes, kind: str) -> Iterable[bytes]:
            headers = [("content-type", kind), ("content-length", str(len(content))), ("x-amzn-RequestId", request)]
            start_response(f"{status} -", headers)
            return [content]

        fault = self.faults.get(action)
        if fault is not None and fault.times > 0:
            fault.times -= 1
            return reply(fault.status, *_fault(fault.code, request, is_json=bool(target)))
        if action == "SendSSHPublicKey":
            return reply(*self._pushed(json.loads(body), request))
        if action == "DescribeInstanceConnectEndpoints":
            return reply(200, self._endpoints(parse_qs(body.decode()), request), "text/xml")
        asked = parse_qs(body.decode()).get("InstanceId", [""])[0]
        if action == "GetConsoleOutput" and asked in self.consoles:
            return reply(200, _console(asked, self.consoles[asked], request), "text/xml")
        if action == "DescribeInstances" and self.states:
            return reply(200, self._painted(b"".join(self._moto(environ, lambda *_: None))), "text/xml")
        return self._moto(environ, start_response)

    def _pushed(self, asked: dict[str, str], request: str) -> tuple[int, bytes, str]:
        state = self.states.get(asked["InstanceId"], "running")
        if state != "running":
            code = "EC2InstanceNotFoundException" if state == "absent" else "EC2InstanceStateInvalidException"
            return 400, *_fault(code, request, is_json=True)
        if not asked["SSHPublicKey"].startswith(("ssh-ed25519 ", "ssh-rsa ")) or not asked["InstanceOSUser"]:
            return 400, *_fault("InvalidArgsException", request, is_json=True)
        self.let_in(asked["InstanceOSUser"], asked["SSHPublicKey"], self.key_seconds)
        return 200, json.dumps({"RequestId": request, "Success": True}).encode(), "application/x-amz-json-1.1"

    def _endpoints(self, asked: dict[str, list[str]], request: str) -> bytes:
        """By the filters `vpc-id` and `state`, one endpoint a page, so that nobody forgets to page."""
        found = self.endpoints
        for number in range(1, 5):
            name = {"vpc-id": "vpcId", "state": "state"}.get(asked.get(f"Filter.{number}.Name", [""])[0])
            values = {value[0] for key, value in asked.items() if key.startswith(f"Filter.{number}.Value.")}
            found = [one for one in found if name is None or one[name] in values]
        start = int(asked.get("NextToken", ["0"])[0])
        items = "".join(
            "<item>" + "".join(f"<{key}>{escape(value)}</{key}>" for key, value in one.items()) + "</item>"
            for one in found[start : start + 1]
        )
        more = f"<nextToken>{start + 1}</nextToken>" if start + 1 < len(found) else ""
        inside = f"<instanceConnectEndpointSet>{items}</instanceConnectEndpointSet>{more}"
        return _document("DescribeInstanceConnectEndpointsResponse", inside, request)

    def _painted(self, answer: bytes) -> bytes:
        root = ElementTree.fromstring(answer)
        for instances in root.iterfind(".//{*}instancesSet"):
            for one in list(instances):
                state = self.states.get(one.findtext("{*}instanceId") or "")
                if state == "absent":
                    instances.remove(one)
                elif state is not None:
                    told = one.find("{*}instanceState")
                    assert told is not None
                    for part, value in (("code", str(_CODES.get(state, 0))), ("name", state)):
                        element = told.find(f"{{*}}{part}")
                        assert element is not None
                        element.text = value
        return ElementTree.tostring(root)


def console_with(keys: Iterable[str]) -> str:
    """What cloud-init prints at a first start."""
    lines = "\n".join(keys)
    return (
        f"[ 9.1] cloud-init\n-----BEGIN SSH HOST KEY KEYS-----\n{lines}\n-----END SSH HOST KEY KEYS-----\n[ 9.2] up\n"
    )


def _document(name: str, inside: str, request: str) -> bytes:
    return f'<{name} xmlns="{_NAMESPACE}"><requestId>{request}</requestId>{inside}</{name}>'.encode()


def _console(instance: str, text: str, request: str) -> bytes:
    import base64

    inside = (
        f"<instanceId>{instance}</instanceId><timestamp>2026-01-01T00:00:00.000Z</timestamp>"
        f"<output>{base64.b64encode(text.encode()).decode()}</output>"
    )
    return _document("GetConsoleOutputResponse", inside, request)


def _fault(code: str, request: str, *, is_json: bool) -> tuple[bytes, str]:
    if is_json:
        return json.dumps({"__type": code, "message": "no"}).encode(), "application/x-amz-json-1.1"
    text = (
        f"<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors>"
        f"<RequestID>{request}</RequestID></Response>"
    )
    return text.encode(), "text/xml"
