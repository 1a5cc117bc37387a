"""The ec2 backend with all that it talks to: a host, AWS as far as it is asked, a tunnel endpoint."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from plugport.builtin_backends.ec2.backend import Ec2Backend
from plugport.hookspecs import JSON, ServiceSettings, StartupContext, Workspace
from support.pretend_aws import PretendAws
from support.ssh_host import SshHost
from support.tunnel_endpoint import HOST, TunnelEndpoint


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
class Stand:
    """Everything, to look at and to change."""

    host: SshHost
    aws: PretendAws
    endpoint: TunnelEndpoint
    instance: str
    folder: Path
    store: DictStore = field(default_factory=DictStore)
    audits: list[tuple[str, Mapping[str, JSON]]] = field(default_factory=list)

    @asynccontextmanager
    async def backend(
        self, config_dirs: Mapping[str, str] | None = None, **settings: str
    ) -> AsyncIterator[Ec2Backend]:
        """A backend that was started with these settings, as `host_keys="strict"`."""

        async def audit(what: str, fields: Mapping[str, JSON]) -> None:
            self.audits.append((what, fields))

        def wait(awaitable: Awaitable[Any]) -> Any:
            raise NotImplementedError

        given = {"os_user": self.host.user, "tunnel_connect": f"127.0.0.1:{self.endpoint.port}"} | settings
        service = ServiceSettings(plugins_dir=str(self.folder), config_dirs=config_dirs or {})
        made, logger = Ec2Backend(), logging.getLogger("plugport.provider.ec2")
        await made.startup(StartupContext("ec2", given, service, self.store, audit, logger, wait))
        try:
            yield made
        finally:
            await made.shutdown()

    def workspace(self, name: str = "w", runtime: str | None = "claude-code", **options: JSON) -> Workspace:
        """A workspace on the instance."""
        return Workspace(name, runtime=runtime, backend="ec2", instance_id=self.instance, options=options)


@asynccontextmanager
async def stand(
    host: SshHost, aws: PretendAws, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stand]:
    """Everything, started anew; the instance's folders are empty."""
    import asyncio
    import os

    for name in [one for one in os.environ if one.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "tls/ca.pem"))
    async with TunnelEndpoint(folder / "tls", ("127.0.0.1", host.port)) as endpoint:
        instance = await asyncio.to_thread(aws.run_instance, HOST)
        yield Stand(host, aws, endpoint, instance, folder)
