"""Containers as people have them: why a command cannot be started there, and agents without privileges."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
from typing import Any

import pytest
from support.root_filesystems import NAMES

from plugport.hookspecs import Question, Removal, Seen, SeenState, TargetQuery, Workspace, errors
from plugport.hookspecs.conformance import bundle_of

NUMBERS = itertools.count()
FILES = {"plugin.yaml": b"name: p\n", "docs/a.md": b"a", "run.sh": b"#!/bin/sh\n"}
WITHOUT: dict[str, Any] = {"cap_drop": ["ALL"]}
DENIES: dict[str, Any] = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO", "args": []}],
}


@pytest.fixture
def container(engine):
    """Starts a container, gives its workspace, and removes it."""
    made = []

    def start(image: str = "shelled:1", **options) -> Workspace:
        name = f"t{next(NUMBERS)}"
        made.append(engine.run(name, image, **options))
        return Workspace(name, backend="docker", container=name)

    yield start
    for started in made:
        engine.client.api.remove_container(started, force=True)


def seccomp(*calls: str) -> list[str]:
    """Return the option that denies these system calls."""
    profile = json.loads(json.dumps(DENIES))
    profile["syscalls"][0]["names"] = list(calls)
    return [f"seccomp={json.dumps(profile)}"]


@pytest.mark.parametrize("root", NAMES)
async def test_a_plugin_goes_into_every_kind_of_image_and_out_again(engine, backend, container, tmp_path, root):
    workspace = container(engine.image_of(root))
    bundle = bundle_of(tmp_path / "1", "p", FILES, frozenset({"run.sh"}))
    assert (await backend.deliver(workspace, bundle)).digest == bundle.digest
    engine.shell(workspace.container_name, "printf mine >/configs/plugins/p/docs/a.md")
    new = bundle_of(tmp_path / "2", "p", {"plugin.yaml": b"name: p\n"})
    assert (await backend.deliver(workspace, new)).kept_files == ("plugins/p/docs/a.md",)
    assert [plugin.digest for plugin in await backend.list_installed(workspace)] == [new.digest]
    await backend.uninstall(workspace, Removal("p"))
    assert await backend.list_installed(workspace) == []


# Why a command cannot be started.


async def test_a_container_whose_working_directory_is_gone_is_served_and_so_is_its_image(
    engine, backend, container, tmp_path
):
    bundle = bundle_of(tmp_path, "p", FILES)
    gone, whole = container(working_dir="/work"), container()
    engine.client.api.exec_start(engine.client.api.exec_create(gone.container_name, ["rmdir", "/work"])["Id"])
    for workspace in (gone, whole):
        assert (await backend.deliver(workspace, bundle)).digest == bundle.digest
        await backend.uninstall(workspace, Removal("p"))


async def test_a_full_memory_is_no_missing_shell(engine, backend, container, tmp_path):
    bundle = bundle_of(tmp_path, "p", FILES)
    options = {"mem_limit": "8m", "memswap_limit": "8m", "tmpfs": {"/full": ""}}
    full, whole = container(**options), container()
    name = full.container_name
    api = engine.client.api
    api.exec_start(api.exec_create(name, ["dd", "if=/dev/zero", "of=/full/x", "bs=64k"])["Id"])
    with pytest.raises((errors.DeliveryFailed, errors.WorkspaceNotRunning), match=r"137|not run"):
        await backend.deliver(full, bundle)
    with pytest.raises((errors.BackendUnavailable, errors.WorkspaceNotRunning)):
        await backend.list_installed(full)
    assert (await backend.deliver(whole, bundle)).digest == bundle.digest
    await backend.uninstall(whole, Removal("p"))
    api.update_container(name, mem_limit="64m", memswap_limit="64m")
    api.start(name)
    assert (await backend.deliver(full, bundle)).digest == bundle.digest
    await backend.uninstall(full, Removal("p"))


@pytest.mark.parametrize("path", ["/nowhere", "relative", "/bin/sh"])
async def test_a_container_with_a_path_of_its_own_is_served(engine, backend, container, tmp_path, path):
    workspace, bundle = container(environment={"PATH": path}), bundle_of(tmp_path, "p", FILES)
    assert (await backend.deliver(workspace, bundle)).digest == bundle.digest
    await backend.uninstall(workspace, Removal("p"))
    assert await backend.list_installed(workspace) == []


async def test_a_shell_that_the_container_deleted_is_not_missing_in_its_image(
    engine, backend, container, tmp_path, caplog
):
    bundle = bundle_of(tmp_path, "p", FILES)
    without, covered, whole = container(), container(tmpfs={"/usr/bin": ""}), container()
    engine.shell(without.container_name, "rm /bin/sh")
    await backend.deliver(without, bundle)
    with pytest.raises(errors.UnsupportedTarget):
        await backend.uninstall(without, Removal("p"))
    for workspace in (covered, whole):
        await backend.deliver(workspace, bundle)
        await backend.uninstall(workspace, Removal("p"))
    assert "has no shell" not in caplog.text


async def test_a_shell_that_cannot_be_started_is_a_failure_and_no_missing_shell(engine, backend, container, tmp_path):
    image, bundle = engine.image_of("busybox-default"), bundle_of(tmp_path, "p", FILES)
    broken, whole = container(image), container(image)
    engine.shell(broken.container_name, "rm /bin/sh && echo x >/bin/sh")
    with pytest.raises(errors.DeliveryFailed, match="cannot be started"):
        await backend.deliver(broken, bundle)
    assert (await backend.deliver(whole, bundle)).digest == bundle.digest


async def test_an_image_without_a_shell_is_remembered_and_logged_once(
    engine, backend, container, tmp_path, caplog, monkeypatch
):
    bundle = bundle_of(tmp_path, "p", FILES)
    await backend.deliver(container("bare:1"), bundle)
    assert caplog.text.count("has no shell") == 1
    calls = []
    api = backend.engine.deliveries.api()
    real = api.exec_create
    monkeypatch.setattr(api, "exec_create", lambda *args, **named: (calls.append(args), real(*args, **named))[1])
    await backend.deliver(container("bare:1"), bundle)
    assert calls == []
    assert caplog.text.count("has no shell") == 1


@pytest.mark.parametrize("calls", [("fchownat", "chown", "lchown", "fchown"), ("clone", "clone3", "fork", "vfork")])
async def test_a_denied_system_call_is_no_missing_shell(engine, backend, container, tmp_path, calls):
    bundle = bundle_of(tmp_path, "p", FILES)
    denied, whole = container(security_opt=seccomp(*calls)), container()
    if calls[0] == "clone":
        with pytest.raises(errors.DeliveryFailed, match="fork"):
            await backend.deliver(denied, bundle)
    else:  # the owner needs to give nothing away
        assert (await backend.deliver(denied, bundle)).digest == bundle.digest
        assert _owners(engine, denied) == {"1000:1000"}
    assert (await backend.deliver(whole, bundle)).digest == bundle.digest
    await backend.uninstall(whole, Removal("p"))


async def test_a_container_that_restarts_is_no_missing_shell(engine, backend, tmp_path):
    bundle, api = bundle_of(tmp_path, "p", FILES), engine.client.api
    name = f"t{next(NUMBERS)}"
    made = engine.client.containers.run(
        "shelled:1",
        ["/bin/sh", "-c", "sleep 0.4; exit 1"],
        name=name,
        detach=True,
        network_mode="none",
        restart_policy={"Name": "always"},
    )
    workspace = Workspace(name, backend="docker", container=name)
    try:
        for _ in range(8):
            with contextlib.suppress(errors.DeliveryFailed, errors.WorkspaceNotRunning, errors.BackendUnavailable):
                await backend.deliver(workspace, bundle)
    finally:
        api.remove_container(made.id, force=True)
    other = f"t{next(NUMBERS)}"
    engine.run(other)
    await backend.deliver(Workspace(other, backend="docker", container=other), bundle)
    await backend.uninstall(Workspace(other, backend="docker", container=other), Removal("p"))
    api.remove_container(other, force=True)


# Agents without privileges.


def _owners(engine, workspace, folder: str = "/configs/plugins") -> set[str]:
    listed = engine.shell(workspace.container_name, f"find {folder} -exec ls -dn {{}} +")
    return {":".join(line.split()[2:4]) for line in listed.splitlines()}


UNPRIVILEGED: dict[str, dict[str, Any]] = {
    "cap_drop": WITHOUT,
    "user": {**WITHOUT, "user": "1000:1000"},
    "read-only": {**WITHOUT, "read_only": True, "tmpfs": {"/configs": "uid=1000,gid=1000,mode=755"}},
    "no-new-privileges": {**WITHOUT, "security_opt": ["no-new-privileges"], "user": "1000"},
    "all": {
        **WITHOUT,
        "read_only": True,
        "user": "1000:1000",
        "security_opt": ["no-new-privileges"],
        "tmpfs": {"/configs": "uid=1000,gid=1000,mode=700"},
    },
}


@pytest.mark.parametrize("kind", UNPRIVILEGED)
@pytest.mark.parametrize("root", ["shelled", "toybox-dash", "debian-dash"])
async def test_an_agent_without_privileges_gets_its_plugin(engine, backend, container, tmp_path, kind, root):
    image = "shelled:1" if root == "shelled" else engine.image_of(root)
    workspace = container(image, **UNPRIVILEGED[kind])
    bundle = bundle_of(tmp_path / "1", "p", FILES, frozenset({"run.sh"}))
    assert (await backend.deliver(workspace, bundle)).digest == bundle.digest
    assert _as_agent(engine, workspace, "find /configs/plugins ! -user 1000 | head -n 1") == ""
    _as_agent(engine, workspace, "umask 077; printf mine >/configs/plugins/p/docs/a.md; printf x >/configs/secret")
    new = bundle_of(tmp_path / "2", "p", {"plugin.yaml": b"name: p\nversion: 2\n"})
    assert (await backend.deliver(workspace, new)).kept_files == ("plugins/p/docs/a.md",)
    (plugin,) = await backend.list_installed(workspace)
    assert (plugin.digest, plugin.manifest) == (new.digest, "name: p\nversion: 2\n")
    state = await backend.inspect_target(workspace, TargetQuery((), contents=("secret",)))
    assert state.paths["secret"].content == b"x"
    question = Question(("touch", "/configs/asked"), lambda answer: Seen(SeenState.UNKNOWN, str(answer)))
    assert (await backend.ask(workspace, question)).exit_code == 0
    assert _owners(engine, workspace, "/configs/asked") == {"1000:1000"}
    await backend.uninstall(workspace, Removal("p"))
    assert await backend.list_installed(workspace) == []


def _as_agent(engine, workspace, line: str) -> str:
    api = engine.client.api
    made = api.exec_create(workspace.container_name, ["sh", "-c", line], user="1000:1000", workdir="/")
    return bytes(api.exec_start(made["Id"])).decode()


async def test_a_config_dir_of_root_stays_roots_where_root_can_give_nothing_away(
    engine, backend, container, tmp_path
):
    image = engine.image_of("debian-dash")
    workspace = container(image, tmpfs={"/configs": "mode=755"}, **WITHOUT)
    bundle = bundle_of(tmp_path, "p", FILES)
    for _ in range(2):
        assert (await backend.deliver(workspace, bundle)).digest == bundle.digest
    assert _owners(engine, workspace) == {"0:0"}
    await backend.uninstall(workspace, Removal("p"))


async def test_a_delivery_that_cannot_write_leaves_nothing_of_another_owner(engine, backend, container, tmp_path):
    image = engine.image_of("debian-dash")
    options = {"security_opt": seccomp("fchownat", "chown", "lchown", "fchown")}
    workspace = container(image, tmpfs={"/configs": "mode=755"}, **options)
    with pytest.raises(errors.DeliveryFailed, match="cannot be given to its owner") as caught:
        await backend.deliver(workspace, bundle_of(tmp_path, "p", FILES))
    assert type(caught.value) is errors.DeliveryFailed
    assert engine.shell(workspace.container_name, "ls -A /configs") == ""


async def test_what_root_delivered_is_updated_by_the_owner(engine, backend, container, tmp_path):
    """A container that lost its privileges when it was made anew, with the same volume."""
    folder = tmp_path / "configs"
    folder.mkdir()
    folder.chmod(0o755)
    os.chown(folder, 1000, 1000)
    volume = {str(folder): {"bind": "/configs", "mode": "rw"}}
    old, new = (bundle_of(tmp_path / word, "p", {"a": word.encode()}) for word in ("old", "new"))
    await backend.deliver(container(volumes=volume), old)
    receipt = await backend.deliver(container(volumes=volume, **WITHOUT), new)
    assert (receipt.digest, receipt.kept) == (new.digest, ())
    assert {path.lstat().st_uid for path in folder.rglob("*")} == {1000}


async def test_a_directory_that_gets_another_owner_is_written_as_that_one(engine, backend, container, tmp_path):
    folder = tmp_path / "configs"
    folder.mkdir()
    os.chown(folder, 1000, 1000)
    workspace = container(volumes={str(folder): {"bind": "/configs", "mode": "rw"}}, **WITHOUT)
    await backend.deliver(workspace, bundle_of(tmp_path / "1", "p", FILES))
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 2000, 2000)
    await backend.deliver(workspace, bundle_of(tmp_path / "2", "p", {"a": b"2"}))
    assert {path.lstat().st_uid for path in folder.rglob("*")} == {2000}
