"""Runs a simulated instance: the host, AWS's API and the tunnel endpoint together."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from .aws import SimulatedAws, console_with_host_keys
from .ssh_host import SshHost
from .tunnel_endpoint import ENDPOINT_HOST, SimulatedEndpoint


@dataclass(frozen=True, slots=True)
class SimulatedInstance:
    """A running instance.

    `environment` is what `plugport serve` needs to reach it, `config_dir` the folder for plugins on the instance,
    `root` the path of its file system on this machine.
    """

    environment: dict[str, str]
    instance: str
    config_dir: str
    root: str
    ssh_port: int
    ssh_folder: str


@asynccontextmanager
async def simulated_instance(
    host: SshHost, endpoint: SimulatedEndpoint, config_folder: Path, *, show_console: bool
) -> AsyncIterator[SimulatedInstance]:
    """Run an instance on the host until the block ends.

    Plugins go to `config_folder` if the host is this machine itself. `show_console` puts the host key on the
    instance's console.
    """
    aws = SimulatedAws(host.accept_key)
    aws.start()
    try:
        async with endpoint:
            instance = await asyncio.to_thread(aws.run_instance, ENDPOINT_HOST)
            if show_console:
                aws.consoles[instance] = console_with_host_keys(host.host_keys)
            config_dir = "/configs" if host.is_view else str(config_folder)
            environment = aws.environment() | {
                "SSL_CERT_FILE": str(endpoint.folder / "ca.pem"),
                "PLUGPORT_EC2_OS_USER": host.user,
                "PLUGPORT_EC2_TUNNEL_CONNECT": f"127.0.0.1:{endpoint.port}",
                "PLUGPORT_CONFIG_DIRS": json.dumps({"claude-code": config_dir}),
            }
            yield SimulatedInstance(
                environment, instance, config_dir, str(host.root), host.port, str(host.ssh_folder)
            )
    finally:
        await asyncio.to_thread(aws.stop)
