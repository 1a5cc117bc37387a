"""docs/providers/ is followed as a reader would: every file is written, every command run, every recipe tried."""

from __future__ import annotations

import os
import re
import signal
import site
import socket
import stat
import subprocess
import sys
import textwrap
import urllib.request
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.tools import need_tool

from plugport.hookspecs import Action, PolicyRequest, Workspace
from plugport.hookspecs.conformance import BackendConformance, BackendUnderTest, DirectoryFilesystem, bundle_of
from plugport.hookspecs.providers import ProviderStatus, inspect_provider

PAGES = Path(__file__).resolve().parents[2] / "docs/providers"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[str, str]]:
    return BLOCK.findall((PAGES / page).read_text("utf-8"))


def files(page: str) -> dict[str, str]:
    """The blocks that begin with the name of a file."""
    named = [(text.partition("\n")[0], text) for kind, text in blocks(page) if kind == "python"]
    return {name.removeprefix("# "): text for name, text in named if name.startswith("# ")}


def _environment(folder: Path) -> dict[str, str]:
    """Make a virtual environment that has what this one has; the variables of a shell that uses it."""
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    (packages,) = (venv / "lib").glob("python*/site-packages")
    here = [*site.getsitepackages(), *(path for path in sys.path if path.endswith("site-packages"))]
    lines = [f"import site; site.addsitedir({path!r})" for path in dict.fromkeys(here)]
    (packages / "beside.pth").write_text("\n".join(lines) + "\n")
    script = venv / "bin/plugport"
    script.write_text(f"#!{venv}/bin/python\nfrom plugport.core.cli import main\nraise SystemExit(main())\n")
    script.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return os.environ | {
        "PATH": f"{venv}/bin{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "PLUGPORT_PORT": str(port),
        "PLUGPORT_URL": f"http://127.0.0.1:{port}",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }


def _commands(page: str) -> tuple[str, list[tuple[str, str]]]:
    """The page as a script that writes its files and calls its commands; each command with what it should print."""
    script: list[str] = ["exec 2>&1"]
    expected: list[tuple[str, str]] = []
    for kind, text in blocks(page):
        if kind == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                expected.append((command, shown))
                script += [f"echo '@@@{len(expected)}'", command]
        elif (name := text.partition("\n")[0]).startswith("# "):
            script += [f"cat > {name[2:]} <<'THE-FILE'\n{text}THE-FILE"]
    return "\n".join(script), expected


