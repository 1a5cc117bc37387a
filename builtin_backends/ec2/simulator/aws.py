"""The parts of AWS's API that the ec2 backend calls, served on the loopback interface.

moto answers for EC2. This module adds what moto lacks: Instance Connect endpoints, more states, console output,
faults on demand, and a key push that a real sshd enforces. tests/backends/test_ec2_simulator.py checks the answers
against botocore's model of the API.
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ACCESS_KEY, SECRET_KEY, REGION = "AKIDEXAMPLE", "secret", "eu-west-1"
_ACCOUNT = "123456789012"
_JSON = "application/x-amz-json-1.1"
_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
_STATE_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


@dataclass
class Fault:
    """The error that the next `times` calls of an action get: AWS's code and the HTTP status."""

    code: str
    status: int = 503
    times: int = 1


@dataclass
class SimulatedAws:
    """Serves the API. `accept_key(user, public key, seconds)` is called for each key that is pushed.

    All fields may be changed between calls. `states`: instance id to the name of a state, or `absent`. `consoles`:
    instance id to its console's text. `endpoints`: the items of DescribeInstanceConnectEndpoints. `faults`: action
    to the error that it gets. `key_seconds`: how long a pushed key is valid. `calls`: the actions, in the order in
    which they were called.
    """

    accept_key: Callable[[str, str, float], None]
    states: dict[str, str] = field(default_factory=dict)
    consoles: dict[str, str] = field(default_factory=dict)
    endpoints: list[dict[str, str]] = field(default_factory=list)
    faults: dict[str, Fault] = field(default_factory=dict)
    key_seconds: float = 60
    calls: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Serve on a free port of the loopback interface, and set `url`."""
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    def reset(self) -> None:
        """Clear states, consoles, endpoints, faults and calls."""
        for values in (self.states, self.consoles, self.endpoints, self.faults, self.calls):
            values.clear()
        self.key_seconds = 60

    def environment(self) -> dict[str, str]:
        """Return the environment variables that make a process call this server instead of AWS."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_EC2": self.url,
            "AWS_ENDPOINT_URL_EC2_INSTANCE_CONNECT": self.url,
        }

    def client(self, service: str) -> Any:
        """Return a boto3 client that calls this server."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )

    def run_instance(self, endpoint_host: str) -> str:
        """Start an instance with an Instance Connect endpoint of that host name in its subnet; return its id."""
        (instance,) = self.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"]
        self.endpoints = [
            {
                "instanceConnectEndpointId": endpoint_host.partition(".")[0],
                "state": "create-complete",
                "dnsName": endpoint_host,
                "vpcId": instance["VpcId"],
                "subnetId": instance["SubnetId"],
                "ownerId": _ACCOUNT,
            }
        ]
        self.calls.clear()
        return str(instance["InstanceId"])

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        request_id = f"req-{uuid.uuid4()}"
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        form = {} if target else parse_qs(body.decode())
        action = target.rpartition(".")[2] or form.get("Action", [""])[0]
        self.calls.append(action)

        def reply(status: int, content: bytes, content_type: str) -> Iterable[bytes]:
            length = str(len(content))
            headers = [("content-type", content_type), ("content-length", length), ("x-amzn-RequestId", request_id)]
            start_response(f"{status} -", headers)
            return [content]

        fault = self.faults.get(action)
        if fault is not None and fault.times > 0:
            fault.times -= 1
            return reply(fault.status, *_error(fault.code, request_id, is_json=bool(target)))
        if action == "SendSSHPublicKey":
            return reply(*self._send_ssh_public_key(json.loads(body), request_id))
        if action == "DescribeInstanceConnectEndpoints":
            return reply(200, self._describe_endpoints(form, request_id), "text/xml")
        instance = form.get("InstanceId", [""])[0]
        if action == "GetConsoleOutput" and instance in self.consoles:
            return reply(200, _console_output(instance, self.consoles[instance], request_id), "text/xml")
        if action == "DescribeInstances" and self.states:
            answer = b"".join(self._moto(environ, lambda *_: None))
            return reply(200, self._with_states(answer), "text/xml")
        response: Iterable[bytes] = self._moto(environ, start_response)
        return response

    def _send_ssh_public_key(self, request: dict[str, str], request_id: str) -> tuple[int, bytes, str]:
        state = self.states.get(request["InstanceId"], "running")
        if state != "running":
            code = "EC2InstanceNotFoundException" if state == "absent" else "EC2InstanceStateInvalidException"
            return 400, *_error(code, request_id, is_json=True)
        if not request["SSHPublicKey"].startswith(("ssh-ed25519 ", "ssh-rsa ")) or not request["InstanceOSUser"]:
            return 400, *_error("InvalidArgsException", request_id, is_json=True)
        self.accept_key(request["InstanceOSUser"], request["SSHPublicKey"], self.key_seconds)
        return 200, json.dumps({"RequestId": request_id, "Success": True}).encode(), _JSON

    def _describe_endpoints(self, form: dict[str, list[str]], request_id: str) -> bytes:
        """Apply the filters `vpc-id` and `state`. A page has one endpoint, so a caller that does not page fails."""
        endpoints = self.endpoints
        for number in range(1, 5):
            key = {"vpc-id": "vpcId", "state": "state"}.get(form.get(f"Filter.{number}.Name", [""])[0])
            values = {value[0] for name, value in form.items() if name.startswith(f"Filter.{number}.Value.")}
            endpoints = [endpoint for endpoint in endpoints if key is None or endpoint[key] in values]
        start = int(form.get("NextToken", ["0"])[0])
        items = "".join(
            "<item>" + "".join(f"<{key}>{escape(value)}</{key}>" for key, value in endpoint.items()) + "</item>"
            for endpoint in endpoints[start : start + 1]
        )
        next_token = f"<nextToken>{start + 1}</nextToken>" if start + 1 < len(endpoints) else ""
        content = f"<instanceConnectEndpointSet>{items}</instanceConnectEndpointSet>{next_token}"
        return _document("DescribeInstanceConnectEndpointsResponse", content, request_id)

    def _with_states(self, answer: bytes) -> bytes:
        """Replace the state of each instance in moto's answer by the one in `states`."""
        root = ElementTree.fromstring(answer)  # noqa: S314 - moto wrote it in this process
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


def console_with_host_keys(keys: Iterable[str]) -> str:
    """Return a console's text with the block of host keys that cloud-init prints at the first start."""
    lines = "\n".join(keys)
    return (
        f"[ 9.1] cloud-init\n-----BEGIN SSH HOST KEY KEYS-----\n{lines}\n-----END SSH HOST KEY KEYS-----\n[ 9.2] up\n"
    )


def _document(name: str, content: str, request_id: str) -> bytes:
    return f'<{name} xmlns="{_NAMESPACE}"><requestId>{request_id}</requestId>{content}</{name}>'.encode()


def _console_output(instance: str, text: str, request_id: str) -> bytes:
    content = (
        f"<instanceId>{instance}</instanceId><timestamp>2026-01-01T00:00:00.000Z</timestamp>"
        f"<output>{base64.b64encode(text.encode()).decode()}</output>"
    )
    return _document("GetConsoleOutputResponse", content, request_id)


def _error(code: str, request_id: str, *, is_json: bool) -> tuple[bytes, str]:
    if is_json:
        return json.dumps({"__type": code, "message": "no"}).encode(), _JSON
    text = (
        f"<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors>"
        f"<RequestID>{request_id}</RequestID></Response>"
    )
    return text.encode(), "text/xml"
