"""Installs a bundle on a target with a shell: one command, one stream."""

from __future__ import annotations

from ...hookspecs import Bundle, Receipt
from ...hookspecs.errors import DeliveryFailed
from .channel import Channel
from .script import script_command, script_error

LARGE = 8 * 1024 * 1024
"""Bytes from which on openssl is worth its start, since it hashes faster than `sha256sum`."""


async def install(channel: Channel, config_dir: str, bundle: Bundle) -> Receipt:
    """Put the bundle at `<config_dir>/plugins/<name>`, whole or not at all. The receipt's digest was read there.

    May be repeated after any failure. Raises `DeliveryFailed`, `UnsupportedTarget`, and what the channel raises.
    """
    size = ["large"] if bundle.size > LARGE else []
    argv = script_command("install", config_dir, bundle.name, bundle.digest.removeprefix("sha256:"), *size)
    with bundle.open_tar() as stream:
        completed = await channel.run(argv, stream)
    if completed.exit_code != 0:
        raise script_error("install", completed)
    last_line = completed.stdout.decode("ascii", "replace").strip().rpartition("\n")[2]
    status, _, digest = last_line.partition(" ")
    if status != "installed":
        raise DeliveryFailed("the install did not print the digest that it read back")
    return Receipt(f"sha256:{digest}")
