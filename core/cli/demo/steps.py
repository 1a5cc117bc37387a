"""The demo's steps: a workspace on this machine, one that pulls, and a container and an instance if there are any."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ....hookspecs import JSON
from ..address import address
from ..client import Client, Refused, Unreachable
from ..pull.download import download
from ..pull.unpack import PullFailed, Staging
from . import DemoFailed
from .agent import show_agent
from .container import demo_container
from .instance import Instance, simulated_instance
from .service import demo_service

_PLUGIN = "greeter"
_SOURCE = f"local://{_PLUGIN}"
Row = tuple[str, str, str, str]


def run_demo(*, with_ec2: bool = False, agent: str | None = None) -> str:
    """Run every step and return the last line. `with_ec2` includes a simulated instance, `agent` a real agent, by the
    name of its layout. Raises `DemoFailed`."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="plugport-demo-") as name, ExitStack() as stack:
        folder = Path(name)
        try:
            instance = stack.enter_context(simulated_instance()) if with_ec2 else None
            client = stack.enter_context(demo_service(folder, instance.environment if instance else {}))
            console = Console(highlight=False, soft_wrap=True)
            _Demo(console, client, folder).run_steps(instance)
            if agent is not None:
                show_agent(console, client, folder, agent)
        except (Refused, Unreachable, PullFailed) as error:
            raise DemoFailed(str(error)) from error
    return f"demo: ok ({time.monotonic() - started:.1f} s; nothing is left)"


@dataclass(frozen=True, slots=True)
class _Demo:
    console: Console
    client: Client
    folder: Path

    def run_steps(self, instance: Instance | None) -> None:
        self.console.print(f"serving on {self.client.url}, with what lies in a temporary directory")
        providers = self.client.request_list("/providers")
        loaded = [str(provider["name"]) for provider in providers if provider["status"] == "loaded"]
        self.console.print(f"providers: {', '.join(loaded)}")
        config_dir = self.folder / "agent"
        rows = [self._install_on_host(config_dir), self._pull_for_external_workspace(), *self._use_container()]
        if instance is not None:
            rows.append(self._use_instance(instance))
        table = Table("workspace", "how", "plugin", "digest, read back")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)
        self._uninstall("demo-host")
        if left := [str(path.relative_to(config_dir)) for path in config_dir.rglob("*") if not path.is_dir()]:
            raise DemoFailed(f"the uninstall left {left}")
        self.console.print("uninstalled: not a file is left in the workspace")

    def _install_on_host(self, config_dir: Path) -> Row:
        config_dir.mkdir()
        options: JSON = {"path": str(config_dir)}
        self._register("demo-host", {"runtime": "claude-code", "backend": "host", "options": options})
        row = self._install("demo-host")
        if not (config_dir / f"plugins/{_PLUGIN}/skills/greet/SKILL.md").is_file():
            raise DemoFailed("the sample's files did not arrive")
        return row

    def _pull_for_external_workspace(self) -> Row:
        """Check that the external workspace refuses the push with a hint, then pull."""
        self._register("demo-external", {"runtime": "external"})
        try:
            self.client.request("POST", "/workspaces/demo-external/plugins", {"source": _SOURCE})
        except Refused as refusal:
            hint = refusal.problem.get("hint")
            command = str(hint.get("command")) if isinstance(hint, Mapping) else ""
            if refusal.status != 422 or not command.startswith(f"plugport pull {_PLUGIN} "):
                raise DemoFailed("the external workspace got no hint") from refusal
        else:
            raise DemoFailed("the external workspace took a push")
        with Staging(self.folder / "elsewhere", _PLUGIN) as staging:
            digest, _ = download(self.client, "demo-external", _PLUGIN, _SOURCE, staging.archive)
            staging.unpack(digest)
            staging.swap()
        return "demo-external", "plugport pull", _PLUGIN, digest[:19] + "…"

    def _use_container(self) -> list[Row]:
        with demo_container() as name:
            if name is None:
                self.console.print(
                    "no Docker engine answers, or it has no image with a shell: no container takes part"
                )
                return []
            self._register("demo-docker", {"container": name})
            row = self._install("demo-docker")
            self._uninstall("demo-docker")
        return [row]

    def _use_instance(self, instance: Instance) -> Row:
        options: JSON = {"restart": False}
        self._register("demo-ec2", {"runtime": "claude-code", "instance_id": instance.id, "options": options})
        row = self._install("demo-ec2")
        if not (instance.plugins / _PLUGIN / "skills/greet/SKILL.md").is_file():
            raise DemoFailed("the sample's files did not arrive on the instance")
        self._uninstall("demo-ec2")
        if any(instance.plugins.iterdir()):
            raise DemoFailed("the uninstall left something on the instance")
        return row

    def _register(self, workspace: str, row: Mapping[str, JSON]) -> None:
        self.client.request("POST", "/workspaces", {"id": workspace, "org": "demo", **row})

    def _install(self, workspace: str) -> Row:
        installed = self.client.request("POST", address("workspaces", workspace, "plugins"), {"source": _SOURCE})
        (listed,) = self.client.request_list(address("workspaces", workspace, "plugins"))
        if listed["digest"] != installed["digest"] or listed["drift"] != "none":
            raise DemoFailed("what was read back is not what was installed")
        return workspace, "POST …/plugins", f"{listed['name']} {listed['version']}", str(listed["digest"])[:19] + "…"

    def _uninstall(self, workspace: str) -> None:
        self.client.request("DELETE", address("workspaces", workspace, "plugins", _PLUGIN))
        if self.client.request_list(address("workspaces", workspace, "plugins")):
            raise DemoFailed(f"the uninstall left something in the workspace {workspace}")
