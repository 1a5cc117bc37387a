"""Checks an instance's host key against its pin, else its console, else (if allowed) trusts the first one.

A pin belongs to account, region and instance id. It does not belong to an address: AWS gives it to other instances.
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
from .aws import AWS_ERRORS, Aws, FailureKind, describe_failure

MODES: Final = ("first-use", "strict")
_BLOCK = re.compile(r"-----BEGIN SSH HOST KEY KEYS-----(.*?)-----END SSH HOST KEY KEYS-----", re.DOTALL)
_KEY = re.compile(r"((?:ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/=]{16,})")


@dataclass(frozen=True, slots=True)
class ExpectedKeys:
    """The host keys that an instance may show.

    `store_key` is the pin's key in the provider's store. `origin` says how `keys` are known: `pin`, `console`, or
    `first-use`; with `first-use`, `keys` is empty and any key is accepted.
    """

    instance_id: str
    store_key: str
    keys: Sequence[asyncssh.SSHKey]
    origin: str


class HostKeys:
    """The pinned host keys, in the provider's store. The mode `strict` never trusts the first key that it sees."""

    def __init__(self, aws: Aws, context: StartupContext, mode: str) -> None:
        self._aws, self._context, self._mode = aws, context, mode

    async def expected(self, instance_id: str, account: str | None) -> ExpectedKeys:
        """Return what the instance must show. May be repeated.

        Raises `HostKeyMismatch` in the mode `strict` if neither a pin nor the console has a key, and
        `BackendUnavailable` if the console cannot be read at the moment.
        """
        store_key = f"host-key/{account or 'unknown'}/{self._aws.session.region_name}/{instance_id}"
        pinned = await self._pinned(store_key)
        if pinned is not None:
            return ExpectedKeys(instance_id, store_key, [pinned], "pin")
        console_keys = await self._aws.in_thread(lambda: _read_console(self._aws, instance_id, self._context))
        if console_keys:
            return ExpectedKeys(instance_id, store_key, console_keys, "console")
        if self._mode == "strict":
            raise HostKeyMismatch(f"no key of {instance_id} is pinned and its console shows none: strict refuses it")
        return ExpectedKeys(instance_id, store_key, [], "first-use")

    async def pin(self, expected: ExpectedKeys, key: asyncssh.SSHKey | None) -> None:
        """Pin the key that an instance has shown, with an audit event. Does nothing if it is pinned already.

        Raises `HostKeyMismatch` if another replica has pinned another key meanwhile.
        """
        if expected.origin == "pin":
            return
        if key is None:
            raise HostKeyMismatch(f"{expected.instance_id} has shown no host key")
        pinned = await self._pinned(expected.store_key)
        if pinned is not None and pinned.public_data != key.public_data:
            raise HostKeyMismatch(f"{expected.instance_id} was pinned to {pinned.get_fingerprint()} meanwhile")
        value = {
            "key": key.export_public_key().decode("ascii").strip(),
            "fingerprint": key.get_fingerprint(),
            "origin": expected.origin,
            "at": datetime.now(UTC).isoformat(),
        }
        await self._context.store.put(expected.store_key, value)
        shown = {key: value[key] for key in ("fingerprint", "origin")}
        await self._context.audit("host-key.pinned", {"instance_id": expected.instance_id, **shown})

    async def mismatch_error(self, expected: ExpectedKeys, shown: asyncssh.SSHKey | None) -> HostKeyMismatch:
        """Record an audit event for an instance that showed another key, and return the error to raise."""
        seen = "an unreadable key" if shown is None else shown.get_fingerprint()
        wanted = ", ".join(key.get_fingerprint() for key in expected.keys)
        fields = {
            "instance_id": expected.instance_id,
            "seen": seen,
            "expected": wanted,
            "origin": expected.origin,
        }
        await self._context.audit("host-key.mismatch", fields)
        return HostKeyMismatch(f"{expected.instance_id} shows {seen}, known by its {expected.origin}: {wanted}")

    async def _pinned(self, store_key: str) -> asyncssh.SSHKey | None:
        value = await self._context.store.get(store_key)
        if value is None:
            return None
        key = value.get("key") if isinstance(value, dict) else None
        try:
            return asyncssh.import_public_key(str(key))
        except asyncssh.KeyImportError as error:
            raise HostKeyMismatch(f"the pinned key at {store_key} cannot be read") from error


def parse_console_keys(console: str) -> list[asyncssh.SSHKey]:
    """Return the host keys that cloud-init printed on the console at the last start."""
    blocks = _BLOCK.findall(console)
    keys = []
    for text in _KEY.findall(blocks[-1]) if blocks else ():
        try:
            keys.append(asyncssh.import_public_key(text))
        except asyncssh.KeyImportError:
            continue  # another writer of the console broke the line
    return keys


def _read_console(aws: Aws, instance_id: str, context: StartupContext) -> list[asyncssh.SSHKey]:
    """Return the keys on the console. Blocking. No keys if the console must not be read; any other failure raises
    `BackendUnavailable`, so that the caller tries again later."""
    try:
        answer = aws.client("ec2").get_console_output(InstanceId=instance_id)
    except AWS_ERRORS as error:
        kind, text = describe_failure(error)
        if kind is FailureKind.DENIED:
            context.logger.warning("the console of %s may not be read: %s", instance_id, text)
            return []
        raise BackendUnavailable(f"the console of {instance_id} could not be read: {text}") from error
    return parse_console_keys(str(answer.get("Output") or ""))
