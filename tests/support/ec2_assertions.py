"""What tests of the ec2 backend look at on the host."""

from __future__ import annotations

import asyncio

from plugport.hookspecs import Bundle
from support.simulated_ec2 import SimulatedEc2

_DIGEST = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum | cut -d' ' -f1"


def installed_bundle(ec2: SimulatedEc2, *bundles: Bundle) -> Bundle:
    """Return which of the bundles is installed; fail unless it is whole and alone."""
    digest = ec2.host.shell(f"cd /configs/plugins/p && {_DIGEST}").strip()
    assert (ec2.host.shell("ls -A /configs/plugins").split(), staging_in(ec2)) == ([".plugport", "p"], [])
    (installed,) = [bundle for bundle in bundles if bundle.digest == f"sha256:{digest}"]
    return installed


def staging_in(ec2: SimulatedEc2) -> list[str]:
    """The staging folders of deliveries that are not done."""
    return ec2.host.shell("ls -A /configs/plugins/.plugport/staging 2>/dev/null || :").split()


async def wait_for_cleanup(ec2: SimulatedEc2) -> None:
    """Wait until the host has seen that the connection is cut, and has cleaned up. A shell may outlive its connection
    for a moment."""
    for _ in range(250):
        if not ec2.host.connection_pids() and not staging_in(ec2):
            return
        await asyncio.sleep(0.02)
