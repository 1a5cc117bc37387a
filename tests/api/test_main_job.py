"""The main job over HTTP: register, install, list, download, uninstall."""

from __future__ import annotations

import hashlib
import json

from support.doubles import MemoryBackend, tree_of


async def _register(admin, identity="w1", **fields):
    body = {"id": identity, "org": "acme", "runtime": "claude-code", "backend": "memory"} | fields
    reply = await admin.post("/workspaces", json=body)
    assert reply.status_code == 201, reply.text
    return reply.json()


def _expected_digest(folder):
    lines = sorted(
        (str(path.relative_to(folder)).encode(), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*")
        if path.is_file()
    )
    return (
        "sha256:"
        + hashlib.sha256(b"".join(b"%s  ./%s\n" % (sha256.encode(), path) for path, sha256 in lines)).hexdigest()
    )


async def test_a_plugin_is_installed_listed_and_uninstalled(serve, add_plugin):
    folder = add_plugin("greeter", {"skills/greet/SKILL.md": "Say hello.", "rules/tone.md": "Be kind."})
    async with serve(MemoryBackend()) as admin:
        await _register(admin)
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "local://greeter"})
        assert reply.status_code == 200, reply.text
        installed = reply.json()
        assert installed["status"] == "installed"
        assert installed["plugin"] == "greeter"
        assert installed["source"] == "local://greeter"
        assert installed["digest"] == _expected_digest(folder)

        listed = (await admin.get("/workspaces/w1/plugins")).json()
        assert [
            (plugin["name"], plugin["version"], plugin["digest"], plugin["verified"], plugin["drift"])
            for plugin in listed
        ] == [("greeter", "1.0.0", installed["digest"], True, "none")]
        operation = (await admin.get(f"/operations/{installed['operation']}")).json()
        assert (operation["status"], operation["plugin"], operation["digest"]) == (
            "succeeded",
            "greeter",
            installed["digest"],
        )

        gone = await admin.delete("/workspaces/w1/plugins/greeter")
        assert gone.status_code == 200, gone.text
        assert gone.json()["status"] == "uninstalled"
        assert (await admin.get("/workspaces/w1/plugins")).json() == []


async def test_a_bare_name_means_the_local_registry(serve, add_plugin):
    add_plugin("greeter")
    async with serve(MemoryBackend()) as admin:
        await _register(admin)
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})
        assert reply.json()["source"] == "local://greeter"


async def test_a_download_has_the_same_bytes_each_time_and_says_what_it_is(serve, add_plugin):
    add_plugin("greeter", {"rules/a.md": "x" * 5000})
    async with serve(MemoryBackend()) as admin:
        await _register(admin)
        first = await admin.get("/workspaces/w1/plugins/greeter/download")
        again = await admin.get("/workspaces/w1/plugins/greeter/download?source=local://greeter")
        assert first.status_code == 200
        assert first.content == again.content
        assert first.headers["x-plugin-name"] == "greeter"
        assert first.headers["x-plugin-source"] == "local://greeter"
        assert first.headers["etag"] == f'"{hashlib.sha256(first.content).hexdigest()}"'
        assert set(tree_of(first.content)) == {"plugin.yaml", "rules/a.md"}

        part = await admin.get("/workspaces/w1/plugins/greeter/download", headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, first.content[10:20])
        known = await admin.get(
            "/workspaces/w1/plugins/greeter/download", headers={"If-None-Match": first.headers["etag"]}
        )
        assert (known.status_code, known.content) == (304, b"")


async def test_a_download_and_an_install_agree_on_the_name(serve, add_plugin):
    add_plugin("greeter")
    async with serve(MemoryBackend()) as admin:
        await _register(admin)
        reply = await admin.get("/workspaces/w1/plugins/other/download?source=local://greeter")
        assert reply.status_code == 400
        assert reply.json()["type"].endswith("name-mismatch")


async def test_respond_async_answers_with_the_operation_and_its_events_end_with_it(serve, add_plugin):
    add_plugin("greeter")
    async with serve(MemoryBackend()) as admin:
        await _register(admin)
        reply = await admin.post(
            "/workspaces/w1/plugins", json={"source": "greeter"}, headers={"Prefer": "respond-async"}
        )
        assert reply.status_code == 202
        assert reply.headers["location"] == f"/operations/{reply.json()['id']}"
        events = await admin.get(f"{reply.headers['location']}/events")
        assert events.headers["content-type"].startswith("text/event-stream")
        operations = [json.loads(line[6:]) for line in events.text.splitlines() if line.startswith("data: ")]
        assert operations[-1]["status"] == "succeeded"
        assert "event: status" in events.text


