"""The docker backend on a real engine: delivery, list, uninstall and restart; targets of every kind."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import tarfile

import pytest
from support.mounts import tmpfs

from plugport.builtin_backends.docker.running import container_state
from plugport.builtin_backends.shell import ShellTarget
from plugport.core.pipeline.footprint import footprint_of
from plugport.core.pipeline.removal import removal_of
from plugport.hookspecs import Removal, RunState, TargetQuery, Workspace, errors
from plugport.hookspecs.conformance import bundle_of

NUMBERS = itertools.count()
DIGEST = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum | cut -d' ' -f1"
FILES = {"plugin.yaml": b"name: p\nversion: 1\n", "a b/c'd.md": b"odd", "-dash": b"x", "run.sh": b"#!/bin/sh\n"}


@pytest.fixture
def container(engine):
    """Starts a container, gives its workspace, and removes it: `container("shelled:1", tmpfs=…)`."""
    made = []

    def start(image: str = "shelled:1", **options) -> Workspace:
        name = f"c{next(NUMBERS)}"
        made.append(engine.run(name, image, **options))
        return Workspace(name, backend="docker", container=name)

    yield start
    for started in made:
        engine.client.api.remove_container(started, force=True)


def _tree(engine, workspace, folder="/configs/plugins/p"):
    return engine.shell(workspace.container_name, f"cd {folder} && {DIGEST}").strip()


_OWN = {".:", ".plugport", ".plugport/staging:"}


def _left(engine, workspace):
    """What lies in `plugins`; of plugport's own folder only what a delivery left there."""
    lines = "cd /configs/plugins && ls -A . .plugport/staging 2>/dev/null || :"
    return [word for word in engine.shell(workspace.container_name, lines).split() if word not in _OWN]


async def test_what_is_delivered_is_seen_in_the_container(engine, backend, container, tmp_path):
    workspace = container()
    bundle = bundle_of(tmp_path, "p", FILES, frozenset({"run.sh"}))
    receipt = await backend.deliver(workspace, bundle)
    assert receipt.digest == bundle.digest == f"sha256:{_tree(engine, workspace)}"
    modes = engine.shell(
        workspace.container_name, "cd /configs/plugins/p && stat -c '%u:%g %a %n' . run.sh plugin.yaml"
    )
    assert modes.splitlines() == ["1000:1000 755 .", "1000:1000 755 run.sh", "1000:1000 644 plugin.yaml"]
    assert _left(engine, workspace) == ["p"]


async def test_an_update_leaves_no_stale_file(engine, backend, container, tmp_path):
    workspace = container()
    await backend.deliver(workspace, bundle_of(tmp_path / "1", "p", {"old": b"1", "both": b"1"}))
    new = bundle_of(tmp_path / "2", "p", {"new": b"2", "both": b"2"})
    await backend.deliver(workspace, new)
    assert engine.shell(workspace.container_name, "ls /configs/plugins/p").split() == ["both", "new"]
    assert _left(engine, workspace) == ["p"]


async def test_a_delivery_is_one_command_and_no_upload(engine, backend, container, tmp_path, monkeypatch):
    workspace = container()
    bundle = bundle_of(tmp_path, "p", FILES)
    await backend.deliver(workspace, bundle)
    api, seen = backend.engine.deliveries.api(), []
    for name in ("exec_create", "put_archive", "get_archive"):
        real = getattr(api, name)
        monkeypatch.setattr(
            api, name, lambda *args, _name=name, _real=real, **named: (seen.append(_name), _real(*args, **named))[1]
        )
    await backend.deliver(workspace, bundle)
    assert seen == ["exec_create"]
    seen.clear()
    await backend.list_installed(workspace)
    assert seen == ["exec_create"]


async def test_a_tmpfs_target_is_delivered_and_seen(engine, backend, container, tmp_path):
    workspace = container(tmpfs={"/configs": ""})
    bundle = bundle_of(tmp_path, "p", FILES)
    receipt = await backend.deliver(workspace, bundle)
    assert receipt.digest == f"sha256:{_tree(engine, workspace)}"
    with pytest.raises(errors.UnsupportedTarget):
        await backend.restart(workspace)
    assert receipt.digest == f"sha256:{_tree(engine, workspace)}"


