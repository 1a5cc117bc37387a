"""Installs a bundle on a target with a shell: one command, one stream."""

from __future__ import annotations

from collections.abc import Iterable

from ...hookspecs import Bundle, Receipt
from ...hookspecs.errors import BackendUnavailable, DeliveryFailed
from .channel import Channel
from .failure import script_failure
from .frame import run_framed
from .kept import KeepBounds, read_receipt
from .script import script_command

LARGE = 8 * 1024 * 1024
"""Bytes from which on openssl is worth its start, since it hashes faster than `sha256sum`."""
_MAX_KNOWN = 500


async def install(
    channel: Channel,
    config_dir: str,
    bundle: Bundle,
    known: Iterable[str] = (),
    bounds: KeepBounds | None = None,
    caller: str = "",
) -> Receipt:
    """Put the bundle at `<config_dir>/plugins/<name>`, whole or not at all. The receipt's digest was read there.

    What somebody edited in the version that is replaced is set aside, within the bounds. `known` are digests of
    versions that plugport delivered. A `caller` (hex) delivers a plugin there once at a time: what is left of its run
    before is ended. May be repeated after any failure. Raises `DeliveryFailed`, `UnsupportedTarget`,
    and what the channel raises.
    """
    digest, size = bundle.digest.removeprefix("sha256:"), "large" if bundle.size > LARGE else "small"
    limits = (bounds or KeepBounds()).arguments
    arguments = (config_dir, bundle.name, digest, size, *limits, *hex_digests(known))
    argv = script_command("install", *arguments, caller=caller)
    with bundle.open_tar() as stream:
        completed = await run_framed(channel, argv, stream)
    if completed.exit_code != 0:
        raise await script_failure(channel, config_dir, "install", completed)
    try:
        receipt = read_receipt(completed.stdout)
    except BackendUnavailable as error:
        raise DeliveryFailed(error.reason) from error
    if receipt.digest is None:
        raise DeliveryFailed("the install did not print the digest that it read back")
    return receipt


def hex_digests(known: Iterable[str]) -> list[str]:
    """Return digests as the scripts take them, the newest if they are too many for a command."""
    return [digest.removeprefix("sha256:") for digest in known][-_MAX_KNOWN:]
