"""`plugport demo`: it ends with ok, and says what a simulated instance needs."""

from __future__ import annotations

import os
import shutil

import pytest
from support.third_party import command

from plugport.builtin_backends.ec2.simulator.ssh_host import SshHost, SshHostUnavailable
from plugport.core.cli.demo import DemoFailed, instance


def test_the_demo_ends_with_ok(tmp_path):
    completed = command(tmp_path, "demo")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert completed.stdout.splitlines()[-1].startswith("demo: ok")


def test_a_simulated_instance_names_the_extra_that_is_missing(tmp_path):
    (tmp_path / "moto.py").write_text("raise ModuleNotFoundError('No module named moto', name='moto')\n")
    completed = command(tmp_path, "demo", "--ec2")
    assert completed.returncode == 1
    assert completed.stdout == "demo: failed: the simulator needs moto: pip install 'plugport[simulator]'\n"


def test_a_simulated_instance_names_the_program_that_is_missing(monkeypatch):
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, **options: None if name == "sshd" else which(name, **options))
    with pytest.raises(SshHostUnavailable, match=r"sshd is not installed .*openssh-server"):
        SshHost()


def test_a_simulator_that_is_not_registered_is_reported(monkeypatch):
    monkeypatch.setattr(instance, "entry_points", lambda **_: ())
    with pytest.raises(DemoFailed, match="no simulator of EC2 is installed"), instance.simulated_instance():
        pass


FAKE_CLAUDE = """#!/bin/sh
[ "$*" = "plugin list --json" ] || exit 2
[ -e "$HOME/.claude/skills/greeter/.claude-plugin/plugin.json" ] || { echo '[]'; exit; }
echo '[{"id": "greeter@skills-dir", "name": "greeter", "enabled": true, "installPath": "/x/skills/greeter"}]'
"""


def test_an_agent_shows_its_own_list(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/claude").write_text(FAKE_CLAUDE)
    (tmp_path / "bin/claude").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    completed = command(tmp_path, "demo", "--agent", "claude-code")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert "$ claude plugin list --json" in completed.stdout
    assert "greeter@skills-dir" in completed.stdout
    assert completed.stdout.splitlines()[-1].startswith("demo: ok")


def test_an_agent_that_is_not_installed_is_named(tmp_path):
    completed = command(tmp_path, "demo", "--agent", "no-such-layout")
    assert completed.returncode == 1
    assert completed.stdout.splitlines()[-1].startswith("demo: failed: there is no layout no-such-layout; there are:")
