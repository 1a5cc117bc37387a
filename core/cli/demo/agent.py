"""The demo with a real agent: the sample goes into a fresh home, and the agent's own command says what it sees."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

from rich.console import Console

from ....hookspecs.providers import discover
from ....hookspecs.values import JSON, Contents, LayoutTarget, Question
from ...dispatcher import Dispatcher
from ..address import address
from ..client import Client
from . import DemoFailed

_PLUGIN, _WORKSPACE = "greeter", "demo-agent"
_SECONDS = 60


def show_agent(console: Console, client: Client, folder: Path, layout: str) -> None:
    """Install the sample into a fresh home of the layout's agent, print the agent's own list, and uninstall it again.

    Raises `DemoFailed` if there is no such layout or agent, or the agent does not see the plugin.
    """
    dispatcher = Dispatcher(discover())
    config_dirs = {name: place for each in dispatcher.providers for name, place in each.config_dirs.items()}
    if layout not in config_dirs:
        raise DemoFailed(f"there is no layout {layout}; there are: {', '.join(sorted(config_dirs))}")
    home = folder / "home"
    config_dir = home / config_dirs[layout].removeprefix("~/")
    config_dir.mkdir(parents=True)
    question = _question(dispatcher, layout, config_dir, home)
    if shutil.which(question.command[0]) is None:
        raise DemoFailed(f"there is no {question.command[0]} on the PATH: install the agent, or leave --agent out")
    options: JSON = {"path": str(config_dir), "home": str(home)}
    row: dict[str, JSON] = {
        "id": _WORKSPACE,
        "org": "demo",
        "backend": "host",
        "layout": layout,
        "options": options,
    }
    client.request("POST", "/workspaces", row)
    plugins = address("workspaces", _WORKSPACE, "plugins")
    installed = client.request("POST", plugins, {"source": f"local://{_PLUGIN}"})
    if installed["seen"] != "yes":
        reason = installed["complaint"] or installed["seen_reason"]
        raise DemoFailed(f"{layout} does not see the plugin: {reason}")
    console.print(f"$ {' '.join(question.command)}", style="bold", markup=False)
    console.print(_ask(question, config_dir), markup=False)
    client.request("DELETE", address("workspaces", _WORKSPACE, "plugins", _PLUGIN))
    console.print(f"{layout} saw the plugin; it is uninstalled again")


def _question(dispatcher: Dispatcher, layout: str, config_dir: Path, home: Path) -> Question:
    target = LayoutTarget(_PLUGIN, "sha256:" + "0" * 64, layout, layout)
    activation = asyncio.run(dispatcher.lay_out(Contents("plugport", _PLUGIN), target))
    if activation.question is None:
        raise DemoFailed(f"the layout {layout} knows no question that an agent answers")

    def fill(text: str) -> str:
        return text.replace("${config_dir}", str(config_dir)).replace("${home}", str(home))

    environment = {name: fill(value) for name, value in activation.question.environment.items()}
    environment = {"HOME": str(home), **environment}
    return Question(tuple(map(fill, activation.question.command)), activation.question.read, environment)


def _ask(question: Question, config_dir: Path) -> str:
    completed = subprocess.run(  # noqa: S603 - the layout's own command
        question.command,
        cwd=config_dir,
        env=os.environ | dict(question.environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    return completed.stdout.decode("utf-8", "replace").strip()
