"""Measures what a native layout costs: `python tests/bench/layout_cost.py [--rounds N] [--layout NAME]`.

The same plugin of 2,000 files goes into two host workspaces, one under `adaptor` and one under the layout, in turn,
through the whole application in this process, and is uninstalled again. The ratio of the medians and the number of
round trips to the target are printed. The agent is not asked. Nothing here is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from plugport.builtin_backends.shell import CommandChannel
from plugport.core.app import create_app
from plugport.core.settings import Settings

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench.main_job import make_plugin

TOKEN = "token-of-the-benchmark"


class CountingChannel:
    """Counts the commands that reach the target, by a wrapper around the channel's own method."""

    def __init__(self) -> None:
        self.commands = 0
        self._run = CommandChannel.run

    def watch(self) -> None:
        """Count from here on."""
        counting, run = self, self._run

        async def counted(channel: CommandChannel, *arguments: Any) -> Any:
            counting.commands += 1
            return await run(channel, *arguments)

        CommandChannel.run = counted  # type: ignore[method-assign, assignment]


async def measure(folder: Path, layout: str, rounds: int) -> None:
    """Install into both workspaces in turn, and print the medians, their ratio and the round trips."""
    plugin = make_plugin(folder / "plugins/large", 2000, 50_000_000)
    (plugin / "rules").mkdir()
    (plugin / "rules/style.md").write_text("Be brief.\n")
    counting = CountingChannel()
    counting.watch()
    app = create_app(Settings(data_dir=folder / "data", plugins_dir=folder / "plugins", admin_token=TOKEN))
    async with app.router.lifespan_context(app):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://bench", headers=headers, timeout=300
        ) as client:
            seconds: dict[str, list[float]] = {"adaptor": [], layout: []}
            commands: dict[str, int] = {}
            for name in seconds:
                (folder / name).mkdir()
                options = {"path": str(folder / name), "home": str(folder)}
                body = {"id": name, "org": "bench", "backend": "host", "layout": name, "options": options}
                (await client.post("/workspaces", json=body)).raise_for_status()
            for number in range(rounds + 1):
                for name, spent in seconds.items():
                    counting.commands, started = 0, time.perf_counter()
                    request = {"source": "large", "ask": False, "restart": False}
                    (await client.post(f"/workspaces/{name}/plugins", json=request)).raise_for_status()
                    if number:  # the first one fills the cache
                        spent.append(time.perf_counter() - started)
                    commands[name] = counting.commands
                    (await client.delete(f"/workspaces/{name}/plugins/large?restart=false")).raise_for_status()
    medians = {name: statistics.median(spent) for name, spent in seconds.items()}
    for name, median in medians.items():
        print(f"{name}: {median:.2f} s, {commands[name]} round trips")
    print(f"{layout} against adaptor: {medians[layout] / medians['adaptor']:.2f} x (goal: 1.15 x)")


def main() -> None:
    """Run it in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--layout", default="claude-code")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), args.layout, args.rounds))


if __name__ == "__main__":
    main()
