"""The built-in sources, held to the kit that everybody's are held to."""

from __future__ import annotations

import contextlib
import os
import subprocess

import pytest
from support.git_http import GitServer
from support.tools import need_tool

from plugport.builtin_backends.sources.github import GithubSource
from plugport.builtin_backends.sources.local import LocalSource
from plugport.hookspecs import ServiceSettings, Source
from plugport.hookspecs.conformance import SourceConformance, SourceUnderTest

FILES = {"plugin.yaml": b"name: greeter\n", "run.sh": b"#!/bin/sh\n", "a b/\u00e9.md": b"x\r\n", "empty": b""}


def fill(folder):
    for path, content in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / "run.sh").chmod(0o755)


class TestLocal(SourceConformance):
    @pytest.fixture
    def under_test(self, tmp_path_factory):
        registry = tmp_path_factory.mktemp("registry")
        fill(registry / "greeter")

        @contextlib.contextmanager
        def unreadable():
            greeter = registry / "greeter"
            greeter.rename(registry / "aside")
            greeter.symlink_to("greeter")
            try:
                yield
            finally:
                greeter.unlink()
                (registry / "aside").rename(greeter)

        return SourceUnderTest(
            LocalSource(),
            Source("local", "greeter"),
            FILES,
            frozenset({"run.sh"}),
            name="greeter",
            service=ServiceSettings(plugins_dir=str(registry)),
            absent=Source("local", "nobody"),
            malformed=("../greeter", "/etc", "a/b", ".hidden", "greeter\n", ""),
            unreachable=unreadable,
            change=lambda: (registry / "greeter/empty").write_bytes(b"full"),
        )


class TestGithub(SourceConformance):
    @pytest.fixture
    def under_test(self, tmp_path_factory):
        folder = tmp_path_factory.mktemp("git")
        work, root = folder / "work", folder / "root"
        fill(work)
        names = {f"GIT_{who}_{what}": "a@b.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

        git_program = need_tool("git")

        def git(*arguments):
            subprocess.run(
                [git_program, *arguments], cwd=work, env=os.environ | names, check=True, capture_output=True
            )

        def change():
            (work / "empty").write_bytes(b"full")
            git("commit", "-qam", "two")
            git("push", "-q", str(root / "acme/greeter.git"), "main")

        git("init", "-q", "-b", "main")
        git("add", ".")
        git("commit", "-qm", "one")
        git("clone", "-q", "--bare", ".", str(root / "acme/greeter.git"))
        with GitServer(root).running() as server:
            yield SourceUnderTest(
                GithubSource(),
                Source("github", "acme/greeter#main"),
                FILES,
                frozenset({"run.sh"}),
                settings={"base_url": server.url},
                absent=Source("github", "acme/nobody#main"),
                malformed=("acme", "acme/greeter#", "acme/greeter#-x", "acme/../greeter#v1", "acme/greeter", ""),
                unreachable=server.down,
                change=change,
            )
