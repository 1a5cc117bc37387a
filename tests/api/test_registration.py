"""A misspelt registration is refused when it is made, and says what was probably meant."""

from __future__ import annotations

import pytest
from support.doubles import MemoryBackend

from plugport.hookspecs import Finding, hookimpl


def _problems(reply):
    assert (reply.status_code, reply.json()["type"].rsplit(":", 1)[-1]) == (400, "invalid-request"), reply.text
    return {problem["where"]: problem["what"] for problem in reply.json()["errors"]}


@pytest.mark.parametrize(
    ("backend", "nearest"), [("hots", "host"), ("dokcer", "docker"), ("ec-2", "ec2"), ("zzz", None)]
)
async def test_a_backend_that_nobody_serves_is_refused_with_the_nearest_names(serve, backend, nearest):
    async with serve() as admin:
        what = _problems(await admin.post("/workspaces", json={"id": "w1", "backend": backend}))["body.backend"]
        assert "docker, ec2, external, host" in what
        assert (f"did you mean {nearest}" in what) == (nearest is not None)
        assert (await admin.get("/workspaces")).json()["items"] == []


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"backend": "host"}, "options.path"),
        ({"backend": "host", "options": {"path": "relative"}}, "options.path"),
        ({"backend": "host", "options": {"path": "/a/../b"}}, "options.path"),
        ({"backend": "host", "options": {"path": 7}}, "options.path"),
        ({"backend": "host", "options": {"path": "/a", "pth": "/b"}}, "options.pth"),
        ({"backend": "host", "options": {"path": "/a", "home": "b"}}, "options.home"),
        ({"backend": "host", "options": {"path": "/a", "a b\n": 1}}, "options"),
        ({"backend": "docker", "options": {"configdir": "/x"}}, "options.configdir"),
        ({"backend": "docker", "options": {"config_dir": "x"}}, "options.config_dir"),
        ({"options": {"config_dir": None}}, "options.config_dir"),
        ({"instance_id": "i-1", "options": {"ssh_port": "22"}}, "options.ssh_port"),
        ({"instance_id": "i-1", "options": {"ssh_port": 0}}, "options.ssh_port"),
        ({"instance_id": "i-1", "options": {"ssh_port": True}}, "options.ssh_port"),
        ({"instance_id": "i-1", "options": {"restart": True}}, "options.restart"),
        ({"instance_id": "i-1", "options": {"ssh_hots": "a"}}, "options.ssh_hots"),
        ({"runtime": "external", "options": {"path": "/a"}}, "options.path"),
    ],
)
async def test_an_option_that_the_backend_cannot_use_is_named(serve, fields, where):
    async with serve() as admin:
        assert f"body.{where}" in _problems(await admin.post("/workspaces", json={"id": "w1", **fields}))
        assert (await admin.get("/workspaces")).json()["items"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"backend": "host", "options": {"path": "/a", "home": "/b"}},
        {"options": {"config_dir": "/x", "home": "/y"}},
        {"instance_id": "i-1", "options": {"ssh_host": "a", "ssh_port": 22, "restart": False, "region": "eu-west-1"}},
        {"instance_id": "i-1", "options": {"restart": "systemctl restart agent", "os_user": "u", "profile": "p"}},
        {"runtime": "external", "options": None},
    ],
)
async def test_what_the_backends_know_is_registered(serve, fields):
    async with serve() as admin:
        assert (await admin.post("/workspaces", json={"id": "w1", **fields})).status_code == 201


async def test_a_change_is_checked_like_a_registration(serve):
    async with serve() as admin:
        body = {"id": "w1", "backend": "host", "options": {"path": "/a"}}
        assert (await admin.post("/workspaces", json=body)).status_code == 201
        for change, where in (
            ({"backend": "hots"}, "body.backend"),
            ({"options": {}}, "body.options.path"),
            ({"options": {"paht": "/a"}}, "body.options.paht"),
            ({"backend": "external"}, "body.options.path"),
        ):
            assert where in _problems(await admin.patch("/workspaces/w1", json=change))
        shown = (await admin.get("/workspaces/w1")).json()
        assert (shown["backend"], shown["options"]) == ("host", {"path": "/a"})
        assert (await admin.patch("/workspaces/w1", json={"org": "other"})).status_code == 200


async def test_a_third_party_backend_is_asked_and_one_that_fails_refuses_nobody(serve):
    class Strict(MemoryBackend):
        @hookimpl
        def check_workspace(self, workspace):
            if "crash" in workspace.options:
                raise RuntimeError("secret")
            return [Finding("options.colour", "is blue")] if workspace.options.get("colour") == "red" else []

    async with serve(Strict()) as admin:
        red = await admin.post("/workspaces", json={"id": "w1", "backend": "memory", "options": {"colour": "red"}})
        assert _problems(red) == {"body.options.colour": "is blue"}
        for name, options in (("w2", {"colour": "blue"}), ("w3", {"crash": 1})):
            reply = await admin.post("/workspaces", json={"id": name, "backend": "memory", "options": options})
            assert reply.status_code == 201


@pytest.mark.parametrize(
    ("runtime", "hint"),
    [
        ("claude-code", None),
        ("Claude_Code", None),
        ("shipped", None),
        ("adapted", None),
        ("configured", None),
        ("cluade-code", "did you mean claude-code"),
        ("xqzw", "xqzw"),
    ],
)
async def test_a_runtime_that_nothing_knows_gets_a_warning(serve, add_plugin, runtime, hint):
    manifest = "name: lister\nruntimes: [shipped]\n"
    add_plugin("lister", {"plugin.yaml": manifest, "adapters/adapted.py": ""})
    async with serve(MemoryBackend(), config_dirs={"configured": "/x"}) as admin:
        added = await admin.post("/workspaces", json={"id": "w1", "backend": "memory", "runtime": runtime})
        changed = await admin.patch("/workspaces/w1", json={"runtime": runtime})
        assert (added.status_code, changed.status_code) == (201, 200)
        for reply in (added, changed):
            warnings = reply.json()["warnings"]
            assert (warnings == []) if hint is None else (len(warnings) == 1 and hint in warnings[0])
