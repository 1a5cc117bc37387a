"""Delivers the plugin `demo` into the home of an agent, by a running service with the backend `host`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.service import Service

from .drivers import Agent
from .installs import agent_program, node_folder


class Deliveries:
    """Installs into the workspace of each `base` folder, and takes away again."""

    def __init__(self, service: Service, agent: Agent) -> None:
        self._service, self._agent = service, agent
        self._known: set[Path] = set()

    def install(self, base: Path, files: Mapping[str, str], **options: object) -> dict[str, Any]:
        """Install these files as the plugin `demo`, or update it; return the reply."""
        plugin = self._service.folder / "plugins/demo"
        shutil.rmtree(plugin, ignore_errors=True)
        for path, text in files.items():
            target = plugin / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        body = {"source": "demo", "restart": False, **options}
        reply = self._service.client.post(f"{self._workspace(base)}/plugins", json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def uninstall(self, base: Path) -> dict[str, Any]:
        """Uninstall the plugin; return the reply."""
        reply = self._service.client.delete(f"{self._workspace(base)}/plugins/demo", params={"restart": "false"})
        assert reply.status_code == 200, reply.text
        return reply.json()

    def _workspace(self, base: Path) -> str:
        name, home = base.name.replace("_", "-"), base / "home"
        if base not in self._known:
            (home / self._agent.folder).mkdir(parents=True, exist_ok=True)
            options = {"path": str(home / self._agent.folder), "home": str(home)}
            body = {"id": name, "org": "acme", "runtime": self._agent.name, "backend": "host"}
            body |= {"layout": self._agent.name, "options": options}  # type: ignore[dict-item]
            reply = self._service.client.post("/workspaces", json=body)
            assert reply.status_code == 201, reply.text
            self._known.add(base)
        return f"/workspaces/{name}"


@contextmanager
def deliveries(folder: Path, agent: Agent) -> Iterator[Deliveries]:
    """Run a service in the folder until the block ends. It finds the agent's program on its PATH."""
    (folder / "plugins").mkdir(parents=True)
    programs = [str(agent_program(agent.name).parent), str(node_folder()), os.environ["PATH"]]
    service = Service(folder, PATH=os.pathsep.join(programs), PLUGPORT_ASK_SECONDS="60")
    try:
        yield Deliveries(service, agent)
    finally:
        service.stop()
