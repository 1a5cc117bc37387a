"""A tree whose root is a marketplace is read as the plugins that lie in it."""

from __future__ import annotations

import json

from support.plugin_trees import read_first, rules, shown, skill

from plugport.hookspecs import ComponentKind

AT = ".claude-plugin/marketplace.json"


def marketplace(*plugins: object, **fields: object) -> str:
    return json.dumps({"name": "market", "owner": {"name": "Somebody"}, "plugins": plugins, **fields}, indent=1)


def test_an_entry_at_the_root_completes_the_manifest(tmp_path):
    files = {
        AT: marketplace(
            {"name": "demo", "source": "./", "description": "Of the entry.", "commands": ["./more/x.md"]}
        ),
        ".claude-plugin/plugin.json": json.dumps({"name": "demo", "version": "1.0.0"}),
        "skills/a/SKILL.md": skill("a"),
        "more/x.md": "X.",
    }
    contents = read_first(tmp_path, files)
    assert (contents.name, contents.version, contents.description) == ("demo", "1.0.0", "Of the entry.")
    assert (shown(contents), contents.findings) == (["command x more/x.md", "skill a skills/a/SKILL.md"], ())


def test_a_dot_is_the_root_too(tmp_path):
    files = {AT: marketplace({"name": "demo", "source": "."}), "skills/a/SKILL.md": skill("a")}
    contents = read_first(tmp_path, files)
    assert (contents.name, shown(contents), contents.findings) == ("demo", ["skill a skills/a/SKILL.md"], ())


def test_entries_that_share_the_root_bring_their_skills_and_no_others(tmp_path):
    entries = [
        {"name": "first", "source": "./", "strict": False, "skills": ["./skills/a", "./skills/b"]},
        {"name": "second", "source": "./", "strict": False, "skills": ["./skills/c"]},
    ]
    files = {
        AT: marketplace(*entries, metadata={"description": "Examples.", "version": "2.0.0"}),
        **{f"skills/{name}/SKILL.md": skill(name) for name in "abc"},
        "template/SKILL.md": skill("template"),
    }
    contents = read_first(tmp_path, files)
    assert (contents.name, contents.version, contents.description) == ("market", "2.0.0", "Examples.")
    assert (contents.author, shown(contents)) == (
        "Somebody",
        [f"skill {name} skills/{name}/SKILL.md" for name in "abc"],
    )
    assert rules(contents) == ["skill-unlisted template/SKILL.md:0:0"]


def test_the_only_plugin_of_a_marketplace_names_the_tree(tmp_path):
    files = {
        AT: marketplace({"name": "demo", "source": "./plugins/demo", "version": "1.0.0"}),
        "plugins/demo/.claude-plugin/plugin.json": json.dumps(
            {"name": "demo", "version": "2.1.0", "description": "D."}
        ),
        "plugins/demo/skills/a/SKILL.md": skill("a"),
    }
    contents = read_first(tmp_path, files)
    assert (contents.name, contents.version, contents.description) == ("demo", "2.1.0", "D.")
    assert shown(contents) == ["skill a plugins/demo/skills/a/SKILL.md"]


def test_plugins_in_folders_keep_their_own_root_and_get_names_of_their_own(tmp_path):
    server = {"demo": {"command": "${CLAUDE_PLUGIN_ROOT}/run.sh", "args": ["./data.json"]}}
    files = {AT: marketplace(*({"name": name, "source": f"./plugins/{name}"} for name in ("x", "y")))}
    for name in ("x", "y"):
        files |= {
            f"plugins/{name}/skills/a/SKILL.md": skill("a"),
            f"plugins/{name}/.mcp.json": json.dumps(server),
            f"plugins/{name}/run.sh": "",
            f"plugins/{name}/data.json": "",
            f"plugins/{name}/plugin.json": json.dumps({"name": name, "version": "0.1.0"}),
        }
    contents = read_first(tmp_path, files)
    assert (contents.name, contents.version, contents.findings) == ("market", "0.1.0", ())
    assert shown(contents) == [
        "mcp-server demo plugins/x/.mcp.json",
        "mcp-server y-demo plugins/y/.mcp.json",
        "skill a plugins/x/skills/a/SKILL.md",
        "skill y-a plugins/y/skills/a/SKILL.md",
    ]
    (_, server_of_y) = contents.of_kind(ComponentKind.MCP_SERVER)
    assert server_of_y.data == {
        "command": "${CLAUDE_PLUGIN_ROOT}/plugins/y/run.sh",
        "args": ["./plugins/y/data.json"],
    }
    assets = {asset.path for asset in contents.of_kind(ComponentKind.ASSET)}
    assert assets == {f"plugins/{name}/{file}" for name in ("x", "y") for file in ("run.sh", "data.json")}


def test_plugins_that_lie_elsewhere_are_noted(tmp_path):
    elsewhere = {"name": "far", "source": {"source": "github", "repo": "a/b"}}
    files = {AT: marketplace(elsewhere, {"name": "near", "source": "./near"}), "near/skills/a/SKILL.md": skill("a")}
    contents = read_first(tmp_path, files)
    assert (contents.name, shown(contents)) == ("near", ["skill a near/skills/a/SKILL.md"])
    assert [finding.rule for finding in contents.findings] == ["marketplace-elsewhere"]


def test_entries_with_faults_are_named_and_the_rest_is_read(tmp_path):
    entries = [
        {"name": "outside", "source": "../x"},
        {"name": "absolute", "source": "/etc"},
        {"name": "missing", "source": "./nothing"},
        {"source": "./good"},
        "text",
        {"name": "none"},
        {"name": "both", "source": "./both", "strict": False, "skills": "./skills"},
    ]
    files = {
        AT: marketplace(*entries),
        "good/skills/a/SKILL.md": skill("a"),
        "both/.claude-plugin/plugin.json": json.dumps({"name": "both", "skills": "./skills"}),
        "both/skills/b/SKILL.md": skill("b"),
    }
    contents = read_first(tmp_path, files)
    assert shown(contents) == ["skill a good/skills/a/SKILL.md", "skill b both/skills/b/SKILL.md"]
    assert [finding.rule for finding in contents.findings] == [
        *("path-outside", "path-absolute", "path-missing", "name-missing", "wrong-type", "marketplace-source"),
        *("marketplace-elsewhere", "marketplace-strict"),
    ]
    assert all(finding.line for finding in contents.findings)


def test_plugins_that_depend_on_each_other_in_a_circle_are_named(tmp_path):
    entries = [{"name": name, "source": "./", "dependencies": [other]} for name, other in ("ab", "bc", "ca", "dd")]
    contents = read_first(tmp_path, {AT: marketplace(*entries), "skills/a/SKILL.md": skill("a")})
    circles = [finding.message for finding in contents.findings if finding.rule == "dependency-cycle"]
    assert circles == ["the plugins depend on each other in a circle: a → b → c → a", "the plugin depends on itself"]


def test_a_marketplace_needs_a_name_and_an_owner(tmp_path):
    files = {
        AT: '{"name": "my market",\n "plugins": [{"name": "x", "source": "./"}]}',
        "skills/a/SKILL.md": skill("a"),
    }
    contents = read_first(tmp_path, files)
    assert rules(contents) == [f"marketplace-name {AT}:1:10", f"marketplace-owner {AT}:1:1"]
    assert shown(contents) == ["skill a skills/a/SKILL.md"]
