"""The only place that asks EC2 about instances: whether they run, and where they are.

One request answers many callers. If AWS does not answer, the state is UNKNOWN with the reason, never STOPPED.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...hookspecs import RunState
from ..request_coalescer import RequestCoalescer
from .aws import AWS_ERRORS, Aws, describe_failure

_STATES: Final[Mapping[str, RunState]] = {
    "running": RunState.RUNNING,
    **dict.fromkeys(("pending", "shutting-down", "stopped", "stopping", "terminated"), RunState.STOPPED),
}
_MAX_FILTER_VALUES = 200
"""The most values that EC2 takes in one filter."""
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_RETRY_ABSENT_SECONDS = (1.0, 2.0)
"""The delays after which an unknown instance is looked up again, since EC2 is eventually consistent."""


@dataclass(frozen=True, slots=True)
class Instance:
    """What EC2 reports of one instance.

    Every field but `state` is None if the instance is absent or EC2 did not answer. `account` is the owner's id,
    `address` the private IPv4 address, else the IPv6 address, `zone` the availability zone.
    """

    state: RunState
    account: str | None = None
    vpc: str | None = None
    subnet: str | None = None
    address: str | None = None
    zone: str | None = None


class Instances:
    """Describes instances. Callers that come during a request share the next one."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._coalescer = RequestCoalescer(self._fetch_many, _failed_request)

    async def get(self, instance_id: str) -> Instance:
        """Return what EC2 reports of the instance now. Raises no error of AWS; may be repeated.

        RUNNING: it runs. STOPPED: it does not, or EC2 has answered repeatedly that it does not exist. UNKNOWN:
        throttled, denied, or no answer; the reason has AWS's request id.
        """
        instance = await self._coalescer.get(instance_id)
        for seconds in _RETRY_ABSENT_SECONDS:
            if instance is not None:
                break
            await asyncio.sleep(seconds)
            instance = await self._coalescer.get(instance_id)
        return instance or Instance(RunState.STOPPED)

    async def _fetch_many(self, ids: list[str]) -> dict[str, Instance | None]:
        return await self._aws.in_thread(lambda: _describe(self._aws, ids))


def _failed_request(error: BaseException) -> Instance | None:
    return Instance(RunState.unknown(f"the request failed: {type(error).__name__}: {error}"))


def _describe(aws: Aws, ids: Sequence[str]) -> dict[str, Instance | None]:
    """Return each instance, None if EC2 knows none.

    The ids go into a filter: in `InstanceIds` an unknown id would fail the whole request.
    """
    instances: dict[str, Instance | None] = dict.fromkeys(ids)
    valid = [instance_id for instance_id in ids if _ID.fullmatch(instance_id)]
    try:
        pages = aws.client("ec2").get_paginator("describe_instances")
        for start in range(0, len(valid), _MAX_FILTER_VALUES):
            filters = [{"Name": "instance-id", "Values": valid[start : start + _MAX_FILTER_VALUES]}]
            for page in pages.paginate(Filters=filters):
                for reservation in page.get("Reservations", ()):
                    for row in reservation.get("Instances", ()):
                        instances[row["InstanceId"]] = _instance(row, reservation.get("OwnerId"))
    except AWS_ERRORS as error:
        return dict.fromkeys(ids, Instance(RunState.unknown(f"EC2 did not answer: {describe_failure(error)[1]}")))
    return instances


def _instance(row: Mapping[str, Any], account: str | None) -> Instance:
    name = str(row.get("State", {}).get("Name", ""))
    state = _STATES.get(name) or RunState.unknown(f"the instance is in the state {name!r}")
    address = row.get("PrivateIpAddress") or row.get("Ipv6Address")
    zone = row.get("Placement", {}).get("AvailabilityZone")
    return Instance(state, account, row.get("VpcId"), row.get("SubnetId"), address, zone)
