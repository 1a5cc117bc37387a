"""The simulator of AWS, checked against botocore's own model of what each operation takes and answers."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.session import get_session
from botocore.validate import ParamValidator
from support.ec2_faults import Fault, FaultyAws
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from plugport.builtin_backends.ec2.simulator.aws import REGION, console_with_host_keys
from plugport.builtin_backends.ec2.simulator.tunnel_endpoint import ENDPOINT_HOST, SimulatedEndpoint

PUSHED: list[tuple[str, str, float]] = []


@pytest.fixture(scope="module")
def aws():
    made = FaultyAws(lambda *args: PUSHED.append(args))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def instance(aws):
    aws.reset()
    return aws.run_instance(ENDPOINT_HOST)


def _fits(service: str, operation: str, answer: dict) -> None:
    """The answer, as the real client read it, has no member that the model lacks, and each of its kind."""
    answer = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
    shape = get_session().get_service_model(service).operation_model(operation).output_shape
    report = ParamValidator().validate(answer, shape)
    assert not report.has_errors(), report.generate_report()
    assert answer


def test_every_answer_fits_botocores_model(aws, instance):
    ec2, connect_client = aws.client("ec2"), aws.client("ec2-instance-connect")
    aws.states[instance] = "stopping"
    aws.consoles[instance] = console_with_host_keys(["ssh-ed25519 AAAA root@host"])
    described = ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": [instance]}])
    _fits("ec2", "DescribeInstances", described)
    (row,) = described["Reservations"][0]["Instances"]
    assert row["State"] == {"Name": "stopping", "Code": 64}
    console = ec2.get_console_output(InstanceId=instance)
    _fits("ec2", "GetConsoleOutput", console)
    assert "ssh-ed25519 AAAA root@host" in console["Output"]
    endpoints = ec2.describe_instance_connect_endpoints()
    _fits("ec2", "DescribeInstanceConnectEndpoints", endpoints)
    assert endpoints["InstanceConnectEndpoints"][0]["DnsName"] == ENDPOINT_HOST
    aws.states.clear()
    pushed = connect_client.send_ssh_public_key(
        InstanceId=instance, InstanceOSUser="ubuntu", SSHPublicKey="ssh-ed25519 " + "A" * 300
    )
    _fits("ec2-instance-connect", "SendSSHPublicKey", pushed)
    assert pushed["Success"] is True
    assert PUSHED[-1] == ("ubuntu", "ssh-ed25519 " + "A" * 300, 60)


def test_filters_and_pages_are_as_ec2s(aws, instance):
    (endpoint,) = aws.endpoints
    aws.endpoints[:] = [
        endpoint,
        endpoint | {"vpcId": "vpc-other"},
        endpoint | {"instanceConnectEndpointId": "eice-2"},
    ]
    pages = aws.client("ec2").get_paginator("describe_instance_connect_endpoints")
    wanted = [{"Name": "vpc-id", "Values": [endpoint["vpcId"]]}, {"Name": "state", "Values": ["create-complete"]}]
    counts = [len(page["InstanceConnectEndpoints"]) for page in pages.paginate(Filters=wanted)]
    assert counts == [1, 1]


def test_faults_are_errors_of_the_real_client(aws, instance):
    aws.faults["DescribeInstances"] = Fault("UnauthorizedOperation", 403)
    with pytest.raises(ClientError) as caught:
        aws.client("ec2").describe_instances()
    assert caught.value.response["Error"]["Code"] == "UnauthorizedOperation"
    assert caught.value.response["ResponseMetadata"]["RequestId"].startswith("req-")
    exceptions = aws.client("ec2-instance-connect").exceptions
    for code in ("AuthException", "EC2InstanceStateInvalidException", "EC2InstanceNotFoundException"):
        aws.faults["SendSSHPublicKey"] = Fault(code, 400)
        with pytest.raises(getattr(exceptions, code)):
            aws.client("ec2-instance-connect").send_ssh_public_key(
                InstanceId=instance, InstanceOSUser="ubuntu", SSHPublicKey="ssh-ed25519 " + "A" * 300
            )


@pytest.mark.parametrize("wrong", ["secret", "parameter", "service", "expired", None])
async def test_the_tunnel_takes_botocores_signature_and_no_other(tmp_path, monkeypatch, wrong):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls/ca.pem"))
    asked = urlencode({"instanceConnectEndpointId": "eice-1", "remotePort": "22", "privateIpAddress": "10.0.0.7"})
    request = AWSRequest(method="GET", url=f"https://{ENDPOINT_HOST}/openTunnel?{asked}")
    secret = "other" if wrong == "secret" else "secret"
    service = "ec2" if wrong == "service" else "ec2-instance-connect"
    expires = -5 if wrong == "expired" else 60
    SigV4QueryAuth(Credentials("AKIDEXAMPLE", secret), service, REGION, expires=expires).add_auth(request)
    address = request.url.replace("https://", "wss://")
    if wrong == "parameter":
        address = address.replace("10.0.0.7", "10.0.0.8")

    async def greeted(reader, writer):
        writer.write(b"SSH-2.0-x\r\n")
        await writer.drain()

    server = await asyncio.start_server(greeted, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with SimulatedEndpoint(tmp_path / "tls", ("127.0.0.1", port)) as endpoint:
        dialled = connect(address, host="127.0.0.1", port=endpoint.port, proxy=None)
        if wrong is None:
            async with dialled as socket:
                assert await socket.recv() == b"SSH-2.0-x\r\n"
        else:
            with pytest.raises(InvalidStatus, match="403"):
                await dialled
    server.close()