@pytest.fixture
def shell(tmp_path):
    """Runs a page's commands in a folder; what each should print, and what it prints."""
    bash, environment, work = need_tool("bash"), _environment(tmp_path), tmp_path / "work"
    work.mkdir()

    def follow(page: str) -> list[tuple[str, str, str]]:
        script, expected = _commands(page)
        process = subprocess.Popen(
            [bash, "-m", "-c", script],
            cwd=work,
            env=environment,
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        try:
            printed, _ = process.communicate(timeout=250)
        finally:
            for group in _sessions(process.pid):
                os.killpg(group, signal.SIGKILL)
        parts = re.split(r"^@@@\d+\n", printed, flags=re.MULTILINE)[1:]
        assert len(parts) == len(expected), printed
        return [(command, shown, said) for (command, shown), said in zip(expected, parts, strict=True)]

    return follow


def _sessions(leader: int) -> set[int]:
    """The process groups of that session that are left."""
    listed = subprocess.run(
        [need_tool("ps"), "-e", "-o", "sess=,pgid="], capture_output=True, text=True, check=False
    ).stdout
    processes = (line.split() for line in listed.splitlines())
    return {int(group) for session, group in processes if int(session) == leader}


def fits(shown: str, said: str) -> bool:
    """A line `…` stands for any lines, `…` within a line for anything there."""
    lines = [r"(.*\n)*" if line.strip() == "…" else _line(line) for line in shown.splitlines(True)]
    return re.fullmatch("".join(lines), said) is not None


def _line(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.split("…"))


@pytest.mark.slow
def test_the_tutorial_leads_to_a_request_that_is_served(shell):
    for command, shown, said in shell("tutorial.md"):
        assert fits(shown, said), f"$ {command}\n{said}"


def test_the_page_of_the_kit_is_followed(shell):
    for command, shown, said in shell("conformance.md"):
        assert fits(shown, said), f"$ {command}\n{said}"


def test_the_kits_example_is_a_test_that_passes(tmp_path):
    ((name, text),) = files("conformance.md").items()
    (tmp_path / Path(name).name).write_text(text)
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [
        sys.executable,
        "-P",
        "-m",
        "pytest",
        "-q",
        "-c",
        os.devnull,
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "57 passed" in done.stdout


def module(name: str) -> ModuleType:
    """A recipe's module."""
    made = ModuleType(name.removesuffix(".py"))
    exec(compile(files("recipes.md")[name], name, "exec"), made.__dict__)
    return made


class TestKubernetesRecipe(BackendConformance):
    """The recipe, with a kubectl that runs the command here."""

    @pytest.fixture
    def under_test(self, tmp_path, monkeypatch):
        tools, config = tmp_path / "tools", tmp_path / "configs"
        tools.mkdir()
        config.mkdir()
        kubectl = tools / "kubectl"
        kubectl.write_text(
            textwrap.dedent(
                f"""\
                #!/bin/sh
                [ -e {tmp_path}/no-cluster ] && {{ echo 'Unable to connect: token=secret' >&2; exit 1; }}
                case $1 in
                get) [ "$3" = w ] && printf Running; exit 0 ;;
                exec) while [ "$1" != -- ]; do shift; done; shift; exec "$@" ;;
                esac
                """
            )
        )
        kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)

        class NoCluster:
            def __enter__(self):
                (tmp_path / "no-cluster").touch()

            def __exit__(self, *args):
                (tmp_path / "no-cluster").unlink()

        return BackendUnderTest(
            module("kubernetes_backend.py").provider,
            Workspace("w", backend="kubernetes", options={"pod": "w", "config_dir": str(config)}),
            DirectoryFilesystem(config, owned=os.geteuid() == 0),
            stopped=Workspace("s", backend="kubernetes", options={"pod": "s"}),
            unreachable=NoCluster,
        )


def test_the_policys_recipe_asks_with_the_digest(tmp_path, monkeypatch):
    recipe: Any = module("gatekeeper_policy.py")
    assert inspect_provider(recipe, "gatekeeper").status is ProviderStatus.LOADED
    bundle, asked = bundle_of(tmp_path, "p", {"a": b"1"}), []
    recipe.url = "http://gatekeeper"

    class Reply:
        def __init__(self, url, timeout):
            asked.append(url)

        def __enter__(self):
            return self

        def __exit__(self, *args):
            return None

        def read(self):
            return b"yes" if len(asked) == 1 else b"no"

    monkeypatch.setattr(urllib.request, "urlopen", Reply)
    request = PolicyRequest(Action.INSTALL, Workspace("w"), None, "admin")
    assert recipe.check_policy(request) is None
    after = PolicyRequest(Action.INSTALL, Workspace("w"), None, "admin", bundle)
    assert recipe.check_policy(after) is None
    assert "is not approved" in recipe.check_policy(after).reason
    assert asked[0] == f"http://gatekeeper/approved?digest={bundle.digest.replace(':', '%3A')}"


def test_every_block_of_the_recipes_is_tried():
    assert set(files("recipes.md")) == {"kubernetes_backend.py", "gatekeeper_policy.py"}
    assert len(blocks("recipes.md")) == 2


def test_the_target_for_an_account_of_ones_own_is_one(monkeypatch):
    """Its whole run takes an instance; this one is of the page on ec2."""
    page = (PAGES.parent / "backends/ec2.md").read_text("utf-8")
    (text,) = [text for kind, text in BLOCK.findall(page) if kind == "python"]
    made = ModuleType("ec2_target")
    exec(compile(text, "ec2_target.py", "exec"), made.__dict__)
    monkeypatch.setenv("INSTANCE_ID", "i-0123456789abcdef0")
    with made.target() as target:
        assert isinstance(target, BackendUnderTest)
        assert target.workspace.instance_id == "i-0123456789abcdef0"
