"""Which EC2 Instance Connect endpoint leads to an instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...hookspecs.errors import BackendUnavailable
from .aws import FAILURES, Aws, failure_of
from .instances import Instance

_USABLE: Final = ("create-complete", "update-in-progress", "update-failed", "update-complete")
"""An endpoint that is being updated, or whose update failed, goes on serving."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint: its id and its host name."""

    id: str
    host: str


def endpoint_for(aws: Aws, instance: Instance) -> Endpoint:
    """The endpoint in the instance's subnet, else the first of its VPC.

    Blocking, may be repeated. Raises `BackendUnavailable` where there is none, where it has no FIPS name although
    `AWS_USE_FIPS_ENDPOINT` asks for one, and where AWS does not answer.
    """
    wanted = [{"Name": "vpc-id", "Values": [instance.network or ""]}, {"Name": "state", "Values": list(_USABLE)}]
    try:
        client = aws.client("ec2")
        pages = client.get_paginator("describe_instance_connect_endpoints").paginate(Filters=wanted)
        found = [one for page in pages for one in page.get("InstanceConnectEndpoints", ())]
    except FAILURES as error:
        raise BackendUnavailable(f"no endpoint could be asked for: {failure_of(error)[1]}") from error
    usable = [one for one in found if one.get("State") in _USABLE and one.get("VpcId") == instance.network]
    if not usable:
        raise BackendUnavailable(f"the VPC {instance.network} has no EC2 Instance Connect endpoint that is ready")
    near = [one for one in usable if one.get("SubnetId") == instance.subnet]
    return _endpoint((near or usable)[0], fips=bool(client.meta.config.use_fips_endpoint))


def _endpoint(told: Mapping[str, Any], *, fips: bool) -> Endpoint:
    host = told.get("FipsDnsName" if fips else "DnsName")
    if not host:
        raise BackendUnavailable(f"the endpoint {told.get('InstanceConnectEndpointId')} has no name to reach it by")
    return Endpoint(str(told["InstanceConnectEndpointId"]), str(host))
