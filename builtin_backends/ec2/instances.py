"""The one place that asks EC2 about instances: whether they run, and where they are.

Many callers are answered by one call. What AWS did not say is UNKNOWN with its reason, never "stopped".
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from ...hookspecs import RunState
from ..request_coalescer import Batch
from .aws import FAILURES, Aws, failure_of

_STOPPED: Final = frozenset({"pending", "shutting-down", "stopped", "stopping", "terminated"})
_AT_ONCE = 200
"""Values that EC2 takes in one filter."""
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_ABSENT_AGAIN = (1.0, 2.0)
"""Seconds after which an instance that EC2 does not know is asked for again: a new one is not seen everywhere at
once."""


@dataclass(frozen=True, slots=True)
class Instance:
    """What EC2 said of one instance. Everything but `state` is None where it is absent or could not be asked for;
    `account` is the owner's id, `address` its private address (IPv6 where it has no other), `zone` its availability
    zone."""

    state: RunState
    account: str | None = None
    network: str | None = None
    subnet: str | None = None
    address: str | None = None
    zone: str | None = None


class Instances:
    """Callers that come while a question is under way share the next one."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._batch = Batch(self._ask, _lost)

    async def state(self, instance_id: str) -> Instance:
        """What EC2 says of the instance, asked now. Never raises for AWS's sake; may be repeated.

        RUNNING: it runs. STOPPED: it does not, or EC2 has said repeatedly that there is none. UNKNOWN: throttled,
        denied, or not answered; the reason has AWS's request id.
        """
        for seconds in (*_ABSENT_AGAIN, None):
            found = await self._batch.answer(instance_id)
            if found is not None:
                return found
            if seconds is not None:
                await asyncio.sleep(seconds)
        return Instance(RunState.STOPPED)

    async def _ask(self, names: list[str]) -> dict[str, Instance | None]:
        return await self._aws.run(partial(_described, self._aws, names))


def _lost(error: BaseException) -> Instance | None:
    return Instance(RunState.unknown(f"the question failed: {type(error).__name__}: {error}"))


def _described(aws: Aws, names: Sequence[str]) -> dict[str, Instance | None]:
    """Each instance, None where EC2 knows none. By filter, since an unknown id in `InstanceIds` fails the batch."""
    found: dict[str, Instance | None] = dict.fromkeys(names)
    known = [name for name in names if _ID.fullmatch(name)]
    try:
        pages = aws.client("ec2").get_paginator("describe_instances")
        for start in range(0, len(known), _AT_ONCE):
            wanted = [{"Name": "instance-id", "Values": known[start : start + _AT_ONCE]}]
            for page in pages.paginate(Filters=wanted):
                for reservation in page.get("Reservations", ()):
                    for told in reservation.get("Instances", ()):
                        found[told["InstanceId"]] = _instance(told, reservation.get("OwnerId"))
    except FAILURES as error:
        unknown = RunState.unknown(f"EC2 did not say: {failure_of(error)[1]}")
        return dict.fromkeys(names, Instance(unknown))
    return found


def _instance(told: Mapping[str, Any], account: str | None) -> Instance:
    state = str(told.get("State", {}).get("Name", ""))
    if state == "running":
        seen = RunState.RUNNING
    elif state in _STOPPED:
        seen = RunState.STOPPED
    else:
        seen = RunState.unknown(f"the instance is {state or 'in no state that EC2 names'}")
    address = told.get("PrivateIpAddress") or told.get("Ipv6Address")
    zone = told.get("Placement", {}).get("AvailabilityZone")
    return Instance(seen, account, told.get("VpcId"), told.get("SubnetId"), address, zone)
