"""Which host key an instance must show: the pinned one; at first contact the one on its console, else the first seen.

A pin belongs to account, region and instance id, never to an address, since addresses are given to other instances.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import asyncssh

from ...hookspecs import StartupContext
from ...hookspecs.errors import BackendUnavailable, HostKeyMismatch
from .aws import FAILURES, Aws, Failure, failure_of

MODES: Final = ("first-use", "strict")
_BLOCK = re.compile(r"-----BEGIN SSH HOST KEY KEYS-----(.*?)-----END SSH HOST KEY KEYS-----", re.DOTALL)
_KEY = re.compile(r"((?:ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/=]{16,})")


@dataclass(frozen=True, slots=True)
class Expected:
    """The keys that an instance may show, and from where they are known: `pin`, `console`, or `first-use`, where
    `keys` is empty and any will do."""

    instance: str
    place: str
    keys: Sequence[asyncssh.SSHKey]
    origin: str


class HostKeys:
    """The pins, in the provider's own store. In the mode `strict` nothing is trusted for being seen first."""

    def __init__(self, aws: Aws, context: StartupContext, mode: str) -> None:
        self._aws, self._context, self._mode = aws, context, mode

    async def expected(self, instance_id: str, account: str | None) -> Expected:
        """What the instance must show. May be repeated.

        Raises `HostKeyMismatch` under `strict` where nothing vouches for a key, and `BackendUnavailable` where the
        console cannot be read at the moment.
        """
        place = f"host-key/{account or 'unknown'}/{self._aws.session().region_name}/{instance_id}"
        pinned = await self._pinned(place)
        if pinned is not None:
            return Expected(instance_id, place, [pinned], "pin")
        told = await self._aws.run(lambda: _on_the_console(self._aws, instance_id, self._context))
        if told:
            return Expected(instance_id, place, told, "console")
        if self._mode == "strict":
            raise HostKeyMismatch(f"no key of {instance_id} is pinned and its console shows none: strict refuses it")
        return Expected(instance_id, place, [], "first-use")

    async def saw(self, expected: Expected, key: asyncssh.SSHKey | None) -> None:
        """Pin the key that an instance has shown, and audit that; nothing where it was pinned already.

        Raises `HostKeyMismatch` where another replica has pinned another one meanwhile.
        """
        if expected.origin == "pin":
            return
        if key is None:
            raise HostKeyMismatch(f"{expected.instance} has shown no host key")
        pinned = await self._pinned(expected.place)
        if pinned is not None and pinned.public_data != key.public_data:
            raise HostKeyMismatch(f"{expected.instance} was pinned to {pinned.get_fingerprint()} meanwhile")
        told = {
            "key": key.export_public_key().decode("ascii").strip(),
            "fingerprint": key.get_fingerprint(),
            "origin": expected.origin,
            "at": datetime.now(UTC).isoformat(),
        }
        await self._context.store.put(expected.place, told)
        what = {"instance_id": expected.instance, "fingerprint": told["fingerprint"], "origin": expected.origin}
        await self._context.audit("host-key.pinned", what)

    async def refused(self, expected: Expected, seen: asyncssh.SSHKey | None) -> HostKeyMismatch:
        """The error for an instance that showed another key; it is audited."""
        print_of = "an unreadable key" if seen is None else seen.get_fingerprint()
        wanted = ", ".join(one.get_fingerprint() for one in expected.keys)
        what = {"instance_id": expected.instance, "seen": print_of, "expected": wanted, "origin": expected.origin}
        await self._context.audit("host-key.mismatch", what)
        return HostKeyMismatch(f"{expected.instance} shows {print_of}, known by its {expected.origin}: {wanted}")

    async def _pinned(self, place: str) -> asyncssh.SSHKey | None:
        found = await self._context.store.get(place)
        key = found.get("key") if isinstance(found, dict) else None
        if found is None:
            return None
        try:
            return asyncssh.import_public_key(str(key))
        except asyncssh.KeyImportError as error:
            raise HostKeyMismatch(f"the pinned key at {place} cannot be read") from error


def keys_in(console: str) -> list[asyncssh.SSHKey]:
    """The host keys that cloud-init printed on the console, at the last start that it saw."""
    blocks = _BLOCK.findall(console)
    found = []
    for text in _KEY.findall(blocks[-1]) if blocks else ():
        try:
            found.append(asyncssh.import_public_key(text))
        except asyncssh.KeyImportError:
            continue  # a line that another writer of the console broke
    return found


def _on_the_console(aws: Aws, instance_id: str, context: StartupContext) -> list[asyncssh.SSHKey]:
    """Blocking. Who may not read the console goes without; a question that failed for now is asked again later."""
    try:
        told = aws.client("ec2").get_console_output(InstanceId=instance_id)
    except FAILURES as error:
        kind, words = failure_of(error)
        if kind is Failure.DENIED:
            context.logger.warning("the console of %s may not be read: %s", instance_id, words)
            return []
        raise BackendUnavailable(f"the console of {instance_id} could not be read: {words}") from error
    return keys_in(str(told.get("Output") or ""))
