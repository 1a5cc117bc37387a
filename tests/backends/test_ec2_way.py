"""The way to an EC2 instance: what is asked, what a failure means, which endpoint, and the tunnel."""

from __future__ import annotations

import asyncio
import os

import asyncssh
import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import Stubber

from plugport.builtin_backends.ec2.aws import Aws, Failure, failure_of
from plugport.builtin_backends.ec2.endpoints import Endpoint, endpoint_for
from plugport.builtin_backends.ec2.instances import Instance, Instances
from plugport.builtin_backends.ec2.simulator.tunnel_endpoint import ENDPOINT_HOST, SimulatedEndpoint
from plugport.builtin_backends.ec2.tunnel import FRAME, Tunnel, presigned
from plugport.hookspecs import RunState
from plugport.hookspecs.errors import BackendUnavailable
from plugport.hookspecs.values import RunStateKind

ID = "i-0123456789abcdef0"
INSTANCE = Instance(RunState.RUNNING, "123456789012", "vpc-1", "subnet-1", "10.0.0.7")


@pytest.fixture(autouse=True)
def _account(monkeypatch):
    for name in [one for one in os.environ if one.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def aws():
    made = Aws()
    yield made
    made.close()


@pytest.fixture
def stub(aws):
    """Answers that botocore holds against its model of EC2."""
    with Stubber(aws.client("ec2")) as stubber:
        yield stubber


def _page(*instances: tuple[str, str]) -> dict:
    told = [
        {"InstanceId": name, "State": {"Name": state, "Code": 16}, "VpcId": "vpc-1", "PrivateIpAddress": "10.0.0.7"}
        for name, state in instances
    ]
    return {"Reservations": [{"OwnerId": "123456789012", "Instances": told}]}


# Is it running


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("running", RunStateKind.RUNNING),
        *((one, RunStateKind.STOPPED) for one in ("pending", "stopping", "stopped", "shutting-down", "terminated")),
    ],
)
async def test_each_state_of_ec2_has_its_answer(aws, stub, state, kind):
    stub.add_response("describe_instances", _page((ID, state)))
    found = await Instances(aws).state(ID)
    assert found.state.kind is kind
    assert (found.account, found.network, found.address) == ("123456789012", "vpc-1", "10.0.0.7")


@pytest.mark.parametrize(
    ("code", "word"),
    [("RequestLimitExceeded", "throttled"), ("UnauthorizedOperation", "denied"), ("InternalError", "transient")],
)
async def test_a_failure_is_unknown_and_never_stopped(aws, stub, code, word):
    meta = {"RequestId": "req-7"}
    for _ in range(3):
        stub.add_client_error("describe_instances", code, "no", 503, response_meta=meta)
    found = await Instances(aws).state(ID)
    assert found.state.kind is RunStateKind.UNKNOWN
    assert word in found.state.reason
    assert code in found.state.reason
    assert "req-7" in found.state.reason


async def test_an_absent_instance_is_asked_for_again_and_then_stopped(aws, stub, monkeypatch):
    monkeypatch.setattr("plugport.builtin_backends.ec2.instances._ABSENT_AGAIN", (0.01, 0.01))
    stub.add_response("describe_instances", {"Reservations": []})
    stub.add_response("describe_instances", _page((ID, "running")))
    assert (await Instances(aws).state(ID)).state == RunState.RUNNING
    for _ in range(3):
        stub.add_response("describe_instances", {"Reservations": []})
    assert (await Instances(aws).state(ID)).state == RunState.STOPPED
    stub.assert_no_pending_responses()


async def test_many_callers_are_answered_by_one_call(aws, stub):
    names = [f"i-{number:017x}" for number in range(50)]
    wanted = {"Filters": [{"Name": "instance-id", "Values": names}]}
    stub.add_response("describe_instances", _page(*((one, "running") for one in names)), wanted)
    instances = Instances(aws)
    found = await asyncio.gather(*(instances.state(names[number % 50]) for number in range(600)))
    assert {one.state for one in found} == {RunState.RUNNING}


async def test_a_hostile_id_is_not_asked_for(aws, stub, monkeypatch):
    monkeypatch.setattr("plugport.builtin_backends.ec2.instances._ABSENT_AGAIN", ())
    assert (await Instances(aws).state("i-*")).state == RunState.STOPPED


async def test_the_waiters_are_answered_when_the_question_itself_breaks(aws, monkeypatch):
    monkeypatch.setattr("plugport.builtin_backends.ec2.instances._described", lambda *_: 1 / 0)
    found = await asyncio.wait_for(Instances(aws).state(ID), 5)
    assert found.state.kind is RunStateKind.UNKNOWN


