"""Many installs at once: exactly the expected operations, in order within each workspace."""

from __future__ import annotations

import asyncio

from support.doubles import MemoryBackend


async def test_sixty_installs_over_six_workspaces_with_repeated_keys(serve, add_plugin):
    backend = MemoryBackend()
    backend.seconds = 0.002
    for index in range(5):
        add_plugin(f"p{index}")
    async with serve(backend, rate_limit=100_000) as admin:
        for index in range(6):
            body = {"id": f"w{index}", "org": "acme", "backend": "memory"}
            assert (await admin.post("/workspaces", json=body)).status_code == 201

        async def install(workspace: int, plugin: int):
            reply = await admin.post(
                f"/workspaces/w{workspace}/plugins",
                json={"source": f"p{plugin}"},
                headers={"Idempotency-Key": f"k{plugin}"},
            )
            assert reply.status_code == 200, reply.text
            return workspace, plugin, reply.json()["operation"]

        calls = [install(workspace, plugin) for plugin in range(5) for workspace in range(6) for _ in range(2)]
        done = await asyncio.gather(*calls)
        assert len(done) == 60
        assert len({operation for _, _, operation in done}) == 30
        operations = (await admin.get("/operations?limit=200")).json()["items"]
        assert len(operations) == 30
        assert len(backend.deliveries) == 30
        assert backend.most_at_once == 1
        for index in range(6):
            own = [operation for operation in reversed(operations) if operation["workspace"] == f"w{index}"]
            delivered = [name for workspace, name, _ in backend.deliveries if workspace == f"w{index}"]
            assert [operation["plugin"] for operation in own] == delivered
