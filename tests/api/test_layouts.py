"""A native layout through a running service: links, copies, files, entries and texts come, and go again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.full_layout import FullLayout

YES = "#!/bin/sh\necho yes\n"
PERSONAL = {
    "settings.json": b'{ // mine\n\t"model": "opus", /* 1.10 */\n}',
    "config.toml": b"model = 'o3' # mine\r\n[features]\r\nhooks = true",
    "config.yaml": b"# mine\nmodel: {provider: x}\nmcp_servers:\n  other:\n    command: y\n",
    "AGENTS.md": b"# Mine\xff",
    "skills/mine/SKILL.md": b"mine",
}


def snapshot(folder: Path) -> dict[str, object]:
    """Everything below a folder: bytes and modes of files, texts of links, folders."""
    entries: dict[str, object] = {}
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(root) / name
            key = str(path.relative_to(folder))
            if path.is_symlink():
                entries[key] = f"-> {path.readlink()}"
            else:
                entries[key] = (path.read_bytes(), path.stat().st_mode) if path.is_file() else "folder"
    return entries


class Host:
    """A home with the agent's config dir, and the service."""

    def __init__(self, admin, home: Path, layout: FullLayout) -> None:
        self.admin, self.home, self.config, self.layout = admin, home, home / ".full", layout

    def agent(self, script: str) -> None:
        (self.config / "agent").write_text(script)
        (self.config / "agent").chmod(0o755)

    async def install(self, name: str = "demo", **more: object):
        return await self.admin.post("/workspaces/w1/plugins", json={"source": name, "restart": False, **more})

    async def uninstall(self, name: str = "demo"):
        return await self.admin.delete(f"/workspaces/w1/plugins/{name}?restart=false")


@pytest.fixture
async def host(serve, tmp_path, add_plugin):
    home = tmp_path / "home"
    config = home / ".full"
    for path, content in PERSONAL.items():
        (config / path).parent.mkdir(parents=True, exist_ok=True)
        (config / path).write_bytes(content)
    add_plugin("demo", {"skills/hello/SKILL.md": "---\nname: hello\ndescription: Hi\n---\n"})
    layout = FullLayout()
    async with serve(layout) as admin:
        options = {"path": str(config), "home": str(home)}
        body = {"id": "w1", "org": "acme", "runtime": "full", "backend": "host", "layout": "full", "options": options}
        reply = await admin.post("/workspaces", json=body)
        assert reply.status_code == 201, reply.text
        assert reply.json()["layout"] == "full"
        fixture = Host(admin, home, layout)
        fixture.agent(YES)
        yield fixture


async def test_everything_comes_and_goes(host):
    before = snapshot(host.home)
    reply = await host.install()
    assert reply.status_code == 200, reply.text
    body = reply.json()
    assert (body["layout"], body["seen"], body["left"]) == ("full", "yes", [])
    assert body["unsupported"] == [{"component": "command x", "why": "the runtime has no commands"}]
    assert [grant["name"] for grant in body["needs_grant"]] == ["hooks"]
    assert body["digest"] != body["source_digest"]
    config = host.config
    assert (config / "skills/demo").readlink() == Path("../plugins/demo")
    assert (host.home / ".agents/skills/demo/hello/SKILL.md").is_file()
    assert (config / "plugins/cache/plugport/demo/local/manifest.json").read_bytes() == b"{}"
    assert (config / "plugins/demo/plugin.yaml").read_text().startswith("name: demo")
    assert (config / "agents/demo.toml").read_text() == f'root = "{config}"\n'
    assert os.access(config / "bin/run", os.X_OK)
    assert b'"demo@plugport": true' in (config / "settings.json").read_bytes()
    assert f"command: {config}/x".encode() in (config / "config.yaml").read_bytes()
    assert not (config / "trust.json").exists()

    again = (await host.install()).json()
    assert again["left"] == []
    (listed,) = (await host.admin.get("/workspaces/w1/plugins")).json()
    assert (listed["name"], listed["layout"], listed["seen"], listed["drift"]) == ("demo", "full", "yes", "none")
    gone = await host.uninstall()
    assert gone.status_code == 200, gone.text
    assert gone.json()["left"] == []
    assert snapshot(host.home) == before


async def test_a_grant_is_given_when_the_caller_says_so(host):
    before = snapshot(host.home)
    body = (await host.install(grant=["hooks"])).json()
    assert body["needs_grant"] == []
    assert (host.config / "trust.json").exists()
    assert (await host.install()).json()["left"] == []
    assert not (host.config / "trust.json").exists()
    await host.uninstall()
    assert snapshot(host.home) == before


