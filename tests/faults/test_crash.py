"""A killed server: after the restart every accepted operation ends, every target holds one whole version."""

from __future__ import annotations

import itertools
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from support.delivered import plugins_in
from support.service import Service

from plugport.hookspecs import tree_digest

WORKSPACES = [f"w{index}" for index in range(5)]


def _plugin(folder: Path, version: int) -> Path:
    plugin = folder / "plugins" / f"big{version}"
    (plugin / "skills/s").mkdir(parents=True)
    (plugin / "plugin.yaml").write_text(f"name: big{version}\nversion: {version}\n")
    for index in range(60):
        (plugin / "skills/s" / f"f{index}").write_bytes(bytes([version]) * 20_000)
    return plugin


def _digest(folder: Path) -> str:
    import hashlib
    from dataclasses import dataclass

    @dataclass
    class Hashed:
        path: str
        sha256: str

    return tree_digest(
        Hashed(str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*")
        if path.is_file()
    )


def _open_after(server: Service, seconds: float) -> list[str]:
    """Return the operations that have not ended once all have, or the time is over.

    The server may have accepted more than it could answer before it was killed.
    """
    deadline = time.monotonic() + seconds
    while True:
        operations = server.client.get("/operations?limit=200").json()["items"]
        unfinished = [each["id"] for each in operations if each["status"] not in {"succeeded", "failed"}]
        if not unfinished or time.monotonic() > deadline:
            return unfinished
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_server_that_is_killed_at_any_instant_forgets_nothing(tmp_path):
    chance = random.Random(20261126)
    wanted = {f"big{version}": _digest(_plugin(tmp_path, version)) for version in range(3)}
    server = Service(tmp_path)
    accepted: list[str] = []

    def install(identity: str, name: str) -> None:
        try:
            reply = server.client.post(
                f"/workspaces/{identity}/plugins", json={"source": name}, headers={"Prefer": "respond-async"}
            )
        except httpx.HTTPError:
            return
        if reply.status_code == 202:
            accepted.append(reply.json()["id"])

    try:
        for identity in WORKSPACES:
            (tmp_path / identity).mkdir()
            body = {"id": identity, "org": "acme", "backend": "host", "options": {"path": str(tmp_path / identity)}}
            assert server.client.post("/workspaces", json=body).status_code == 201
        for number in itertools.count(1):
            if number > 10 and len(accepted) > 5:
                break
            longest = 0.4 * max(1, number - 9)  # seconds; a busy machine accepts few before it is killed
            with ThreadPoolExecutor(5) as pool:
                jobs = [pool.submit(install, identity, f"big{chance.randrange(3)}") for identity in WORKSPACES]
                time.sleep(chance.uniform(0.0, longest))
                server.kill()
                for job in jobs:
                    job.result()
            server = Service(tmp_path)
        assert _open_after(server, seconds=60) == []
        assert len(accepted) > 5
        everything = server.client.get("/operations?limit=200").json()["items"]
        assert set(accepted) <= {operation["id"] for operation in everything}
        for identity in WORKSPACES:
            plugins = tmp_path / identity / "plugins"
            for name in plugins_in(tmp_path / identity) if plugins.exists() else ():
                assert name in wanted, f"{name} was left in {identity}"
                assert _digest(plugins / name) == wanted[name]
        assert os.listdir(tmp_path / "data/work") == []
    finally:
        server.kill()
