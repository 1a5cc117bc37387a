"""The ec2 backend and everything that it talks to: a host, AWS's API, a tunnel endpoint."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from plugport.builtin_backends.ec2.backend import Ec2Backend
from plugport.builtin_backends.ec2.simulator.tunnel_endpoint import ENDPOINT_HOST
from plugport.hookspecs import JSON, ServiceSettings, StartupContext, Workspace
from support.ec2_faults import FaultyAws, FaultyEndpoint, FaultyHost


class DictStore:
    """A provider's store that lasts as long as the test."""

    def __init__(self) -> None:
        self.values: dict[str, JSON] = {}

    async def get(self, key: str) -> JSON:
        return self.values.get(key)

    async def put(self, key: str, value: JSON) -> None:
        self.values[key] = value

    async def delete(self, key: str) -> bool:
        return self.values.pop(key, None) is not None

    async def keys(self, prefix: str = "") -> Sequence[str]:
        return sorted(key for key in self.values if key.startswith(prefix))


@dataclass
class SimulatedEc2:
    """All parts, to look at and to change."""

    host: FaultyHost
    aws: FaultyAws
    endpoint: FaultyEndpoint
    instance: str
    folder: Path
    store: DictStore = field(default_factory=DictStore)
    audits: list[tuple[str, Mapping[str, JSON]]] = field(default_factory=list)

    @asynccontextmanager
    async def backend(
        self, config_dirs: Mapping[str, str] | None = None, **settings: str
    ) -> AsyncIterator[Ec2Backend]:
        """Start a backend with these settings, for example `host_keys="strict"`."""

        async def audit(event: str, fields: Mapping[str, JSON]) -> None:
            self.audits.append((event, fields))

        def wait(awaitable: Awaitable[Any]) -> Any:
            raise NotImplementedError

        values = {"os_user": self.host.user, "tunnel_connect": f"127.0.0.1:{self.endpoint.port}"} | settings
        service = ServiceSettings(plugins_dir=str(self.folder), config_dirs=config_dirs or {})
        backend, logger = Ec2Backend(), logging.getLogger("plugport.provider.ec2")
        await backend.startup(StartupContext("ec2", values, service, self.store, audit, logger, wait))
        try:
            yield backend
        finally:
            await backend.shutdown()

    def workspace(self, name: str = "w", runtime: str | None = "claude-code", **options: JSON) -> Workspace:
        """Return a workspace on the instance."""
        return Workspace(name, runtime=runtime, backend="ec2", instance_id=self.instance, options=options)


@asynccontextmanager
async def simulated_ec2(
    host: FaultyHost, aws: FaultyAws, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SimulatedEc2]:
    """Start an endpoint and an instance, and point the environment at them."""
    use_simulator(aws, folder, monkeypatch)
    async with FaultyEndpoint(folder / "tls", ("127.0.0.1", host.port)) as endpoint:
        instance = await asyncio.to_thread(aws.run_instance, ENDPOINT_HOST)
        yield SimulatedEc2(host, aws, endpoint, instance, folder)


def use_simulator(aws: FaultyAws, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process call the simulated AWS, and trust the endpoint's certificate in `folder`/tls."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in (aws.environment() | {"SSL_CERT_FILE": str(folder / "tls/ca.pem")}).items():
        monkeypatch.setenv(name, value)