async def test_a_grant_that_plugport_cannot_give_is_named_as_unsupported(host):
    host.layout.can_grant = False
    asked = (await host.install()).json()
    assert [grant["name"] for grant in asked["needs_grant"]] == ["hooks"]
    assert "grant hooks" not in {each["component"] for each in asked["unsupported"]}
    granted = (await host.install(grant=["hooks", "others"])).json()
    assert [grant["name"] for grant in granted["needs_grant"]] == ["hooks"]
    why = "plugport cannot give this trust. hooks run only if they are trusted"
    assert {"component": "grant hooks", "why": why} in granted["unsupported"]


async def test_an_update_replaces_what_the_version_before_had(host, add_plugin):
    before = snapshot(host.home)
    await host.install()
    first = (host.config / "plugins/cache/plugport/demo/local/skills/hello/SKILL.md").read_text()
    add_plugin("demo", {"skills/hello/SKILL.md": "new"}, version="2.0.0")
    host.layout.value = {"version": 2}
    body = (await host.install()).json()
    assert body["left"] == []
    assert (host.config / "plugins/cache/plugport/demo/local/skills/hello/SKILL.md").read_text() == "new" != first
    assert b'"version": 2' in (host.config / "settings.json").read_bytes()
    await host.uninstall()
    assert snapshot(host.home) == before


async def test_what_a_person_edited_stays_and_is_named(host):
    await host.install()
    settings = host.config / "settings.json"
    settings.write_bytes(settings.read_bytes().replace(b'"demo@plugport": true', b'"demo@plugport": false'))
    (host.config / "agents/demo.toml").write_text("mine now")
    (host.config / "plugins/cache/plugport/demo/local/notes.md").write_text("my notes")
    left = (await host.install()).json()["left"]
    assert "settings.json: enabledPlugins.demo@plugport" in left
    assert "agents/demo.toml" in left
    assert any(path.endswith("notes.md") for path in left)
    left = (await host.uninstall()).json()["left"]
    assert (host.config / "agents/demo.toml").read_text() == "mine now"
    assert list((host.config / "plugins/.plugport/kept/demo").rglob("notes.md"))
    assert b'"demo@plugport": false' in settings.read_bytes()


@pytest.mark.parametrize(
    ("path", "content", "fault", "line"),
    [
        ("settings.json", b'{\n"a": \n', "cannot be parsed", 3),
        ("config.toml", b"a = 1\nb = = 2\n", "cannot be parsed", 2),
        ("config.toml", b"[plugins.'demo@plugport']\nenabled = false\n", "has another value", None),
        ("agents/demo.toml", b"mine", "is not plugport's", None),
        ("skills/demo", b"mine", "is not plugport's", None),
        ("plugins/cache/plugport/demo/local/x", b"mine", "is not plugport's", None),
    ],
)
async def test_what_stands_in_the_way_is_left_alone_and_named(host, path, content, fault, line):
    (host.config / path).parent.mkdir(parents=True, exist_ok=True)
    (host.config / path).write_bytes(content)
    before = snapshot(host.home)
    reply = await host.install()
    assert reply.status_code == 422
    problem = reply.json()
    assert problem["type"].endswith(":activation-impossible")
    assert fault in problem["detail"]
    assert path.startswith(problem["path"].removesuffix("/x"))
    assert problem.get("line") == line
    assert snapshot(host.home) == before


