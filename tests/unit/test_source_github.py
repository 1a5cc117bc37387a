"""The source github://, with git and a local bare repository."""

from __future__ import annotations

import asyncio
import logging
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.tools import need_tool

from plugport.builtin_backends.sources.github import GithubSource, RepositoryRef
from plugport.core.api import problems
from plugport.hookspecs import ServiceSettings, Source, StartupContext, errors

ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.invalid",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.invalid",
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
}


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [need_tool("git"), *arguments], cwd=folder, env=ENVIRONMENT, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


async def _git_beside(folder: Path, *arguments: str) -> str:
    return await asyncio.to_thread(_git, folder, *arguments)


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A base folder with the bare repository acme/greeter: main, the tag v1, and an older commit."""
    work = tmp_path / "work"
    work.mkdir()
    _git(work, "init", "-q", "-b", "main")
    (work / "plugin.yaml").write_text("name: greeter\nversion: 1\n")
    (work / "run.sh").write_text("#!/bin/sh\n")
    (work / "run.sh").chmod(0o755)
    _git(work, "add", ".")
    _git(work, "commit", "-q", "-m", "one")
    _git(work, "tag", "-a", "v1", "-m", "v1")
    (work / "plugin.yaml").write_text("name: greeter\nversion: 2\n")
    _git(work, "commit", "-q", "-a", "-m", "two")
    base = tmp_path / "remotes"
    (base / "acme").mkdir(parents=True)
    bare = base / "acme" / "greeter.git"
    _git(tmp_path, "clone", "-q", "--bare", str(work), str(bare))
    _git(bare, "config", "uploadpack.allowAnySHA1InWant", "true")
    return base


def _source(base: object, **service: Any) -> GithubSource:
    provider = GithubSource()
    context = StartupContext(
        provider="github",
        settings={"base_url": str(base)},
        service=ServiceSettings("/nonexistent", **service),
        store=None,
        audit=None,
        logger=logging.getLogger("test"),
        wait=None,
    )
    provider.startup(context)
    return provider


async def _fetch(provider: GithubSource, spec: str, destination: Path):
    destination.mkdir()
    return await provider.resolve_source(Source("github", spec), destination)


@pytest.mark.parametrize(("ref", "version"), [("v1", "1"), ("main", "2")])
async def test_a_tag_and_a_branch_pin(remote, tmp_path, ref, version):
    resolved = await _fetch(_source(f"file://{remote}"), f"acme/greeter#{ref}", tmp_path / "out")
    assert f"version: {version}" in (tmp_path / "out" / "plugin.yaml").read_text()
    assert resolved.name is None
    assert len(resolved.revision) == 40
    assert not (tmp_path / "out" / ".git").exists()
    assert (tmp_path / "out" / "run.sh").stat().st_mode & 0o111


async def test_a_full_commit_pins(remote, tmp_path):
    commit = await _git_beside(remote / "acme" / "greeter.git", "rev-parse", "main~1")
    resolved = await _fetch(_source(f"file://{remote}"), f"acme/greeter#{commit}", tmp_path / "out")
    assert resolved.revision == commit
    assert "version: 1" in (tmp_path / "out" / "plugin.yaml").read_text()


async def test_an_unpinned_source_is_refused_unless_that_is_allowed(remote, tmp_path):
    with pytest.raises(errors.UnpinnedSource):
        await _fetch(_source(f"file://{remote}"), "acme/greeter", tmp_path / "one")
    allowed = _source(f"file://{remote}", allow_unpinned=True)
    assert len((await _fetch(allowed, "acme/greeter", tmp_path / "two")).revision) == 40


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("acme/greeter#--upload-pack=touch x", "bad-ref"),
        ("acme/greeter#-x", "bad-ref"),
        ("acme/greeter#", "bad-ref"),
        ("acme/greeter#a..b", "bad-ref"),
        ("acme/greeter#a b", "bad-ref"),
        ("acme/greeter#x.lock", "bad-ref"),
        ("acme/greeter#a^{tree}", "bad-ref"),
        ("acme/greeter#:x", "bad-ref"),
        ("acme", "bad-repository"),
        ("acme/..#v1", "bad-repository"),
        ("../acme/greeter#v1", "bad-repository"),
        ("-acme/greeter#v1", "bad-repository"),
        ("acme/gre eter#v1", "bad-repository"),
        ("acme/a/b#v1", "bad-repository"),
        ("https:acme/greeter#v1", "bad-repository"),
    ],
)
def test_a_bad_spec_is_refused_with_the_fault_named(spec, fault):
    with pytest.raises(errors.InvalidSource) as caught:
        RepositoryRef.parse(spec)
    assert caught.value.members["fault"] == fault


@pytest.mark.parametrize("spec", ["acme/absent#v1", "acme/greeter#absent", f"acme/greeter#{'0' * 40}"])
async def test_what_is_not_there_is_not_found_and_gits_words_stay_here(remote, tmp_path, spec):
    with pytest.raises(errors.PluginNotFound) as caught:
        await _fetch(_source(f"file://{remote}"), spec, tmp_path / "out")
    document = problems.document(errors.PluginNotFound(caught.value.reason, scheme="github"), "id")
    assert document["detail"] == "failed to fetch plugin from github"
    assert str(remote) not in str(document)
    assert caught.value.reason


async def test_a_remote_that_fails_is_unavailable(tmp_path):
    with pytest.raises(errors.SourceUnavailable):
        await _fetch(_source("http://127.0.0.1:9"), "acme/greeter#v1", tmp_path / "out")


async def test_a_fetch_that_takes_too_long_is_ended(remote, tmp_path):
    with pytest.raises(errors.SourceTimeout):
        await _fetch(_source(f"file://{remote}", fetch_timeout=0.001), "acme/greeter#v1", tmp_path / "out")


async def test_a_link_in_a_repository_copies_nothing_of_this_machine(remote, tmp_path):
    from plugport.core.pipeline.tree_check import check_tree

    work = tmp_path / "work"
    (work / "stolen").symlink_to("/etc/passwd")
    await _git_beside(work, "add", ".")
    await _git_beside(work, "commit", "-q", "-m", "link")
    await _git_beside(work, "push", "-q", str(remote / "acme" / "greeter.git"), "main")
    await _fetch(_source(f"file://{remote}"), "acme/greeter#main", tmp_path / "out")
    assert (tmp_path / "out" / "stolen").is_symlink()
    with pytest.raises(errors.UnsafeBundle):
        check_tree(tmp_path / "out", max_bytes=10**6, max_files=100)


async def test_a_repository_without_a_manifest_is_named_by_itself(remote, tmp_path):
    work = tmp_path / "work"
    await _git_beside(work, "rm", "-q", "plugin.yaml")
    await _git_beside(work, "commit", "-q", "-m", "none")
    await _git_beside(work, "push", "-q", str(remote / "acme" / "greeter.git"), "main")
    resolved = await _fetch(_source(f"file://{remote}"), "acme/greeter#main", tmp_path / "out")
    assert resolved.name == "greeter"
