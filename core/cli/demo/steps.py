"""The demo's steps: a service of its own on a free port, a workspace here and one that pulls."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..client import Client, Refused, Unreached
from ..pull.download import download
from ..pull.unpack import PullFailed, Staging
from .container import container
from .instance import Instance, InstanceUnavailable, simulated_instance

PLUGIN = "greeter"
_START_SECONDS = 60


class DemoFailed(Exception):
    """Raised when a step did not do what it promises; its text says which."""


def demonstrate(*, with_ec2: bool = False) -> str:
    """Run every step and return the last line; `with_ec2` with an instance, too. Raises `DemoFailed`."""
    console = Console(highlight=False, soft_wrap=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="plugport-demo-") as name:
        folder = Path(name)
        try:
            with ExitStack() as stack:
                ec2 = stack.enter_context(simulated_instance()) if with_ec2 else None
                client = stack.enter_context(_service(folder, ec2.environment if ec2 else {}))
                _steps(console, client, folder, ec2)
        except (InstanceUnavailable, Refused, Unreached, PullFailed) as error:
            raise DemoFailed(str(error)) from error
    return f"demo: ok ({time.monotonic() - started:.1f} s; nothing is left)"


@contextmanager
def _service(folder: Path, more: Mapping[str, str]) -> Iterator[Client]:
    """A service with the sample plugin in its registry, and `more` in its environment; ended with the block."""
    token, log = secrets.token_urlsafe(24), folder / "service.log"
    with as_file(files("plugport.core").joinpath("data/samples")) as sample:
        shutil.copytree(sample, folder / "plugins", ignore=shutil.ignore_patterns("__pycache__", "*.py", "*.pyc"))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PLUGPORT_")} | {
        "PLUGPORT_PORT": "0",
        "PLUGPORT_DATA_DIR": str(folder / "data"),
        "PLUGPORT_PLUGINS_DIR": str(folder / "plugins"),
        "PLUGPORT_ADMIN_TOKEN": token,
        **more,
    }
    command = [sys.executable, "-P", "-m", "plugport.core", "serve"]
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True) as process,  # noqa: S603 - our own command
    ):
        watchdog = _Watchdog(process)
        try:
            line = process.stdout.readline() if process.stdout else ""
            watchdog.stop()
            if "serving on" not in line:
                raise DemoFailed(f"the service did not start: {log.read_text('utf-8', 'replace')[-2000:]}")
            client = Client(line.rpartition(" ")[2].strip(), token)
            yield client
            client.http.close()
        finally:
            watchdog.stop()
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


class _Watchdog:
    """Kills a process that does not get ready in time, so that nobody waits for its first line for ever."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        import threading

        self._timer = threading.Timer(_START_SECONDS, process.kill)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """Leave the process alone."""
        self._timer.cancel()


def _steps(console: Console, client: Client, folder: Path, ec2: Instance | None) -> None:
    console.print(f"serving on {client.url}, with what lies in a temporary directory")
    providers = [one for one in client.ask("GET", "/providers") if one["status"] == "loaded"]
    console.print(f"providers: {', '.join(one['name'] for one in providers)}")
    config, pulled = folder / "agent", folder / "elsewhere"
    config.mkdir()
    rows: list[tuple[str, str, str, str]] = []
    _register(client, "demo-host", "claude-code", "host", {"path": str(config)})
    _register(client, "demo-external", "external", None, {})
    rows.append(_push(client, config))
    rows.append(_pull(client, pulled))
    with container() as name:
        if name is None:
            console.print("no Docker engine answers, or it has no image with a shell: no container takes part")
        else:
            client.ask("POST", "/workspaces", {"id": "demo-docker", "org": "demo", "container": name})
            rows.append(_push_into(client, "demo-docker"))
            client.ask("DELETE", f"/workspaces/demo-docker/plugins/{PLUGIN}")
            if client.ask("GET", "/workspaces/demo-docker/plugins"):
                raise DemoFailed("the uninstall left something in the container")
    if ec2 is not None:
        rows.append(_push_into_instance(client, ec2))
    table = Table("workspace", "how", "plugin", "digest, read back")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    client.ask("DELETE", f"/workspaces/demo-host/plugins/{PLUGIN}")
    left = [str(path.relative_to(config)) for path in config.rglob("*") if not path.is_dir()]
    if left or client.ask("GET", "/workspaces/demo-host/plugins"):
        raise DemoFailed(f"the uninstall left {left}")
    console.print("uninstalled: not a file is left in the workspace")


def _register(client: Client, identity: str, runtime: str, backend: str | None, options: dict[str, str]) -> None:
    body = {"id": identity, "org": "demo", "runtime": runtime, "options": options}
    client.ask("POST", "/workspaces", body | ({"backend": backend} if backend else {}))


def _push(client: Client, config: Path) -> tuple[str, str, str, str]:
    row = _push_into(client, "demo-host")
    arrived = sorted(str(path.relative_to(config)) for path in config.rglob("*") if path.is_file())
    if f"plugins/{PLUGIN}/skills/greet/SKILL.md" not in arrived:
        raise DemoFailed("the sample's files did not arrive")
    return row


def _push_into(client: Client, workspace: str) -> tuple[str, str, str, str]:
    installed = client.ask("POST", f"/workspaces/{workspace}/plugins", {"source": f"local://{PLUGIN}"})
    (listed,) = client.ask("GET", f"/workspaces/{workspace}/plugins")
    if listed["digest"] != installed["digest"] or listed["drift"] != "none":
        raise DemoFailed("what was read back is not what was installed")
    return workspace, "POST …/plugins", f"{listed['name']} {listed['version']}", listed["digest"][:19] + "…"


def _push_into_instance(client: Client, ec2: Instance) -> tuple[str, str, str, str]:
    row = {
        "id": "demo-ec2",
        "org": "demo",
        "runtime": "claude-code",
        "instance_id": ec2.id,
        "options": {"restart": False},
    }
    client.ask("POST", "/workspaces", row)
    pushed = _push_into(client, "demo-ec2")
    if not (ec2.plugins / PLUGIN / "skills/greet/SKILL.md").is_file():
        raise DemoFailed("the sample's files did not arrive on the instance")
    client.ask("DELETE", f"/workspaces/demo-ec2/plugins/{PLUGIN}")
    if any(ec2.plugins.iterdir()):
        raise DemoFailed("the uninstall left something on the instance")
    return pushed


def _pull(client: Client, into: Path) -> tuple[str, str, str, str]:
    """The external workspace refuses the push with a hint, and pulls."""
    try:
        client.ask("POST", "/workspaces/demo-external/plugins", {"source": f"local://{PLUGIN}"})
    except Refused as refusal:
        hint = refusal.problem.get("hint", {}).get("command", "")
        if refusal.status != 422 or not hint.startswith(f"plugport pull {PLUGIN} "):
            raise DemoFailed("the external workspace got no hint") from refusal
    else:
        raise DemoFailed("the external workspace took a push")
    with Staging(into, PLUGIN) as staging:
        pulled = download(client, "demo-external", PLUGIN, f"local://{PLUGIN}", staging.archive)
        staging.unpack(pulled.digest)
        staging.swap()
    return "demo-external", "plugport pull", PLUGIN, pulled.digest[:19] + "…"
