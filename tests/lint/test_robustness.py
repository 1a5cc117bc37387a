"""A gate does not fall over: a rule that crashes is named, and hostile sources are findings or clean."""

from __future__ import annotations

import zipfile

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugport.lint_rules.engine.lint import Request, lint

BLOCKING = "import time\n\n\nasync def wait():\n    time.sleep(1)\n"
RULE = """
from plugport.hookspecs import RuleDescriptor, hookimpl

CODE, message, reason, VALID, INVALID = "XY001", "m", "r", (), ()


@hookimpl
def lint_rules():
    return [RuleDescriptor("XY001", "1", "badrule:Bad")]


class Bad:
    def __init__(self, config):
        pass

    def wants(self, data):
        return True

    def summarise(self, file):
        return None

    def link(self, summaries):
        return None

    def check(self, file, linked, summaries):
        raise RuntimeError("the rule is broken")
"""


def test_a_rule_that_crashes_is_named_with_its_file_and_hides_nothing(project, tmp_path):
    made = project({"pyproject.toml": "[tool.plugport.lint]\n", "a.py": BLOCKING})
    site = tmp_path / "site"
    info = site / "badrule-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "badrule.py").write_text(RULE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: badrule\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[plugport.lint]\nbadrule = badrule\n")
    done = made.lint("--format", "json", environment={"PYTHONPATH": str(site)})
    assert done.exit == 3
    assert ("PP004", "a.py", 5) in done.places
    assert any(item["rule"] == "XY001" and item["path"] == "a.py" for item in done.items)
    assert "XY001" in done.stderr
    assert "the rule is broken" in done.stderr


def test_a_team_brings_a_rule_of_its_own(project, tmp_path):
    good = RULE.replace('raise RuntimeError("the rule is broken")', "return []").replace("XY001", "XY002")
    wheel = tmp_path / "site.zip"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("badrule.py", good)
        archive.writestr("badrule-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: badrule\nVersion: 1.0\n")
        archive.writestr("badrule-1.0.dist-info/entry_points.txt", "[plugport.lint]\nbadrule = badrule\n")
    made = project({"pyproject.toml": "[tool.plugport.lint]\n", "a.py": "x = 1\n"})
    done = made.lint("--format", "json", "--select", "XY002", environment={"PYTHONPATH": str(wheel)})
    assert (done.exit, done.stdout.strip()) == (0, "[]")


PIECES = st.sampled_from(
    ["try:\n", "    x()\n", "except Exception as e:\n", "    return JSONResponse(str(e))\n", "async def f(request):\n",
     "def f(", ")", "(" * 300, "[" * 300, "f'{", "}'", '"""', "\\\n", "\t", "lambda: ", "match x:\n", "class A:\n", "é中",
     "import docker\n", "docker.from_env().containers.get(x)\n", "# plugport: allow[PP001]\n", "@", ":=", "yield ",
     "await ", "*", "**", ";", "x = 1\n", "type X = int\n", "except* E:\n", "\r", "\f", "if 1:\n", "0x", "1_" * 50]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sources=st.lists(
        st.lists(PIECES, max_size=14).map("".join).map(str.encode) | st.binary(max_size=80), min_size=4, max_size=12
    )
)
def test_no_source_makes_a_rule_crash(tmp_path, sources):
    folder = tmp_path / "fuzz"
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text(
        "[[tool.plugport.lint.only-caller]]\npreset = 'docker-inspect'\nallow = []\n"
    )
    for number, source in enumerate(sources):
        (folder / f"f{number}.py").write_bytes(source)
    report = lint(Request(cache=False, working_directory=folder))
    assert report.crashes == ()
    assert report.problems == ()


def test_hostile_sources_are_findings(project):
    files = {
        "deep.py": "x = "
        + "(" * 5000
        + ")" * 5000
        + "\nexcept_ = 'except Exception as e'\nimport docker, time\nasync def f(): time.sleep(1)\n",
        "nul.py": b"import docker\x00\n",
        "encoding.py": b"# -*- coding: nothing -*-\nimport docker\nasync def f(): pass\n",
        "latin.py": b"import docker\n'\xe9'\n",
        "long.py": "import docker\nx = '" + "a" * 2_000_000 + "'\n",
        "chain.py": "import docker\nx = " + " + ".join(["1"] * 3000) + "\n",
    }
    config = "[[tool.plugport.lint.only-caller]]\npreset = 'docker-inspect'\nallow = []\n"
    done = project({"pyproject.toml": config, **files}).json()
    assert done.exit == 1, done.stderr
    assert {rule for rule, _, _ in done.places} == {"PP900"}
    assert {"deep.py", "nul.py", "encoding.py", "latin.py"} <= {path for _, path, _ in done.places}


def test_patterns_with_constants_are_followed(project):
    source = (
        "from starlette.responses import JSONResponse\n\n\nasync def show(request):\n    try:\n        work()\n"
        "    except ValueError as error:\n        match request.query_params:\n            case True | None:\n"
        "                return JSONResponse({})\n            case Point(x=1, y=why) | {'why': why, **rest}:\n"
        "                return JSONResponse({'why': str(error)})\n"
    )
    assert project({"a.py": source}).lint("--format", "json").places == [("PP002", "a.py", 12)]


def test_a_name_that_is_made_of_itself_many_times_takes_no_longer_than_another(tmp_path):
    """Once it took a branch for each assignment at each step: hours for forty of them."""
    again = "".join(f"    query = query.where({number})\n" for number in range(200))
    body = f"import requests\n\n\nasync def find(query):\n{again}    return query.all() or requests.get('/')\n"
    (tmp_path / "pyproject.toml").write_text("[tool.plugport.lint]\n")
    (tmp_path / "a.py").write_text(body)
    report = lint(Request(cache=False, working_directory=tmp_path))
    assert [finding.rule for finding in report.findings] == ["PP004"]