async def test_an_idempotency_key_makes_a_repeated_request_one_operation(serve, add_plugin):
    add_plugin("greeter")
    add_plugin("other")
    backend = MemoryBackend()
    async with serve(backend) as admin:
        await _register(admin)
        headers = {"Idempotency-Key": "k1"}
        first = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"}, headers=headers)
        again = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"}, headers=headers)
        assert first.json() == again.json()
        assert len(backend.deliveries) == 1
        clash = await admin.post("/workspaces/w1/plugins", json={"source": "other"}, headers=headers)
        assert (clash.status_code, clash.json()["type"].rsplit(":", 1)[-1]) == (409, "idempotency-conflict")


async def test_pins_are_held(serve, add_plugin):
    folder = add_plugin("greeter")
    manifest = hashlib.sha256((folder / "plugin.yaml").read_bytes()).hexdigest()
    async with serve(MemoryBackend()) as admin:
        await _register(admin)

        async def install(**pins):
            reply = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"} | pins)
            return reply.status_code, reply.json().get("type", "").rsplit(":", 1)[-1]

        assert await install(digest=_expected_digest(folder), sha256=manifest) == (200, "")
        assert await install(digest="sha256:" + "0" * 64) == (422, "digest-mismatch")
        assert await install(sha256="0" * 64) == (422, "digest-mismatch")


async def test_installs_in_one_workspace_run_one_at_a_time_and_in_order(serve, add_plugin):
    backend = MemoryBackend()
    backend.seconds = 0.01
    for index in range(8):
        add_plugin(f"p{index}")
    async with serve(backend) as admin:
        await _register(admin)
        for index in range(8):
            reply = await admin.post(
                "/workspaces/w1/plugins", json={"source": f"p{index}"}, headers={"Prefer": "respond-async"}
            )
            last = reply.headers["location"]
        await admin.get(f"{last}/events")
        assert [name for _, name, _ in backend.deliveries] == [f"p{index}" for index in range(8)]
        assert backend.most_at_once == 1


async def test_the_registry_is_listed_by_runtime(serve, add_plugin):
    add_plugin("all")
    add_plugin("some", {"plugin.yaml": "name: some\nversion: '2'\nruntimes: [claude_code]\n"})
    async with serve(MemoryBackend()) as admin:
        await _register(admin, runtime="hermes")
        assert [plugin["name"] for plugin in (await admin.get("/plugins")).json()] == ["all", "some"]
        assert [plugin["name"] for plugin in (await admin.get("/plugins?runtime=claude-code")).json()] == [
            "all",
            "some",
        ]
        assert [plugin["name"] for plugin in (await admin.get("/plugins?runtime=hermes")).json()] == ["all"]
        available = await admin.get("/workspaces/w1/plugins/available")
        assert [plugin["name"] for plugin in available.json()] == ["all"]
        await admin.post("/workspaces/w1/plugins", json={"source": "some"})
        plugins = (await admin.get("/workspaces/w1/plugins/compatibility?runtime=claude_code")).json()
        assert [(plugin["name"], plugin["supported_on_runtime"]) for plugin in plugins] == [("some", True)]
        plugins = (await admin.get("/workspaces/w1/plugins")).json()
        assert [(plugin["name"], plugin["supported_on_runtime"]) for plugin in plugins] == [("some", False)]


async def test_workspaces_are_changed_paged_and_removed(serve):
    async with serve(MemoryBackend()) as admin:
        for index in range(5):
            await _register(admin, f"w{index}")
        first = (await admin.get("/workspaces?limit=3")).json()
        rest = (await admin.get(f"/workspaces?limit=3&cursor={first['next']}")).json()
        assert [workspace["id"] for workspace in first["items"] + rest["items"]] == [
            f"w{index}" for index in range(5)
        ]
        assert rest["next"] is None
        changed = await admin.patch("/workspaces/w1", json={"runtime": None, "options": {"a": 1}})
        assert (changed.json()["runtime"], changed.json()["options"], changed.json()["org"]) == (
            None,
            {"a": 1},
            "acme",
        )
        assert (await admin.get("/workspaces/w1")).json()["state"] == "running"
        assert (await admin.delete("/workspaces/w1")).status_code == 204
        assert (await admin.get("/workspaces/w1")).status_code == 404
        assert (await admin.post("/workspaces", json={"id": "w2"})).status_code == 409
