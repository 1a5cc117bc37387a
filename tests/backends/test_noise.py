"""Targets whose login shells print, exit or run something else: no answer is broken, and none is forged."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.delivered import plugins_in, tree
from support.noise import NO_START, NOISE

from plugport.builtin_backends.ec2 import channel as ssh_channel
from plugport.builtin_backends.shell import CommandChannel, ShellTarget, command_channel
from plugport.hookspecs import Question, Removal, Seen, SeenState, TargetQuery, errors
from plugport.hookspecs.conformance import bundle_of

FILES = {"plugin.yaml": b"name: p\n", "a b": b"\xff\x00", "docs/a.md": b"a"}


def noisy(line: str) -> CommandChannel:
    """A channel whose commands a login shell starts that runs this line first."""
    return CommandChannel(lambda argv: ["bash", "-c", f'{line}\n"$@"\n:', "login", *argv])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("kind", NOISE)
async def test_noise_breaks_no_answer_and_forges_none(config, tmp_path, kind):
    target = ShellTarget(noisy(NOISE[kind]), str(config))
    assert await target.list_installed() == []
    bundle = bundle_of(tmp_path, "p", FILES)
    assert (await target.deliver(bundle)).digest == bundle.digest
    (config / "plugins/p/docs/a.md").write_bytes(b"mine")
    assert (await target.deliver(bundle)).kept_files == ("plugins/p/docs/a.md",)
    (plugin,) = await target.list_installed()
    assert (plugin.name, plugin.digest, plugin.manifest) == ("p", bundle.digest, "name: p\n")
    state = await target.inspect(TargetQuery(("none",), contents=("plugins/p/a b",), trees=("plugins/p",)))
    assert state.paths["plugins/p/a b"].content == b"\xff\x00"
    assert state.paths["plugins/p"].digest == bundle.digest
    question = Question(("sh", "-c", "echo out; echo err >&2; exit 3"), lambda answer: Seen(SeenState.UNKNOWN, ""))
    answer = await target.ask(question)
    assert (answer.exit_code, answer.output, answer.errors) == (3, b"out\n", b"err\n")
    assert (await target.uninstall(Removal("p"))).left == ()
    assert plugins_in(config) == []


@pytest.mark.parametrize("kind", NO_START)
async def test_a_command_that_does_not_start_is_an_error_and_gets_nothing(config, tmp_path, kind, monkeypatch):
    monkeypatch.setattr(command_channel, "READY_SECONDS", 1.0)
    await ShellTarget(CommandChannel(), str(config)).deliver(bundle_of(tmp_path / "1", "p", {"a": b"old"}))
    seen = tmp_path / "seen"
    target = ShellTarget(noisy(f"exec < <(tee {seen}); {NO_START[kind]}"), str(config))
    with pytest.raises(errors.BackendUnavailable):
        await target.list_installed()
    with pytest.raises((errors.DeliveryFailed, errors.DeliveryTimeout)):
        await target.deliver(bundle_of(tmp_path / "2", "p", {"a": b"echo executed >executed\n" * 1000}))
    with pytest.raises((errors.BackendUnavailable, errors.DeliveryFailed)):
        await target.inspect(TargetQuery(("a",)))
    assert tree(config / "plugins/p") == {"a": b"old"}
    assert not seen.exists() or seen.read_bytes() == b""


async def test_a_list_that_is_always_printed_into_is_unavailable_and_never_wrong(config, tmp_path):
    for number in range(20):
        folder = config / f"plugins/p{number}"
        folder.mkdir(parents=True)
        for index in range(60):
            (folder / f"{index}{'x' * 180}").write_bytes(b"1")
    target = ShellTarget(noisy("(while :; do echo noise; done) &"), str(config))
    try:
        plugins = await target.list_installed()
    except errors.BackendUnavailable:
        return
    assert sorted(plugin.name for plugin in plugins) == sorted(f"p{number}" for number in range(20))


async def test_a_channel_that_knows_no_frame_works_as_before(config, tmp_path):
    class Older(CommandChannel):
        async def run(self, argv, stdin=None):
            return await super().run(argv, stdin)

    bundle = bundle_of(tmp_path, "p", FILES)
    target = ShellTarget(Older(), str(config))  # type: ignore[arg-type]
    assert (await target.deliver(bundle)).digest == bundle.digest
    assert [plugin.name for plugin in await target.list_installed()] == ["p"]


# The same on an instance, by a real sshd and bash.


@pytest.fixture
def login(ec2):
    """Sets the line that the login shell runs first."""
    ec2.host.shell("sed -i 's#:/home/ubuntu:/bin/sh#:/home/ubuntu:/bin/bash#' /etc/passwd")

    def set_line(line: str) -> None:
        ec2.host.shell("install -o 1000 -g 1000 -m 644 /dev/null /home/ubuntu/.bashrc")
        (ec2.host.root / "home/ubuntu/.bashrc").write_text(f"{line}\n")

    yield set_line
    ec2.host.shell("sed -i 's#:/home/ubuntu:/bin/bash#:/home/ubuntu:/bin/sh#' /etc/passwd")


@pytest.mark.parametrize("kind", NOISE)
async def test_the_noise_of_an_instance_breaks_no_answer_and_forges_none(ec2, login, kind, old, new):
    login(NOISE[kind])
    async with ec2.backend() as backend:
        workspace = ec2.workspace()
        for bundle in (old, new):
            assert (await backend.deliver(workspace, bundle)).digest == bundle.digest
        assert [(plugin.name, plugin.digest) for plugin in await backend.list_installed(workspace)] == [
            ("p", new.digest)
        ]
        await backend.uninstall(workspace, Removal("p"))
        assert await backend.list_installed(workspace) == []


@pytest.mark.parametrize("kind", NO_START)
async def test_an_instance_on_which_no_command_starts_is_an_error(ec2, login, kind, old, new, monkeypatch):
    monkeypatch.setattr(ssh_channel, "READY_SECONDS", 1.0)
    async with ec2.backend() as backend:
        workspace = ec2.workspace()
        await backend.deliver(workspace, old)
        login(NO_START[kind])
        with pytest.raises(errors.BackendUnavailable):
            await backend.list_installed(workspace)
        with pytest.raises((errors.DeliveryFailed, errors.DeliveryTimeout)):
            await backend.deliver(workspace, new)
        login(":")
        assert [plugin.digest for plugin in await backend.list_installed(workspace)] == [old.digest]


@pytest.mark.parametrize("setting", ["PATH=/nowhere", "TAR_OPTIONS=--strip-components=1", "CDPATH=/:/tmp", "all"])
async def test_the_environment_of_a_login_changes_nothing(ec2, old, new, setting):
    everything = "PATH=/nowhere TAR_OPTIONS=--exclude=* POSIXLY_CORRECT=1 CDPATH=/ QUOTING_STYLE=c GREP_OPTIONS=-v"
    ec2.host.start(SetEnv=everything if setting == "all" else setting)
    async with ec2.backend() as backend:
        for bundle in (old, new):
            assert (await backend.deliver(ec2.workspace(), bundle)).digest == bundle.digest
        assert [plugin.digest for plugin in await backend.list_installed(ec2.workspace())] == [new.digest]
