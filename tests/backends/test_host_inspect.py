"""What a target is asked before anything is changed there: no link is followed, and no name is a separator."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from support.shells import SHELLS, shell_words, with_shell
from support.tools import without_rights

from plugport.builtin_backends.host import HostBackend
from plugport.builtin_backends.shell import ShellTarget
from plugport.builtin_backends.shell.channel import Completed
from plugport.builtin_backends.shell.inspect import inspect
from plugport.builtin_backends.shell.plugin_list import list_installed
from plugport.hookspecs import BundleFile, PathKind, TargetQuery, Workspace, errors, tree_digest

ROOT = os.geteuid() == 0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / 'config dir\'s "place"'
    folder.mkdir()
    return folder


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def test_each_kind_of_path_is_told_and_no_link_is_followed(channel, config, tmp_path):
    outside = tmp_path / "outside"
    (outside / "s").mkdir(parents=True)
    (outside / "s/SKILL.md").write_bytes(b"outside")
    (config / "skills").symlink_to(outside)
    (config / "file").write_bytes(b"file")
    (config / "folder").mkdir()
    (config / "dangling").symlink_to("/nowhere")
    os.mkfifo(config / "pipe")
    paths = (
        "skills",
        "skills/s/SKILL.md",
        "skills/none",
        "file",
        "file/below",
        "folder",
        "dangling",
        "pipe",
        "none/x",
    )
    state = await inspect(
        channel, str(config), TargetQuery(paths, contents=("skills/s/SKILL.md",), trees=("skills",))
    )
    assert state.config_dir == str(config.resolve())
    link, absent = PathKind.LINK, PathKind.ABSENT
    kinds = (link, link, link, PathKind.FILE, absent, PathKind.DIRECTORY, link, PathKind.OTHER, absent)
    assert {path: path_state.kind for path, path_state in state.paths.items()} == dict(zip(paths, kinds, strict=True))
    assert state.paths["file"].digest == f"sha256:{sha256(b'file')}"
    assert state.paths["file"].content is None
    assert [state.paths[path].owner for path in ("file", "folder", "pipe")] == [os.geteuid()] * 3
    for path in ("skills", "skills/s/SKILL.md"):
        assert (state.paths[path].digest, state.paths[path].content, state.paths[path].files) == (None, None, None)


async def test_contents_come_byte_for_byte_up_to_the_limit(channel, config):
    contents = {
        "empty": b"",
        "text": b"a\nb",
        "nul": b"\0\0end\0x\0",
        "bytes": bytes(range(256)) * 40,
        "-dash": b"-",
        "a b/$(x)`y`'\"": b"quotes",
        "\u00e9\u4e2d": b"unicode",
        os.fsdecode(b"\xff\xfe"): b"no utf-8",
    }
    for path, content in contents.items():
        (config / path).parent.mkdir(exist_ok=True)
        (config / path).write_bytes(content)
    (config / "long").write_bytes(bytes(10_241))
    state = await inspect(channel, str(config), TargetQuery(contents=(*contents, "long"), max_content=10_240))
    assert {path: path_state.content for path, path_state in state.paths.items()} == {**contents, "long": None}
    digests = {path: f"sha256:{sha256(content)}" for path, content in {**contents, "long": bytes(10_241)}.items()}
    assert {path: path_state.digest for path, path_state in state.paths.items()} == digests
    assert {path_state.owner for path_state in state.paths.values()} == {os.geteuid()}


async def test_a_tree_has_every_file_whatever_its_name(channel, config):
    files = {"a": b"1", "deep/er/b": b"2", "new\nline": b"3", "back\\slash\nboth": b"4", "--manifests--": b"5"}
    files |= {f"x\n{'0' * 64}  .": b"6", os.fsdecode(b"\xff"): b"7", "-n": b"8"}
    place = config / "plugins/p"
    for path, content in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(content)
    (place / "link").symlink_to(place / "a")
    state = await inspect(channel, str(config), TargetQuery(("plugins/p/a",), trees=("plugins/p", "plugins/none")))
    path_state = state.paths["plugins/p"]
    assert path_state.files == {path: sha256(content) for path, content in files.items()}
    assert path_state.digest == tree_digest(
        BundleFile(path, 0, False, digest) for path, digest in path_state.files.items()
    )
    assert state.paths["plugins/none"].files is None
    assert state.paths["plugins/p/a"].digest == f"sha256:{sha256(b'1')}"


async def test_more_paths_than_one_command_takes_are_all_answered(channel, config):
    paths = [f"skills/{number}/SKILL.md" for number in range(1_201)]
    for path in paths[::3]:
        (config / path).parent.mkdir(parents=True)
        (config / path).write_bytes(path.encode())
    state = await inspect(channel, str(config), TargetQuery(tuple(paths)))
    present = {path: f"sha256:{sha256(path.encode())}" for path in paths[::3]}
    assert {path: path_state.digest for path, path_state in state.paths.items()} == dict.fromkeys(paths) | present
    assert {path_state.owner for path, path_state in state.paths.items() if path in present} == {os.geteuid()}


@pytest.mark.parametrize(
    "path", ["../outside", "/etc/passwd", "a/../../b", "", "a//b", "./a", "a\nb", "a\\b", "~/../x"]
)
async def test_a_path_that_leads_out_is_not_looked_at(channel, config, path):
    state = await inspect(channel, str(config), TargetQuery((path,), contents=("CLAUDE.md",)))
    assert (state.paths[path].kind, state.paths[path].digest) == (PathKind.OTHER, None)
    assert state.paths["CLAUDE.md"].kind is PathKind.ABSENT


async def test_paths_of_the_home_are_answered(channel, config, tmp_path):
    home = tmp_path / "home"
    (home / ".claude").mkdir(parents=True)
    (home / ".claude.json").write_bytes(b"{}")
    (home / "link").symlink_to("/etc")
    query = TargetQuery(("~/link/passwd",), contents=("~/.claude.json",), trees=("~/.claude",))
    state = await inspect(channel, str(config), query, str(home))
    assert state.home == str(home.resolve())
    assert state.paths["~/.claude.json"].content == b"{}"
    assert state.paths["~/.claude"].files == {}
    assert state.paths["~/link/passwd"].kind is PathKind.LINK


async def test_a_config_dir_that_is_not_there_has_nothing(channel, tmp_path):
    state = await inspect(channel, str(tmp_path / "absent"), TargetQuery(("a", "b/c"), contents=("d",)))
    assert {path_state.kind for path_state in state.paths.values()} == {PathKind.ABSENT}


@pytest.fixture(params=SHELLS)
def channel_without_rights(request):
    """A channel whose commands obey the modes of files, as root's do without two of its capabilities."""
    return with_shell([*without_rights(), *shell_words(request.param)])


