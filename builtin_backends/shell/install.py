"""Installs a bundle on a target with a shell: one command, one stream."""

from __future__ import annotations

from ...hookspecs import Bundle, Receipt
from ...hookspecs.errors import DeliveryFailed
from .channel import Channel, failure, script

LARGE = 8 * 1024 * 1024
"""Bytes from which on a faster hash is worth its start."""


async def install(channel: Channel, config_dir: str, bundle: Bundle) -> Receipt:
    """Put the bundle at `<config_dir>/plugins/<name>`, whole or not at all; the receipt's digest was read there.

    May be repeated after any failure. Raises `DeliveryFailed`, `UnsupportedTarget`, and what the channel raises.
    """
    size = ["large"] if bundle.size > LARGE else []
    argv = script("install", config_dir, bundle.name, bundle.digest.removeprefix("sha256:"), *size)
    with bundle.open_tar() as stream:
        completed = await channel.run(argv, stream)
    if completed.exit_code != 0:
        raise failure("install", completed)
    word, _, digest = completed.stdout.decode("ascii", "replace").strip().rpartition("\n")[2].partition(" ")
    if word != "installed":
        raise DeliveryFailed("the install did not say what it read back")
    return Receipt(f"sha256:{digest}")
