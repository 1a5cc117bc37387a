"""Instances and endpoints: what each answer of EC2 means, held against botocore's model."""

from __future__ import annotations

import asyncio

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import Stubber

from plugport.builtin_backends.ec2.aws import Aws, FailureKind, describe_failure
from plugport.builtin_backends.ec2.endpoints import Endpoint, find_endpoint
from plugport.builtin_backends.ec2.instances import Instance, Instances
from plugport.hookspecs import RunState
from plugport.hookspecs.errors import BackendUnavailable
from plugport.hookspecs.values import RunStateKind

ID = "i-0123456789abcdef0"
INSTANCE = Instance(RunState.RUNNING, "123456789012", "vpc-1", "subnet-1", "10.0.0.7")


@pytest.fixture
def stub(aws):
    """Answers that botocore holds against its model of EC2."""
    with Stubber(aws.client("ec2")) as stubber:
        yield stubber


def _page(*instances: tuple[str, str]) -> dict:
    rows = [
        {"InstanceId": name, "State": {"Name": state, "Code": 16}, "VpcId": "vpc-1", "PrivateIpAddress": "10.0.0.7"}
        for name, state in instances
    ]
    return {"Reservations": [{"OwnerId": "123456789012", "Instances": rows}]}


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("running", RunStateKind.RUNNING),
        *(
            (state, RunStateKind.STOPPED)
            for state in ("pending", "stopping", "stopped", "shutting-down", "terminated")
        ),
    ],
)
async def test_each_state_of_ec2_has_its_answer(aws, stub, state, kind):
    stub.add_response("describe_instances", _page((ID, state)))
    instance = await Instances(aws).get(ID)
    assert instance.state.kind is kind
    assert (instance.account, instance.vpc, instance.address) == ("123456789012", "vpc-1", "10.0.0.7")


@pytest.mark.parametrize(
    ("code", "word"),
    [("RequestLimitExceeded", "throttled"), ("UnauthorizedOperation", "denied"), ("InternalError", "transient")],
)
async def test_a_failure_is_unknown_and_never_stopped(aws, stub, code, word):
    meta = {"RequestId": "req-7"}
    for _ in range(3):
        stub.add_client_error("describe_instances", code, "no", 503, response_meta=meta)
    state = (await Instances(aws).get(ID)).state
    assert state.kind is RunStateKind.UNKNOWN
    assert word in state.reason
    assert code in state.reason
    assert "req-7" in state.reason


async def test_an_absent_instance_is_looked_up_again_and_then_stopped(aws, stub, monkeypatch):
    monkeypatch.setattr("plugport.builtin_backends.ec2.instances._RETRY_ABSENT_SECONDS", (0.01, 0.01))
    stub.add_response("describe_instances", {"Reservations": []})
    stub.add_response("describe_instances", _page((ID, "running")))
    assert (await Instances(aws).get(ID)).state == RunState.RUNNING
    for _ in range(3):
        stub.add_response("describe_instances", {"Reservations": []})
    assert (await Instances(aws).get(ID)).state == RunState.STOPPED
    stub.assert_no_pending_responses()


async def test_many_callers_are_answered_by_one_call(aws, stub):
    names = [f"i-{number:017x}" for number in range(50)]
    wanted = {"Filters": [{"Name": "instance-id", "Values": names}]}
    stub.add_response("describe_instances", _page(*((name, "running") for name in names)), wanted)
    instances = Instances(aws)
    answers = await asyncio.gather(*(instances.get(names[number % 50]) for number in range(600)))
    assert {instance.state for instance in answers} == {RunState.RUNNING}


async def test_a_hostile_id_is_not_sent(aws, stub, monkeypatch):
    monkeypatch.setattr("plugport.builtin_backends.ec2.instances._RETRY_ABSENT_SECONDS", ())
    assert (await Instances(aws).get("i-*")).state == RunState.STOPPED


async def test_every_caller_gets_an_answer_if_the_request_itself_breaks(aws, monkeypatch):
    monkeypatch.setattr("plugport.builtin_backends.ec2.instances._describe", lambda *_: 1 / 0)
    instance = await asyncio.wait_for(Instances(aws).get(ID), 5)
    assert instance.state.kind is RunStateKind.UNKNOWN


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
        instance = await instances.get(made["InstanceId"])
        assert instance.state == RunState.RUNNING
        assert (instance.address, instance.vpc) == (made["PrivateIpAddress"], made["VpcId"])
        await asyncio.to_thread(client.stop_instances, InstanceIds=[made["InstanceId"]])
        assert (await instances.get(made["InstanceId"])).state == RunState.STOPPED
    finally:
        server.stop()


def test_a_timeout_is_transient():
    assert describe_failure(ConnectTimeoutError(endpoint_url="https://x"))[0] is FailureKind.TRANSIENT


async def test_without_a_region_the_answer_is_denied(aws, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    instance = await Instances(Aws()).get(ID)
    assert "denied" in instance.state.reason


def _endpoint(name: str, subnet: str, state: str = "create-complete", vpc: str = "vpc-1") -> dict:
    return {
        "InstanceConnectEndpointId": name,
        "DnsName": f"{name}.example",
        "SubnetId": subnet,
        "State": state,
        "VpcId": vpc,
    }


def test_the_instances_own_subnet_comes_first(aws, stub):
    page = {"InstanceConnectEndpoints": [_endpoint("eice-a", "subnet-9"), _endpoint("eice-b", "subnet-1")]}
    stub.add_response("describe_instance_connect_endpoints", page)
    assert find_endpoint(aws, INSTANCE) == Endpoint("eice-b", "eice-b.example")


def test_else_one_of_the_vpc_also_while_it_is_updated(aws, stub):
    every = [_endpoint("eice-a", "subnet-9", "delete-in-progress"), _endpoint("eice-b", "subnet-8", "update-failed")]
    stub.add_response("describe_instance_connect_endpoints", {"InstanceConnectEndpoints": every})
    assert find_endpoint(aws, INSTANCE).id == "eice-b"


def test_no_endpoint_and_a_denied_request_are_typed(aws, stub):
    stub.add_response("describe_instance_connect_endpoints", {"InstanceConnectEndpoints": []})
    with pytest.raises(BackendUnavailable, match="no EC2 Instance Connect endpoint"):
        find_endpoint(aws, INSTANCE)
    stub.add_client_error("describe_instance_connect_endpoints", "UnauthorizedOperation")
    with pytest.raises(BackendUnavailable, match="denied"):
        find_endpoint(aws, INSTANCE)