async def test_a_file_that_cannot_be_read_is_not_empty(channel_without_rights, config):
    (config / "CLAUDE.md").write_bytes(b"mine")
    (config / "CLAUDE.md").chmod(0)
    state = await inspect(channel_without_rights, str(config), TargetQuery(contents=("CLAUDE.md",)))
    assert (state.paths["CLAUDE.md"].kind, state.paths["CLAUDE.md"].content) == (PathKind.FILE, None)


@pytest.mark.parametrize("closed", ["a file", "a manifest", "a folder", "the plugin", "an odd name"])
async def test_what_cannot_be_read_in_one_plugin_hides_no_other(channel_without_rights, config, closed):
    for name in ("a", "closed", "z"):
        (config / "plugins" / name / "below").mkdir(parents=True)
        (config / "plugins" / name / "plugin.yaml").write_text(f"name: {name}")
        (config / "plugins" / name / "below/file").write_text("x")
    whole = await list_installed(channel_without_rights, str(config))
    paths = {"a file": "below/file", "a manifest": "plugin.yaml", "a folder": "below", "the plugin": "."}
    path = config / "plugins/closed" / paths.get(closed, "below/a\nb")
    path.touch()
    path.chmod(0)
    listed = await list_installed(channel_without_rights, str(config))
    path.chmod(0o700)
    assert [plugin.name for plugin in listed] == ["a", "closed", "z"]
    assert listed[1].digest is None
    assert (listed[0], listed[2]) == (whole[0], whole[2])


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9, 0.999])
async def test_an_answer_that_is_cut_is_no_answer(config, cut):
    (config / "CLAUDE.md").write_bytes(b"mine" * 10)
    whole = with_shell([])

    class Cut:
        async def run(self, argv, stdin=None):
            completed = await whole.run(argv, stdin)
            return Completed(0, completed.stdout[: int(len(completed.stdout) * cut)], b"")

    target = ShellTarget(Cut(), str(config))  # type: ignore[arg-type]
    with pytest.raises(errors.BackendUnavailable):
        await target.inspect(TargetQuery(("a",), contents=("CLAUDE.md",)))


async def test_the_backend_host_answers(config):
    (config / "CLAUDE.md").write_bytes(b"mine")
    workspace = Workspace("w", options={"path": str(config), "home": str(config)})
    state = await HostBackend().inspect_target(workspace, TargetQuery(contents=("CLAUDE.md", "~/CLAUDE.md")))
    assert {path_state.content for path_state in state.paths.values()} == {b"mine"}


async def test_the_names_in_a_folder_are_told_whatever_they_are(channel, config):
    names = {"a", ".hidden", "with space", "-dash", "new\nline", "*", os.fsdecode(b"\xff")}
    (config / "plugins").mkdir()
    for name in names:
        (config / "plugins" / name).mkdir()
    (config / "plugins/dangling").symlink_to("/nowhere")
    (config / "empty").mkdir()
    query = TargetQuery(folders=("plugins", "empty", "none"))
    paths = (await inspect(channel, str(config), query)).paths
    assert set(paths["plugins"].names or ()) == {*names, "dangling"}
    assert (paths["empty"].names, paths["none"].names) == ((), None)
