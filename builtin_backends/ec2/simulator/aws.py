"""The parts of AWS's API that the ec2 backend calls, served on the loopback interface.

moto answers for EC2. This module adds what moto lacks: Instance Connect endpoints, console output, and a key push
that a real sshd enforces. tests/backends/test_ec2_simulator.py checks the answers
against botocore's model of the API.
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
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


@dataclass
class SimulatedAws:
    """Serves the API. `accept_key(user, public key, seconds)` is called for each key that is pushed.

    All fields may be changed between calls. `consoles`: instance id to its console's text. `endpoints`: the items of
    DescribeInstanceConnectEndpoints. `key_seconds`: how long a pushed key is valid.
    """

    accept_key: Callable[[str, str, float], None]
    consoles: dict[str, str] = field(default_factory=dict)
    endpoints: list[dict[str, str]] = field(default_factory=list)
    key_seconds: float = 60

    def start(self) -> None:
        """Serve on a free port of the loopback interface, and set `url`."""
        self.moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

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
        return str(instance["InstanceId"])

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        request_id = f"req-{uuid.uuid4()}"
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        fields = json.loads(body) if target else parse_qs(body.decode())
        answer = self.answer(target.rpartition(".")[2] or fields.get("Action", [""])[0], fields, request_id, environ)
        if answer is None:
            response: Iterable[bytes] = self.moto(environ, start_response)
            return response
        status, content, content_type = answer
        length = str(len(content))
        headers = [("content-type", content_type), ("content-length", length), ("x-amzn-RequestId", request_id)]
        start_response(f"{status} -", headers)
        return [content]

    def answer(
        self, action: str, fields: Mapping[str, Any], request_id: str, environ: WSGIEnvironment
    ) -> tuple[int, bytes, str] | None:
        """Return status, content and media type of the answer to an action; None if moto answers it."""
        if action == "SendSSHPublicKey":
            return self._send_ssh_public_key(fields, request_id)
        if action == "DescribeInstanceConnectEndpoints":
            return 200, self._describe_endpoints(fields, request_id), "text/xml"
        instance = fields.get("InstanceId", [""])[0]
        if action == "GetConsoleOutput" and instance in self.consoles:
            return 200, _console_output(instance, self.consoles[instance], request_id), "text/xml"
        return None

    def _send_ssh_public_key(self, request: Mapping[str, str], request_id: str) -> tuple[int, bytes, str]:
        if not request["SSHPublicKey"].startswith(("ssh-ed25519 ", "ssh-rsa ")) or not request["InstanceOSUser"]:
            return 400, json.dumps({"__type": "InvalidArgsException", "message": "no"}).encode(), _JSON
        self.accept_key(request["InstanceOSUser"], request["SSHPublicKey"], self.key_seconds)
        return 200, json.dumps({"RequestId": request_id, "Success": True}).encode(), _JSON

    def _describe_endpoints(self, form: Mapping[str, list[str]], request_id: str) -> bytes:
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
