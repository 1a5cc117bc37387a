"""`plugport providers` and the service, with providers that their authors got wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from support.service import Service
from support.third_party import command, lay

GOOD = """
from plugport.hookspecs import hookimpl
@hookimpl
def observe(event):
    return None
"""
WRONG = {
    "raises-at-import": ("x = {}\ny = x['nothing']\n", "KeyError: 'nothing'", "line 2", "startup(context)"),
    "exits-at-import": ("import sys\nsys.exit('no license')\n", "SystemExit: no license", "startup(context)"),
    "needs-another": ("import not_installed_here\n", "needs not_installed_here", "install the package that has it"),
    "misses-an-argument": (
        GOOD + "@hookimpl\ndef resolve_source(source): ...\nschemes = ('s9',)\n",
        "resolve_source misses the argument destination",
        "it has: source, destination",
    ),
    "wants-another-argument": (GOOD.replace("(event)", "(event, color)"), "unknown argument color", "it has: event"),
    "unknown-hook": (GOOD.replace("observe", "observed"), "unknown hook observed", "observe,"),
    "no-hook": ("x = 1\n", "no hook", "@plugport.hookspecs.hookimpl"),
    "from-the-future": (GOOD + "hook_api_version = 99\n", "hook API version 99", "update plugport"),
}
HEAVY = ("asyncssh", "boto3", "docker", "libcst", "pydantic", "pytest", "sqlalchemy", "starlette")


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_provider_is_said_with_its_distribution_and_what_to_do(tmp_path, name):
    module, *phrases = WRONG[name]
    lay(tmp_path, name, module)
    completed = command(tmp_path, "providers")
    assert completed.returncode == 1
    (line,) = [line for line in completed.stdout.splitlines() if line.startswith(f"{name} ({name} 1.5): ")]
    assert all(phrase in line for phrase in phrases), line
    assert "Traceback" not in completed.stdout + completed.stderr
    (provider,) = json.loads(command(tmp_path, "providers", name, "--json").stdout)
    assert (provider["status"], provider["distribution"], provider["version"]) == ("failed", name, "1.5")


def test_one_that_is_installed_twice_is_said_with_both_distributions(tmp_path):
    lay(tmp_path, "first-team", GOOD, name="webhook")
    lay(tmp_path, "second-team", GOOD, name="webhook")
    completed = command(tmp_path, "providers")
    assert completed.returncode == 1
    assert "webhook (second-team 1.5): the name 'webhook' is taken by first-team" in completed.stdout
    assert "rename the entry point or remove one" in completed.stdout


def test_two_of_one_scheme_are_said_with_both_distributions(tmp_path):
    module = GOOD + "@hookimpl\ndef resolve_source(source, destination): ...\nschemes = ('s9',)\n"
    lay(tmp_path, "one", module)
    lay(tmp_path, "two", module)
    completed = command(tmp_path, "providers")
    assert completed.returncode == 1
    assert "the scheme s9 is served by one (one 1.5) and by two (two 1.5): block one" in completed.stderr
    assert command(tmp_path, "providers", PLUGPORT_PROVIDERS_BLOCK="two").returncode == 0


def test_one_that_is_slow_to_import_is_named_with_its_time(tmp_path):
    lay(tmp_path, "sluggish", "import time\ntime.sleep(0.3)\n" + GOOD)
    completed = command(tmp_path, "providers")
    assert completed.returncode == 0
    (line,) = [line for line in completed.stdout.splitlines() if line.startswith("sluggish (sluggish 1.5): ")]
    assert "importing it took 0.3" in line
    assert "startup(context)" in line


def test_a_delivery_that_misses_its_bundle_is_named(tmp_path):
    module = "from plugport.hookspecs import hookimpl\nbackend = 'empty'\n@hookimpl\ndef is_running(workspace): ...\n"
    lay(tmp_path, "empty-handed", module + "@hookimpl\ndef deliver(workspace): ...\n")
    completed = command(tmp_path, "providers")
    assert completed.returncode == 0
    assert "empty-handed (empty-handed 1.5): deliver misses the argument bundle" in completed.stdout


def test_those_that_are_blocked_are_not_imported_and_nothing_heavy_is(tmp_path):
    mark = "from pathlib import Path\nPath(__file__).with_suffix('.imported').touch()\n"
    names = [f"team-{number}" for number in range(30)]
    for name in names:
        lay(tmp_path, name, mark + GOOD)
    blocked = names[::2]
    completed = command(tmp_path, "providers", PLUGPORT_PROVIDERS_BLOCK=",".join(blocked))
    assert completed.returncode == 0, completed.stdout
    imported = {touched.stem.replace("_", "-") for touched in tmp_path.glob("*.imported")}
    assert imported == set(names) - set(blocked)
    code = "import sys; from plugport.core.cli import main; main(['providers']); print(*sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    looked = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert not set(HEAVY) & set(looked.stdout.splitlines()[-1].split())


def test_the_service_runs_on_with_all_of_them_and_says_what_is_wrong(tmp_path):
    for name, (module, *_) in WRONG.items():
        lay(tmp_path / "site", name, module)
    lay(tmp_path / "site", "first-team", GOOD, name="webhook")
    lay(tmp_path / "site", "second-team", GOOD, name="webhook")
    (tmp_path / "plugins/greeter").mkdir(parents=True)
    (tmp_path / "plugins/greeter/plugin.yaml").write_text("name: greeter\n")
    (tmp_path / "agent").mkdir()
    service = Service(tmp_path, PYTHONPATH=str(tmp_path / "site"), PLUGPORT_TRACE_HOOKS="true")
    try:
        row = {"id": "w", "org": "acme", "backend": "host", "options": {"path": str(tmp_path / "agent")}}
        assert service.client.post("/workspaces", json=row).status_code == 201
        assert service.client.post("/workspaces/w/plugins", json={"source": "greeter"}).status_code == 200
        failed = [each for each in service.client.get("/providers").json() if each["status"] == "failed"]
        assert {(provider["distribution"], provider["version"]) for provider in failed} == {
            (name, "1.5") for name in (*WRONG, "second-team")
        }
    finally:
        service.stop()
    logged = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if line.startswith("{")]
    assert {entry["message"].split(" (")[1].split(" ")[0] for entry in logged if entry["level"] == "error"} == {
        *WRONG,
        "second-team",
    }
    traced = {entry["hook"]: entry for entry in logged if "hook" in entry and "seconds" in entry}
    assert {"resolve_source", "is_running", "deliver", "observe"} <= traced.keys()
    delivered = traced["deliver"]
    assert (delivered["provider"], delivered["workspace"], delivered["outcome"]) == ("host", "w", "ok")
    assert delivered["distribution"].startswith("plugport ")
    assert 0 < delivered["seconds"] < 60
