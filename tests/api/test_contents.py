"""An install says what the plugin has and what is wrong with it; the lists say it afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from support.doubles import MemoryBackend, StubSource
from support.plugin_trees import make_tree, skill

from plugport.hookspecs import Component, ComponentKind, Contents, PluginTree, Resolved, hookimpl

CLAUDE = {
    ".claude-plugin/plugin.json": json.dumps({"name": "demo", "version": "2.0.0", "description": "A demo."}),
    "skills/hello/SKILL.md": skill("hello", "Greets: politely.").replace("\n---", "\nversion: 1.1\n---"),
    "commands/go.md": "Go.",
    "hooks/hooks.json": '{"hooks": {\n  "PreTolUse": []}}',
}
COMPONENTS = [
    {"kind": "skill", "name": "hello", "path": "skills/hello/SKILL.md"},
    {"kind": "command", "name": "go", "path": "commands/go.md"},
]


def source_of(files: Mapping[str, str], name: str | None = None) -> StubSource:
    def fetch(destination: Path) -> Resolved:
        make_tree(destination, files)
        return Resolved(name)

    return StubSource(fetch)


async def install(admin, runtime: str | None = None, **fields: object):
    workspace = {"id": "w1", "org": "acme", "backend": "memory", **({"runtime": runtime} if runtime else {})}
    await admin.post("/workspaces", json=workspace)
    reply = await admin.post("/workspaces/w1/plugins", json={"source": "stub://x", **fields})
    return reply.status_code, reply.json()


async def test_an_install_and_the_lists_say_what_a_plugin_has(serve):
    async with serve(MemoryBackend(), source_of(CLAUDE)) as admin:
        status, reply = await install(admin)
        assert (status, reply["plugin"], reply["format"], reply["version"]) == (200, "demo", "claude", "2.0.0")
        assert [{key: part[key] for key in ("kind", "name", "path")} for part in reply["components"]] == COMPONENTS
        shown = [
            (each["rule"], each["severity"], each["path"], each["line"], each["column"]) for each in reply["warnings"]
        ]
        assert shown == [
            ("front-matter-colon", "warning", "skills/hello/SKILL.md", 3, 20),
            ("hook-event", "error", "hooks/hooks.json", 2, 16),
        ]
        assert reply["warnings"][1]["message"].startswith("there is no event 'PreTolUse'")
        (listed,) = (await admin.get("/workspaces/w1/plugins")).json()
        assert (listed["version"], listed["description"], listed["format"]) == ("2.0.0", "A demo.", "claude")
        described = [
            {**part, "description": text, "version": version}
            for part, text, version in zip(COMPONENTS, ["Greets: politely.", None], ["1.1", None], strict=True)
        ]
        assert listed["components"] == described
        status, again = await install(admin)
        assert (again["components"], again["warnings"]) == (reply["components"], reply["warnings"])


async def test_the_catalog_shows_what_the_formats_read(serve, catalog):
    make_tree(catalog / "demo", CLAUDE)
    make_tree(catalog / "bare", {"deep/er/one/SKILL.md": skill("one")})
    async with serve() as admin:
        plugins = {plugin["name"]: plugin for plugin in (await admin.get("/plugins")).json()}
        assert (plugins["demo"]["version"], plugins["demo"]["description"]) == ("2.0.0", "A demo.")
        assert (plugins["demo"]["format"], plugins["demo"]["skills"]) == ("claude", ["hello"])
        assert (plugins["bare"]["format"], plugins["bare"]["skills"]) == ("skills", ["one"])
        make_tree(catalog / "demo", {".claude-plugin/plugin.json": '{"name": "demo", "version": "2.1.0"}'})
        plugins = {plugin["name"]: plugin for plugin in (await admin.get("/plugins")).json()}
        assert plugins["demo"]["version"] == "2.1.0"


async def test_a_tree_with_nothing_that_a_format_knows_is_installed_as_before(serve):
    async with serve(MemoryBackend(), source_of({"notes.txt": "x"}, "plain")) as admin:
        status, reply = await install(admin)
    assert (status, reply["plugin"], reply["format"], reply["components"], reply["warnings"]) == (
        *(200, "plain", "plugport", [], []),
    )


HELM = "name: diff\nversion: 3.1.0\nusage: Preview changes\ncommand: $HELM_PLUGIN_DIR/bin/diff\n"
HERMES = {"plugin.yaml": "name: weather\nversion: 1.0.0\n", "__init__.py": "def register(ctx):\n    pass\n"}


@pytest.mark.parametrize(
    ("files", "tool"),
    [
        ({"plugin.yaml": HELM, "README.md": "# Diff", "DEVELOPMENT.md": "x"}, "Helm"),
        ({"plugin.yaml": "name: d\nversion: 1\nplatformCommand:\n  - command: x\n"}, "Helm"),
        (HERMES, "Hermes"),
        ({**HERMES, "__init__.py": "from .weather import register\n", "weather.py": ""}, "Hermes"),
    ],
)
async def test_a_plugin_of_another_tool_is_refused_by_its_name(serve, files, tool):
    async with serve(MemoryBackend(), source_of(files, "other")) as admin:
        status, reply = await install(admin)
    assert (status, reply["type"].rsplit(":", 1)[-1], tool in reply["detail"]) == (422, "manifest-invalid", True)


@pytest.mark.parametrize("files", [{"plugin.yaml": HELM}, HERMES])
async def test_it_is_installed_if_it_has_something_for_an_agent(serve, files):
    async with serve(MemoryBackend(), source_of({**files, "skills/a/SKILL.md": skill("a")})) as admin:
        status, reply = await install(admin)
    assert (status, [part["name"] for part in reply["components"]]) == (200, ["a"])


@pytest.mark.parametrize(
    ("manifest_name", "source_name", "name", "rules"),
    [
        ("demo", None, "demo", []),
        ("demo", "demo", "demo", []),
        ("demo", "repository", "repository", ["name-differs"]),
        ("@scope/My Plügin", None, "scope-My-Plugin", ["name-changed"]),
    ],
)
async def test_the_source_names_a_plugin_before_its_manifest(serve, manifest_name, source_name, name, rules):
    files = {"gemini-extension.json": json.dumps({"name": manifest_name, "version": "1"})}
    async with serve(MemoryBackend(), source_of(files, source_name)) as admin:
        status, reply = await install(admin)
    found_rules = [each["rule"] for each in reply["warnings"] if each["rule"] != "name-letters"]
    assert (status, reply["plugin"], found_rules) == (200, name, rules)


async def test_a_name_that_cannot_be_made_one_is_refused(serve):
    files = {".claude-plugin/plugin.json": '{"name": "技能"}'}
    async with serve(MemoryBackend(), source_of(files)) as admin:
        assert (await install(admin))[1]["type"].endswith("manifest-invalid")


async def test_source_and_plugin_yaml_must_still_agree(serve):
    files = {"plugin.yaml": "name: mine\n", ".claude-plugin/plugin.json": '{"name": "other"}'}
    async with serve(MemoryBackend(), source_of(files, "yours")) as admin:
        assert (await install(admin))[1]["type"].endswith("name-mismatch")
    async with serve(MemoryBackend(), source_of(files, "mine")) as admin:
        status, reply = await install(admin)
    assert (status, [each["rule"] for each in reply["warnings"]]) == (200, ["version-missing", "formats-disagree"])


class ThirdFormat:
    """A format of a third party."""

    format = "third"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    @hookimpl
    def read_plugin(self, tree: PluginTree) -> Contents | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if "third.ini" in tree else None


async def test_a_third_party_reads_its_own_format(serve):
    contents = Contents("third", "own", "3", components=(Component(ComponentKind.SKILL, "s", "third.ini"),))
    async with serve(MemoryBackend(), source_of({"third.ini": ""}), ThirdFormat(contents)) as admin:
        status, reply = await install(admin)
    assert (status, reply["plugin"], reply["format"], reply["version"]) == (200, "own", "third", "3")


@pytest.mark.parametrize(
    "answer",
    [
        ValueError("secret"),
        "text",
        Contents("third", "a\0b"),
        Contents("third", components=(Component(ComponentKind.SKILL, "s", "p", data={"x": cast("Any", object())}),)),
        Contents("third", components=cast("Any", ("text",))),
        Contents("third", findings=cast("Any", (None,))),
    ],
)
async def test_a_format_that_answers_with_something_unusable_is_left_out(serve, answer):
    async with serve(MemoryBackend(), source_of({"third.ini": ""}, "plain"), ThirdFormat(answer)) as admin:
        status, reply = await install(admin)
    assert (status, reply["format"]) == (200, "plugport")
