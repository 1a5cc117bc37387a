"""A second extension of a name is refused before anything is written, wherever it lies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.agents.snapshots import snapshot

from plugport.core.dispatcher import Dispatcher

NAMED = json.dumps({"name": "demo", "version": "1.0.0"})


def in_a_folder_of_another_name(config: Path, home: Path, product: str) -> None:
    (config / "extensions/other").mkdir(parents=True)
    (config / f"extensions/other/{product}-extension.json").write_text(NAMED)


def hidden(config: Path, home: Path, product: str) -> None:
    (config / "extensions/.other").mkdir(parents=True)
    (config / f"extensions/.other/{product}-extension.json").write_text(NAMED)


def by_a_link(config: Path, home: Path, product: str) -> None:
    (home / "work").mkdir()
    (home / f"work/{product}-extension.json").write_text(NAMED)
    (config / "extensions").mkdir()
    (config / "extensions/other").symlink_to("../../work")


def by_an_absolute_link(config: Path, home: Path, product: str) -> None:
    by_a_link(config, home, product)
    (config / "extensions/other").unlink()
    (config / "extensions/other").symlink_to(home / "work")


def installed_as_a_link(config: Path, home: Path, product: str) -> None:
    by_a_link(config, home, product)
    (config / "extensions/other").unlink()
    (config / "extensions/other").mkdir()
    made = {"source": str(home / "work"), "type": "link"}
    (config / f"extensions/other/.{product}-extension-install.json").write_text(json.dumps(made))


@pytest.fixture
def host(serve, tmp_path, add_plugin):
    """Registers the workspace `w1` under a layout: `host(admin, product)` gives its home and its config dir."""
    add_plugin("demo", {"skills/hello/SKILL.md": "---\nname: hello\ndescription: Hi\n---\n"})

    async def register(admin, product: str) -> tuple[Path, Path]:
        home = tmp_path / "home"
        config = home / f".{product}"
        config.mkdir(parents=True)
        layout = {"gemini": "gemini-cli", "qwen": "qwen-code"}[product]
        body = {"id": "w1", "org": "acme", "runtime": layout, "backend": "host", "layout": layout}
        reply = await admin.post("/workspaces", json=body | {"options": {"path": str(config), "home": str(home)}})
        assert reply.status_code == 201, reply.text
        return home, config

    return register


@pytest.mark.parametrize("product", ["gemini", "qwen"])
@pytest.mark.parametrize(
    "make", [in_a_folder_of_another_name, hidden, by_a_link, by_an_absolute_link, installed_as_a_link]
)
async def test_it_is_refused_with_its_place(serve, host, product, make: Callable[[Path, Path, str], None]):
    async with serve() as admin:
        home, config = await host(admin, product)
        make(config, home, product)
        before = snapshot(home)
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "demo", "ask": False})
        assert reply.status_code == 422, reply.text
        assert reply.json()["detail"].endswith("is a name that another plugin of the runtime has.")
        assert reply.json()["path"].startswith("extensions/")
        assert reply.json()["path"].endswith("other")
        assert snapshot(home) == before


async def test_other_extensions_and_the_plugin_itself_are_not_in_the_way(serve, host, add_plugin):
    add_plugin("second", {"gemini-extension.json": json.dumps({"name": "two", "version": "1"})})
    add_plugin("third", {"gemini-extension.json": json.dumps({"name": "two", "version": "1"})})
    async with serve() as admin:
        _, config = await host(admin, "gemini")
        for name, text in {"one": '{"name": "one"}', "odd": "{", "list": "[]", "none": ""}.items():
            (config / "extensions" / name).mkdir(parents=True)
            (config / "extensions" / name / "gemini-extension.json").write_text(text)
        (config / "extensions/extension-enablement.json").write_text("{}")
        (config / "extensions/gone").symlink_to("/nowhere")
        for source in ("demo", "second", "demo", "second"):
            reply = await admin.post("/workspaces/w1/plugins", json={"source": source, "ask": False})
            assert reply.status_code == 200, reply.text
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "third", "ask": False})
        assert (reply.status_code, reply.json()["path"]) == (422, "extensions/second")


async def test_without_another_extension_the_target_is_looked_at_once(serve, host, monkeypatch):
    looks = []
    inspect = Dispatcher.inspect_target

    async def counted(self, workspace, query):
        looks.append(query)
        return await inspect(self, workspace, query)

    monkeypatch.setattr(Dispatcher, "inspect_target", counted)
    async with serve() as admin:
        await host(admin, "gemini")
        for expected in (1, 2):
            reply = await admin.post("/workspaces/w1/plugins", json={"source": "demo", "ask": False})
            assert (reply.status_code, len(looks)) == (200, expected)
