"""`plugport new-provider`: each kind is generated, built, installed, tested, and serves a request."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from support.packages import installed_packages
from support.service import Service
from support.third_party import command

from plugport.core.cli import main
from plugport.core.cli.commands import new_provider
from plugport.core.cli.commands.new_provider import KINDS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def generated(tmp_path_factory) -> Path:
    """A folder with a package of each kind, and `site`, where their wheels are installed."""
    return installed_packages(tmp_path_factory, "generated", generate)


def generate(folder: Path) -> list[str]:
    for kind in KINDS:
        completed = command(folder, "new-provider", f"acme-{kind}", "--kind", kind, "--into", str(folder))
        assert completed.returncode == 0, completed.stderr
        assert f"cd {folder}/acme-{kind} && tox" in completed.stdout
    return [f"acme-{kind}" for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS)
def test_its_own_tests_pass_and_so_do_the_gates(generated, kind):
    environment = os.environ | {"PYTHONPATH": str(generated / "site"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=generated / f"acme-{kind}",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    linted = subprocess.run(
        [sys.executable, "-P", "-m", "plugport.lint_rules", "lint", "--no-cache"],
        cwd=generated / f"acme-{kind}",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (linted.returncode, linted.stdout) == (0, "no findings in 3 files\n"), linted.stderr


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "lint-rule"])
def test_the_kit_holds_what_is_installed(generated, kind):
    completed = command(generated / "site", "conform", f"acme-{kind}")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert " 0 broken" in completed.stdout
    shown = command(generated / "site", "providers", f"acme-{kind}").stdout
    assert "status: loaded" in shown
    assert "kit 4" in shown


@pytest.mark.parametrize("kind", KINDS)
def test_plugport_is_its_only_dependency_and_tox_has_the_tests_the_gates_and_the_kit(generated, kind):
    project = tomllib.loads((generated / f"acme-{kind}/pyproject.toml").read_text())["project"]
    (needed,) = project["dependencies"]
    assert needed.startswith("plugport")
    tox = (generated / f"acme-{kind}/tox.ini").read_text()
    assert "plugport lint --no-cache" in tox
    assert ("plugport conform acme-" in tox) == (kind != "lint-rule")
    written = [path for path in (generated / f"acme-{kind}").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    texts = {path: path.read_text() for path in written}
    assert {"ci.yml", "README.md", "py.typed", ".gitignore", "tox.ini"} <= {p.name for p in texts}
    for path, text in texts.items():
        assert not any(word in text + path.name for word in ("{{", "}}", "acme_registry", "AcmeRegistry", ".in\n")), (
            path
        )


def test_a_request_is_served_through_each_of_them(generated, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(generated / "site"))
    monkeypatch.setenv("PLUGPORT_ACME_SOURCE_URL", "http://127.0.0.1:1")
    from acme_observer.conformance import Webhook
    from acme_source.conformance import FILES, Registry

    agent = tmp_path / "agent"
    agent.mkdir()
    with contextlib.ExitStack() as stack:
        webhook, registry = stack.enter_context(Webhook().serving()), stack.enter_context(Registry("t0k").serving())
        service = Service(
            tmp_path,
            PYTHONPATH=str(generated / "site"),
            PLUGPORT_ACME_SOURCE_URL=registry.url,
            PLUGPORT_ACME_SOURCE_TOKEN="t0k",
            PLUGPORT_ACME_POLICY_SCHEMES="acme-source",
            PLUGPORT_ACME_OBSERVER_URL=webhook.url,
        )
        stack.callback(service.stop)
        client, place = service.client, {"path": str(agent)}
        row = {"id": "w", "org": "acme", "backend": "acme-backend", "options": place}
        assert client.post("/workspaces", json=row).status_code == 201
        reply = client.post("/workspaces/w/plugins", json={"source": "acme-source://hello"})
        assert reply.status_code == 200, reply.text
        assert (agent / "plugins/hello/skills/hello/SKILL.md").read_bytes() == FILES["skills/hello/SKILL.md"]
        (listed,) = client.get("/workspaces/w/plugins").json()
        assert (listed["name"], listed["verified"]) == ("hello", True)
        refused = client.post("/workspaces/w/plugins", json={"source": "local://hello"})
        assert refused.json()["type"].endswith("plugin-not-allowed")
        assert client.delete("/workspaces/w/plugins/hello").status_code == 200
        assert not (agent / "plugins/hello").exists()
        for _ in range(100):
            if len(webhook.events) >= 3:
                break
            time.sleep(0.05)
        assert {"plugin.installed", "plugin.uninstalled"} <= {event["kind"] for event in webhook.events}
    (tmp_path / "code.py").write_text("log.info(f'found {name}')\n")
    (tmp_path / "pyproject.toml").write_text("[tool.plugport.lint]\n")
    linted = subprocess.run(
        [sys.executable, "-P", "-m", "plugport.lint_rules", "lint", "--no-cache", "code.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(generated / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "code.py:1:1: ALR001" in linted.stdout, linted.stdout + linted.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Acme", "small letters and digits"),
        ("acme_registry", "small letters and digits"),
        ("../acme", "small letters and digits"),
        ("1st", "small letters and digits"),
        ("import", "taken by Python or by plugport"),
        ("json", "taken by Python or by plugport"),
        ("plugport", "taken by Python or by plugport"),
        ("a" * 61, "small letters and digits"),
    ],
)
def test_an_unusable_name_is_refused_with_a_reason(tmp_path, name, message):
    completed = command(tmp_path, "new-provider", name, "--kind", "source", "--into", str(tmp_path))
    assert completed.returncode == 2
    assert message in completed.stderr
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "acme").mkdir()
    completed = command(tmp_path, "new-provider", "acme", "--kind", "policy", "--into", str(tmp_path))
    assert completed.returncode == 2
    assert "is there already" in completed.stderr
    assert list((tmp_path / "acme").iterdir()) == []


@pytest.mark.parametrize(
    ("direct_url", "requirement"),
    [
        (None, "plugport[conformance,lint]>="),
        (
            '{"url": "file:///srv/acme-registry/plugport"}',
            "plugport[conformance,lint] @ file:///srv/acme-registry/plugport",
        ),
        (
            '{"url": "https://example.org/plugport.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}',
            "plugport[conformance,lint] @ git+https://example.org/plugport.git@abc",
        ),
    ],
)
def test_its_tox_names_the_plugport_that_is_installed(monkeypatch, tmp_path, direct_url, requirement):
    class Installed:
        version = "1.2.3"

        def read_text(self, name):
            return direct_url

    monkeypatch.setattr(new_provider, "distribution", lambda name: Installed())
    monkeypatch.chdir(tmp_path)
    assert main(["new-provider", "acme-x", "--kind", "policy"]) == 0
    assert requirement in (tmp_path / "acme-x/tox.ini").read_text()
    assert 'dependencies = ["plugport>=1.2"]' in (tmp_path / "acme-x/pyproject.toml").read_text()