@pytest.mark.parametrize("kind", ["root", "bind", "missing", "file"])
async def test_a_target_that_takes_nothing_is_a_typed_error(engine, backend, container, tmp_path, kind):
    options: dict[str, object] = {}
    config = "/configs"
    if kind == "root":
        options = {"read_only": True}
    elif kind == "bind":
        (tmp_path / "bound").mkdir()
        options = {"volumes": {str(tmp_path / "bound"): {"bind": "/configs", "mode": "ro"}}}
    else:
        config = "/absent/deep" if kind == "missing" else "/bin/busybox"
    made = container(**options)
    workspace = Workspace(made.id, backend="docker", container=made.container, options={"config_dir": config})
    with pytest.raises(errors.DeliveryFailed) as caught:
        await backend.deliver(workspace, bundle_of(tmp_path, "p", FILES))
    assert type(caught.value) is errors.DeliveryFailed
    assert caught.value.reason


async def test_a_full_target_keeps_the_old_version(engine, backend, container, tmp_path):
    small = tmp_path / "small"
    with tmpfs(small, "size=1m"):
        workspace = container(volumes={str(small): {"bind": "/configs", "mode": "rw"}})
        old = bundle_of(tmp_path / "1", "p", {"a": b"old"})
        await backend.deliver(workspace, old)
        with pytest.raises(errors.DeliveryFailed):
            await backend.deliver(workspace, bundle_of(tmp_path / "2", "p", {"a": b"x" * 3_000_000}))
        assert f"sha256:{_tree(engine, workspace)}" == old.digest
        assert _left(engine, workspace) == ["p"]


async def test_an_image_without_a_shell_gets_its_plugin_by_one_archive(engine, backend, container, tmp_path):
    workspace = container("bare:1")
    old = bundle_of(tmp_path / "1", "p", {"a": b"old"})
    new = bundle_of(tmp_path / "2", "p", {"a": b"new"})
    other = bundle_of(tmp_path / "3", "q", {"b": b"1"})
    assert await backend.list_installed(workspace) == []
    for bundle in (old, new, other):
        assert (await backend.deliver(workspace, bundle)).digest == bundle.digest
    plugins = await backend.list_installed(workspace)
    assert [(plugin.name, plugin.digest) for plugin in plugins] == [("p", new.digest), ("q", other.digest)]
    _, status = engine.client.api.get_archive(workspace.container_name, "/configs/plugins/p")
    assert status["linkTarget"].endswith(f"plugins/.plugport/store/{new.digest.removeprefix('sha256:')}")
    mark, _ = engine.client.api.get_archive(workspace.container_name, "/configs/plugins/.plugport/managed/p")
    assert f"plugport 1\ndigest {new.digest.removeprefix('sha256:')}\n".encode() in b"".join(mark)
    with pytest.raises(errors.UnsupportedTarget):
        await backend.uninstall(workspace, Removal("p"))
    with pytest.raises(errors.UnsupportedTarget):
        await backend.inspect_target(workspace, TargetQuery(("CLAUDE.md",)))


async def test_what_the_first_release_delivered_without_a_shell_is_understood(engine, backend, container, tmp_path):
    workspace = container("bare:1")
    first, new = bundle_of(tmp_path / "1", "p", {"a": b"old"}), bundle_of(tmp_path / "2", "q", {"b": b"1"})
    index = json.dumps({"p": {"digest": first.digest, "manifest": {}}}).encode()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as writer:
        for path, content in {"configs/plugins/.store/index.json": index}.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            writer.addfile(member, io.BytesIO(content))
    engine.client.api.put_archive(workspace.container_name, "/", archive.getvalue())
    assert [plugin.digest for plugin in await backend.list_installed(workspace)] == [first.digest]
    await backend.deliver(workspace, new)
    plugins = await backend.list_installed(workspace)
    assert [(plugin.name, plugin.digest) for plugin in plugins] == [("p", first.digest), ("q", new.digest)]