async def test_moto_says_the_same(aws, monkeypatch):
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", f"http://{host}:{port}")
        client = boto3.client("ec2")
        ran = await asyncio.to_thread(client.run_instances, ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
        (made,) = ran["Instances"]
        instances = Instances(aws)
        found = await instances.state(made["InstanceId"])
        assert found.state == RunState.RUNNING
        assert (found.address, found.network) == (made["PrivateIpAddress"], made["VpcId"])
        await asyncio.to_thread(client.stop_instances, InstanceIds=[made["InstanceId"]])
        assert (await instances.state(made["InstanceId"])).state == RunState.STOPPED
    finally:
        server.stop()


def test_what_is_no_answer_of_aws_is_told_as_well():
    assert failure_of(ConnectTimeoutError(endpoint_url="https://x"))[0] is Failure.TRANSIENT


async def test_without_a_region_the_answer_is_denied(monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    found = await Instances(Aws()).state(ID)
    assert "denied" in found.state.reason


# Which endpoint


def _endpoint(name: str, subnet: str, state: str = "create-complete", vpc: str = "vpc-1") -> dict:
    return {
        "InstanceConnectEndpointId": name,
        "DnsName": f"{name}.example",
        "SubnetId": subnet,
        "State": state,
        "VpcId": vpc,
    }


def test_the_instances_own_subnet_comes_first(aws, stub):
    found = {"InstanceConnectEndpoints": [_endpoint("eice-a", "subnet-9"), _endpoint("eice-b", "subnet-1")]}
    stub.add_response("describe_instance_connect_endpoints", found)
    assert endpoint_for(aws, INSTANCE) == Endpoint("eice-b", "eice-b.example")


def test_else_one_of_the_vpc_also_while_it_is_updated(aws, stub):
    every = [_endpoint("eice-a", "subnet-9", "delete-in-progress"), _endpoint("eice-b", "subnet-8", "update-failed")]
    stub.add_response("describe_instance_connect_endpoints", {"InstanceConnectEndpoints": every})
    assert endpoint_for(aws, INSTANCE).id == "eice-b"


def test_no_endpoint_and_a_denied_question_are_typed(aws, stub):
    stub.add_response("describe_instance_connect_endpoints", {"InstanceConnectEndpoints": []})
    with pytest.raises(BackendUnavailable, match="no EC2 Instance Connect endpoint"):
        endpoint_for(aws, INSTANCE)
    stub.add_client_error("describe_instance_connect_endpoints", "UnauthorizedOperation")
    with pytest.raises(BackendUnavailable, match="denied"):
        endpoint_for(aws, INSTANCE)


# The tunnel


@pytest.fixture
def trusted(tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls/ca.pem"))
    return tmp_path / "tls"


def _tunnel(aws, endpoint) -> Tunnel:
    return Tunnel(presigned(aws, Endpoint("eice-0123", ENDPOINT_HOST), "10.0.0.7", 22), ("127.0.0.1", endpoint.port))


class _Server(asyncssh.SSHServer):
    def begin_auth(self, username):
        return False


async def _answer(process):
    async for data in process.stdin:
        process.stdout.write(data)
    process.exit(3)


@pytest.fixture
async def sshd():
    key = asyncssh.generate_private_key("ssh-ed25519")
    made = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[key], server_factory=_Server, process_factory=_answer, encoding=None
    )
    yield made.get_port(), key
    made.close()
    await made.wait_closed()


async def test_ssh_goes_through_the_tunnel(aws, trusted, sshd):
    port, key = sshd
    async with SimulatedEndpoint(trusted, ("127.0.0.1", port)) as endpoint:
        known = ([key.convert_to_public()], [], [])
        async with asyncssh.connect("10.0.0.7", tunnel=_tunnel(aws, endpoint), known_hosts=known) as ssh:
            sent = os.urandom(3_000_000)
            done = await ssh.run("x", input=sent, encoding=None)
            assert (done.stdout, done.exit_status) == (sent, 3)
        (asked,) = endpoint.requests
    assert asked["instanceConnectEndpointId"] == ["eice-0123"]
    assert (asked["remotePort"], asked["privateIpAddress"]) == (["22"], ["10.0.0.7"])
    assert asked["X-Amz-SignedHeaders"] == ["host"]


async def test_a_refused_handshake_is_typed_with_the_request_id(aws, trusted, monkeypatch):
    async with SimulatedEndpoint(trusted, ("127.0.0.1", 1)) as endpoint:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
        with pytest.raises(BackendUnavailable, match=r"403.*no access.*req-42"):
            await _tunnel(Aws(), endpoint).create_connection(asyncio.Protocol)


async def test_an_endpoint_that_is_not_trusted_or_not_there_is_typed(aws, trusted, monkeypatch):
    async with SimulatedEndpoint(trusted, ("127.0.0.1", 1)) as endpoint:
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(BackendUnavailable, match="certificate"):
            await _tunnel(aws, endpoint).create_connection(asyncio.Protocol)
    with pytest.raises(BackendUnavailable, match="not reached"):
        await _tunnel(aws, endpoint).create_connection(asyncio.Protocol)


@pytest.mark.parametrize("fault", [{"cut_after": 200_000}, {"send_text_first": True}])
async def test_a_line_that_breaks_is_never_taken_for_a_command_that_ended(aws, trusted, sshd, fault):
    port, key = sshd
    known = ([key.convert_to_public()], [], [])

    async def run():
        async with asyncssh.connect("10.0.0.7", tunnel=_tunnel(aws, endpoint), known_hosts=known) as ssh:
            return (await ssh.run("x", input=b"x" * 3_000_000, encoding=None)).exit_status

    async with SimulatedEndpoint(trusted, ("127.0.0.1", port), **fault) as endpoint:
        (ended,) = await asyncio.gather(asyncio.wait_for(run(), 20), return_exceptions=True)
    assert ended is None or isinstance(ended, asyncssh.Error | ConnectionError)


def test_without_credentials_there_is_no_tunnel(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(BackendUnavailable, match="no AWS credentials"):
        presigned(Aws(), Endpoint("eice-0123", ENDPOINT_HOST), "10.0.0.7", 22)


def test_no_frame_is_larger_than_an_endpoint_takes():
    assert FRAME <= 65_000  # the simulator refuses larger ones, so the tests above see them too