async def test_no_link_is_followed(host, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (host.config / "agents").symlink_to(outside)
    before = snapshot(tmp_path / "outside")
    reply = await host.install()
    assert (reply.status_code, reply.json()["path"]) == (422, "agents/demo.toml")
    assert snapshot(tmp_path / "outside") == before


async def test_an_agent_that_breaks_is_given_its_old_files_back(host):
    before = snapshot(host.home)
    host.agent("#!/bin/sh\ngrep -q demo settings.json && echo broken || echo yes\n")
    broken = snapshot(host.home)
    body = (await host.install()).json()
    assert (body["seen"], body["seen_reason"]) == ("no", "the agent does not start")
    assert body["complaint"] == "bad  [31mconfig"
    assert set(snapshot(host.home)) - set(before) <= {
        path for path in snapshot(host.home) if path.startswith(".full/plugins")
    }
    assert b"demo" not in (host.config / "settings.json").read_bytes()
    await host.uninstall()
    assert snapshot(host.home) == broken


async def test_who_requires_that_it_is_seen_gets_the_old_state_back(host, add_plugin):
    before = snapshot(host.home)
    host.agent("#!/bin/sh\necho no\n")
    with_no = snapshot(host.home)
    reply = await host.install(require_seen=True)
    assert (reply.status_code, reply.json()["detail"].endswith("is not seen by the agent.")) == (422, True)
    assert snapshot(host.home) == with_no
    host.agent(YES)
    assert snapshot(host.home) == before

    await host.install()
    installed = snapshot(host.home)
    add_plugin("demo", {"skills/other/SKILL.md": "new"}, version="2.0.0")
    host.agent("#!/bin/sh\n[ -e plugins/demo/skills/other ] && echo no || echo yes\n")
    reply = await host.install(require_seen=True)
    assert reply.status_code == 422
    host.agent(YES)
    after = snapshot(host.home)
    assert {path for path in installed if installed[path] != after.get(path)} == set()


async def test_an_update_that_could_not_be_put_back_is_refused_before_anything_is_written(host, add_plugin, tmp_path):
    host.agent("#!/bin/sh\n[ -e plugins/demo/skills/other ] && echo no || echo yes\n")
    await host.install(grant=["hooks"])
    installed = snapshot(host.home)
    for entry in (tmp_path / "data/cache").glob("*"):
        entry.unlink()
    add_plugin("demo", {"skills/other/SKILL.md": "new"}, version="2.0.0")
    reply = await host.install(require_seen=True)
    assert (reply.status_code, reply.json()["path"]) == (422, "plugins/demo")
    assert "could not be put back as it is" in reply.json()["detail"]
    assert snapshot(host.home) == installed
    assert (await host.install()).json()["seen"] == "no"


async def test_what_is_put_back_has_its_grants_and_its_layout(host, add_plugin):
    host.agent("#!/bin/sh\n[ -e plugins/demo/skills/other ] && echo no || echo yes\n")
    await host.install(grant=["hooks"])
    installed = snapshot(host.home)
    add_plugin("demo", {"skills/other/SKILL.md": "new"}, version="2.0.0")
    assert (await host.install(require_seen=True)).status_code == 422
    after = snapshot(host.home)
    assert {path for path in installed if installed[path] != after.get(path)} == set()
    (listed,) = (await host.admin.get("/workspaces/w1/plugins")).json()
    assert (listed["layout"], listed["drift"]) == ("full", "none")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (None, "there is no ./agent on the target"),
        ("#!/bin/sh\nsleep 30\n", "the agent did not answer"),
        ("#!/bin/sh\nprintf '\\377\\376'\n", "the layout could not read the agent's answer"),
    ],
)
async def test_an_agent_that_cannot_be_asked_is_unknown(serve, tmp_path, add_plugin, script, reason):
    config = tmp_path / "agent"
    config.mkdir()
    if script is not None:
        (config / "agent").write_text(script)
        (config / "agent").chmod(0o755)
    add_plugin("demo")
    async with serve(FullLayout(), ask_seconds=0.5) as admin:
        options = {"path": str(config), "home": str(tmp_path)}
        body = {"id": "w1", "org": "acme", "backend": "host", "layout": "full", "options": options}
        assert (await admin.post("/workspaces", json=body)).status_code == 201
        reply = (await admin.post("/workspaces/w1/plugins", json={"source": "demo"})).json()
        assert (reply["seen"], reply["seen_reason"]) == ("unknown", reason)


async def test_the_layout_of_a_runtime_is_a_setting(serve, tmp_path):
    async with serve(FullLayout(), layouts={"Claude_Code": "full"}) as admin:
        body = {"id": "w1", "org": "acme", "backend": "host", "options": {"path": str(tmp_path)}}
        assert (await admin.post("/workspaces", json=body)).json()["layout"] == "adaptor"
        reply = await admin.post("/workspaces", json=body | {"id": "w2", "runtime": "claude-code"})
        assert reply.json()["layout"] == "full"
        assert (await admin.get("/workspaces/w2")).json()["layout"] == "full"
        changed = await admin.patch("/workspaces/w2", json={"layout": "adaptor"})
        assert changed.json()["layout"] == "adaptor"
        listed = (await admin.get("/workspaces")).json()["items"]
        assert [each["layout"] for each in listed] == ["adaptor", "adaptor"]


async def test_a_layout_that_nobody_has_is_refused_at_the_registration(serve):
    async with serve(FullLayout()) as admin:
        body = {"id": "w1", "org": "acme", "backend": "host", "layout": "fulls", "options": {"path": "/x"}}
        reply = await admin.post("/workspaces", json=body)
        assert reply.status_code == 400
        assert "did you mean full?" in reply.text


async def test_the_folders_of_agents_on_a_target_are_found(serve, tmp_path):
    for folder in (".claude", ".config/opencode", ".other"):
        (tmp_path / folder).mkdir(parents=True)
    async with serve() as admin:
        options = {"path": str(tmp_path / ".other"), "home": str(tmp_path)}
        await admin.post("/workspaces", json={"id": "w1", "org": "acme", "backend": "host", "options": options})
        assert (await admin.get("/workspaces/w1/agents")).json() == {
            "items": [
                {"layout": "claude-code", "config_dir": f"{tmp_path}/.claude", "home": str(tmp_path)},
                {"layout": "opencode", "config_dir": f"{tmp_path}/.config/opencode", "home": str(tmp_path)},
            ],
            "next": None,
        }
        (tmp_path / ".other").rmdir()
        assert (await admin.get("/workspaces/w1/agents")).status_code == 503