async def test_a_shell_without_a_tool_gets_its_plugin_by_one_archive_too(
    engine, backend, container, tmp_path, caplog
):
    image = engine.image_of("busybox-default")
    workspace, whole = container(image), container(image)
    engine.shell(workspace.container_name, "rm /bin/uniq")
    bundle = bundle_of(tmp_path, "p", FILES)
    assert (await backend.deliver(workspace, bundle)).digest == bundle.digest
    assert engine.shell(workspace.container_name, "cat /configs/plugins/p/plugin.yaml") == "name: p\nversion: 1\n"
    with pytest.raises(errors.UnsupportedTarget):
        await backend.uninstall(workspace, Removal("p"))
    assert "lacks: uniq" in caplog.text
    await backend.deliver(whole, bundle)
    await backend.uninstall(whole, Removal("p"))


async def test_one_delivery_at_a_time_goes_into_a_container(engine, backend, container, tmp_path, monkeypatch):
    workspace, other = container(), container()
    running, snapshots = [], []
    deliver = ShellTarget.deliver

    async def recorded(target, bundle, known, activation):
        container = target._channel.container
        running.append(container)
        snapshots.append(list(running))
        try:
            return await deliver(target, bundle, known, activation)
        finally:
            running.remove(container)

    monkeypatch.setattr(ShellTarget, "deliver", recorded)
    bundles = [bundle_of(tmp_path / str(n), f"p{n}", {"a": b"%d" % n}) for n in range(4)]
    await asyncio.gather(*(backend.deliver(target, bundle) for bundle in bundles for target in (workspace, other)))
    assert all(len(set(containers)) == len(containers) for containers in snapshots)
    assert max(len(containers) for containers in snapshots) == 2


async def test_fifty_plugins_are_listed_with_their_digests(engine, backend, container, tmp_path):
    workspace = container()
    bundles = [bundle_of(tmp_path / str(n), f"p{n:02}", {"plugin.yaml": b"name: p%02d\n" % n}) for n in range(6)]
    for bundle in bundles:
        await backend.deliver(workspace, bundle)
    plugins = await backend.list_installed(workspace)
    assert [(plugin.name, plugin.digest) for plugin in plugins] == [(item.name, item.digest) for item in bundles]
    assert plugins[3].manifest == "name: p03\n"


async def test_an_uninstall_restores_every_byte(engine, backend, container, tmp_path):
    workspace = container()
    name = workspace.container_name
    engine.shell(name, "printf '# Mine\\n\\nKeep.\\n' > /configs/CLAUDE.md")
    bundle = bundle_of(
        tmp_path, "p", {"rules/a.md": b"One.\n\nTwo.\n", "skills/s/SKILL.md": b"skill", "hooks/h.sh": b"hook"}
    )
    await backend.deliver(workspace, bundle)
    engine.shell(
        name,
        "cd /configs && cp -r plugins/p/skills skills && mkdir -p .claude/hooks"
        " && cp plugins/p/hooks/h.sh .claude/hooks/"
        " && printf '# Plugin: p / rule: a.md\\n\\nOne.\\n\\nTwo.\\n\\n' >> CLAUDE.md",
    )
    receipt = await backend.uninstall(workspace, removal_of("p", [footprint_of(bundle)], []))
    assert receipt.left == ()
    assert engine.shell(name, "cat /configs/CLAUDE.md") == "# Mine\n\nKeep.\n"
    assert engine.shell(name, "cd /configs && find . -type f").split() == ["./CLAUDE.md"]


async def test_what_was_edited_is_seen_set_aside_and_restored(engine, backend, container, tmp_path):
    workspace = container()
    name = workspace.container_name
    old, new = (
        bundle_of(tmp_path / version, "p", {"a": version.encode(), "same": b"1"}) for version in ("old", "new")
    )
    await backend.deliver(workspace, old)
    engine.shell(name, "cd /configs && printf mine > plugins/p/a && printf '# Mine' > CLAUDE.md && ln -s /etc skills")
    query = TargetQuery(("skills/passwd", "none"), contents=("CLAUDE.md",), trees=("plugins/p",))
    state = await backend.inspect_target(workspace, query)
    assert state.config_dir == "/configs"
    assert {path: path_state.kind.value for path, path_state in state.paths.items()} == {
        "skills/passwd": "link",
        "none": "absent",
        "CLAUDE.md": "file",
        "plugins/p": "directory",
    }
    assert state.paths["CLAUDE.md"].content == b"# Mine"
    assert state.paths["plugins/p"].digest == f"sha256:{_tree(engine, workspace)}"
    assert state.paths["plugins/p"].owner == 1000
    receipt = await backend.deliver(workspace, new)
    assert receipt.kept_files == ("plugins/p/a",)
    (kept,) = receipt.kept
    assert engine.shell(name, f"cat /configs/{kept}/a") == "mine"
    owners = engine.shell(name, "stat -c %u /configs/plugins/.plugport /configs/plugins/.plugport/*")
    assert set(owners.split()) == {"1000"}
    await backend.uninstall(workspace, Removal("p", restore=kept.rpartition("/")[2]))
    assert engine.shell(name, "cat /configs/plugins/p/a") == "mine"
    receipt = await backend.uninstall(workspace, Removal("p", files={"skills/passwd": ()}))
    assert (receipt.left, receipt.kept) == (("skills/passwd",), (kept,))
    assert _left(engine, workspace) == []


