"""Finds the EC2 Instance Connect endpoint for an instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ...hookspecs.errors import BackendUnavailable
from .aws import AWS_ERRORS, Aws, describe_failure
from .instances import Instance

_USABLE: Final = ("create-complete", "update-in-progress", "update-failed", "update-complete")
"""An endpoint keeps working during an update, and after an update that failed."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint: its id and its host name."""

    id: str
    host: str


def find_endpoint(aws: Aws, instance: Instance) -> Endpoint:
    """Return the endpoint in the instance's subnet, else the first of its VPC.

    Blocking; may be repeated. Raises `BackendUnavailable` if there is none, if it has no FIPS name although
    `AWS_USE_FIPS_ENDPOINT` asks for one, or if AWS does not answer.
    """
    filters = [{"Name": "vpc-id", "Values": [instance.vpc or ""]}, {"Name": "state", "Values": list(_USABLE)}]
    try:
        client = aws.client("ec2")
        pages = client.get_paginator("describe_instance_connect_endpoints").paginate(Filters=filters)
        endpoints = [endpoint for page in pages for endpoint in page.get("InstanceConnectEndpoints", ())]
    except AWS_ERRORS as error:
        raise BackendUnavailable(f"no endpoint could be looked up: {describe_failure(error)[1]}") from error
    usable = [item for item in endpoints if item.get("State") in _USABLE and item.get("VpcId") == instance.vpc]
    if not usable:
        raise BackendUnavailable(f"the VPC {instance.vpc} has no EC2 Instance Connect endpoint that is ready")
    endpoint = next((item for item in usable if item.get("SubnetId") == instance.subnet), usable[0])
    host = endpoint.get("FipsDnsName" if client.meta.config.use_fips_endpoint else "DnsName")
    if not host:
        raise BackendUnavailable(f"the endpoint {endpoint.get('InstanceConnectEndpointId')} has no DNS name")
    return Endpoint(str(endpoint["InstanceConnectEndpointId"]), str(host))