async def test_a_restart_restarts_the_container(engine, backend, container):
    workspace = container(stop_signal="SIGKILL")
    before = engine.shell(workspace.container_name, "cat /proc/1/stat").split()[21]
    await backend.restart(workspace)
    assert engine.shell(workspace.container_name, "cat /proc/1/stat").split()[21] != before


async def test_stopped_paused_created_and_absent_containers_do_not_run(engine, backend, container, tmp_path):
    bundle = bundle_of(tmp_path, "p", FILES)
    states = {}
    for kind in ("running", "stopped", "paused"):
        workspace = container()
        if kind == "stopped":
            engine.client.api.stop(workspace.container_name, timeout=0)
        if kind == "paused":
            engine.client.api.pause(workspace.container_name)
        states[kind] = await backend.is_running(workspace)
        if kind != "running":
            with pytest.raises(errors.WorkspaceNotRunning):
                await backend.deliver(workspace, bundle)
    assert states == {"running": RunState.RUNNING, "stopped": RunState.STOPPED, "paused": RunState.STOPPED}
    absent = Workspace("absent", backend="docker", container="absent")
    assert await backend.is_running(absent) == RunState.STOPPED
    with pytest.raises(errors.WorkspaceNotRunning):
        await backend.list_installed(absent)


async def test_a_name_is_taken_as_it_is(engine, backend, container):
    workspace = container()
    for name in (workspace.container_name[:-1], ".*", f"x{workspace.container_name}", "c.", "ws-[a"):
        state = await backend.is_running(Workspace("w", backend="docker", container=name))
        assert state.kind in {"stopped", "unknown"}, name
        assert state != RunState.RUNNING


async def test_a_hundred_callers_share_few_requests(engine, backend, container, monkeypatch):
    workspaces = [container() for _ in range(3)]
    await backend.is_running(workspaces[0])
    api, requests = backend.engine.queries.api(), []
    real = api.containers  # plugport: allow[PP001] counts what the one helper asks
    monkeypatch.setattr(api, "containers", lambda **named: (requests.append(1), real(**named))[1])
    names = [workspaces[n % 3] if n % 2 else Workspace(f"no{n}", backend="docker") for n in range(100)]
    states = await asyncio.gather(*(backend.is_running(workspace) for workspace in names))
    assert [state == RunState.RUNNING for state in states] == [bool(n % 2) for n in range(100)]
    assert len(requests) <= 2


def test_a_failing_engine_makes_a_state_unknown_and_raises_nothing():
    import docker

    api = docker.APIClient("unix:///nonexistent/docker.sock", version="1.41")
    state = container_state(api, ["x"])["x"].state
    assert state.kind == "unknown"
    assert state.reason


async def test_an_engine_behind_tls_is_supported(engine, backend, container, tmp_path, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)  # requests prefers it to docker-py's setting
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    monkeypatch.setenv("DOCKER_HOST", engine.tls_url)
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(engine.certificates))
    workspace = container()
    bundle = bundle_of(tmp_path, "p", {"a": b"x" * 3_000_000, **FILES})
    assert (await backend.deliver(workspace, bundle)).digest == f"sha256:{_tree(engine, workspace)}"
    assert [plugin.name for plugin in await backend.list_installed(workspace)] == ["p"]
    await backend.uninstall(workspace, Removal("p"))
    assert await backend.list_installed(workspace) == []
