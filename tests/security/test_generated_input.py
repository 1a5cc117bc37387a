"""Generated trees and targets' answers, through a running service: no 500, nothing left behind, it starts again."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import os
import tarfile

import pytest
from hypothesis import strategies as st
from support.doubles import MemoryBackend
from support.odd_trees import ODD_NAMES, TREES, examples, write_tree

from plugport.builtin_backends.shell import Completed, ShellTarget
from plugport.core.pipeline.remove_tree import remove_tree
from plugport.hookspecs import InstalledPlugin, RunState, hookimpl

_EXAMPLES = 500
_BATCH = 25
"""How many are tried at once, each in a workspace of its own."""


@pytest.fixture(autouse=True)
def _no_log(caplog):
    """A refusal's traceback takes longer than the refusal."""
    caplog.set_level(logging.CRITICAL)


async def _register(admin, backend, **options):
    for number in range(_BATCH):
        body = {"id": f"w{number}", "org": "acme", "backend": backend, "options": options}
        assert (await admin.post("/workspaces", json=body)).status_code == 201


def _batches(items):
    assert len(items) == _EXAMPLES
    return [list(enumerate(items[start : start + _BATCH])) for start in range(0, len(items), _BATCH)]


async def _is_well(serve, *providers):
    """Start the service again on the same data."""
    async with serve(*providers) as admin:
        assert (await admin.get("/readyz")).status_code == 200
        assert (await admin.get("/plugins")).status_code == 200
        assert (await admin.get("/workspaces/w1/plugins")).status_code == 200


async def test_500_generated_trees_give_no_500_and_leave_nothing(serve, catalog, tmp_path):
    installed = 0
    async with serve(MemoryBackend(), rate_limit=1_000_000) as admin:
        await _register(admin, "memory")
        for batch in _batches(examples(TREES, _EXAMPLES)):
            for number, tree in batch:
                write_tree(os.fsencode(catalog / f"odd{number}"), tree)
            posts = [
                admin.post(f"/workspaces/w{number}/plugins", json={"source": f"odd{number}"}) for number, _ in batch
            ]
            gets = [admin.get(f"/workspaces/w{number}/plugins/odd{number}/download") for number, _ in batch]
            replies = await asyncio.gather(*posts, *gets, admin.get("/plugins"))
            for reply, tree in zip(replies, [tree for _, tree in (*batch, *batch)] + [batch], strict=True):
                assert reply.status_code in {200, 400, 422}, (tree, reply.text)
            installed += sum(reply.status_code == 200 for reply in replies[: len(batch)])
            assert os.listdir(tmp_path / "data" / "work") == [], batch
            for number, _ in batch:
                remove_tree(catalog / f"odd{number}")
        assert installed > _EXAMPLES / 10
    await _is_well(serve, MemoryBackend())


class Listing(MemoryBackend):
    """A backend whose targets answer whatever the test says."""

    def __init__(self) -> None:
        super().__init__("listing")
        self.answers: dict[str, list[InstalledPlugin]] = {}

    @hookimpl
    def list_installed(self, workspace):
        return self.answers[workspace.id]


_TEXTS = st.one_of(
    st.text(st.characters(), max_size=20), st.sampled_from(["", "a", "\udcff", "..", "\0", "a" * 5000])
)
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _TEXTS, st.binary(max_size=4)),
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(_TEXTS, below, max_size=3)),
    max_leaves=6,
)
_MANIFEST_TEXTS = st.sampled_from(
    [
        "name: a\nversion: 1",
        "[",
        "[" * 3000,
        "a: *b",
        "a: &a [*a]",
        "version: 0x10",
        "version: " + "9" * 5000,
        "version: 1e999",
        "runtimes: [codex]",
        "- a",
        "\ufeffname: x",
        "2024-13-45: 1",
        "? [a]\n: b",
        "!!python/object:os.system a",
    ]
)
_MANIFESTS = st.one_of(
    st.none(),
    _TEXTS,
    _MANIFEST_TEXTS,
    st.fixed_dictionaries(
        {}, optional={"name": _VALUES, "version": _VALUES, "description": _VALUES, "runtimes": _VALUES}
    ),
    st.integers(),
)
_LISTINGS = st.lists(
    st.one_of(
        st.builds(InstalledPlugin, _TEXTS, _TEXTS, _MANIFESTS),
        st.builds(InstalledPlugin, st.one_of(_TEXTS, st.none(), st.integers()), st.one_of(_TEXTS, st.none())),
    ),
    max_size=4,
)


async def test_500_generated_listings_give_no_500(serve):
    backend = Listing()
    async with serve(backend, rate_limit=1_000_000) as admin:
        await _register(admin, "listing")
        for batch in _batches(examples(_LISTINGS, _EXAMPLES)):
            backend.answers = {f"w{number}": listing for number, listing in batch}
            routes = [("plugins", "plugins/compatibility?runtime=codex")[number % 2] for number, _ in batch]
            gets = [
                admin.get(f"/workspaces/w{number}/{route}") for (number, _), route in zip(batch, routes, strict=True)
            ]
            for reply, (_, listing) in zip(await asyncio.gather(*gets), batch, strict=True):
                assert reply.status_code in {200, 503}, (listing, reply.text)
        backend.answers = {"w1": []}
    await _is_well(serve, backend)


class Noise(MemoryBackend):
    """A backend of a target with a shell, where every command prints what the test says."""

    def __init__(self) -> None:
        super().__init__("noise")
        self.answers: dict[str, bytes] = {}

    def _target(self, workspace):
        answer = self.answers[workspace.id]

        class Channel:
            async def run(self, argv, stdin=None):
                mark, text = "".join(argv[4:6]).encode(), base64.b64encode(answer + b"\n0")
                return Completed(0, b"%s base64 %d\n%s\n%s end\n" % (mark, len(text), text, mark), b"")

        return ShellTarget(Channel(), "/configs")  # type: ignore[arg-type]

    @hookimpl
    def is_running(self, workspace):
        return RunState.RUNNING

    @hookimpl
    async def inspect_target(self, workspace, query):
        return await self._target(workspace).inspect(query)

    @hookimpl
    async def deliver(self, workspace, bundle, known):
        return await self._target(workspace).deliver(bundle, known)

    @hookimpl
    async def uninstall(self, workspace, removal):
        return await self._target(workspace).uninstall(removal)

    @hookimpl
    async def list_installed(self, workspace):
        return await self._target(workspace).list_installed()


def _tar(files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(os.fsdecode(name))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def _framed(folders, files, odd_files, manifests):
    """What list.sh prints for these plugins."""
    sha256 = b"0" * 64
    lines = b"".join(b"%s  ./%s/%s\n" % (sha256, folder, file) for folder, file in files)
    odd = b"".join(b"\\%s  %s\n%s\0" % (sha256, file, file) for file in odd_files)
    tar = _tar({b"./%s/plugin.yaml" % folder: text for folder, text in manifests.items()})
    return b"".join(b"./%s/\0" % folder for folder in folders) + b"\0" + lines + b"\0" + odd + b"\0\0" + tar


_FRAMED = st.builds(
    _framed,
    st.lists(ODD_NAMES, max_size=4),
    st.lists(st.tuples(ODD_NAMES, ODD_NAMES), max_size=4),
    st.lists(ODD_NAMES, max_size=3),
    st.dictionaries(ODD_NAMES, st.one_of(st.binary(max_size=40), _MANIFEST_TEXTS.map(str.encode)), max_size=3),
)
_INSPECTED = st.builds(
    b"".join,
    st.lists(
        st.one_of(
            st.sampled_from(
                [b"\0", b"/configs\0", b"-\0", b"7\0", b"\0end\0", b"999999999999999\0", b"plugport 1\n"]
            ),
            st.builds(
                b"%s%s\0".__mod__, st.tuples(st.sampled_from([b"ac", b"fc", b"dt", b"lp", b"op", b"x"]), ODD_NAMES)
            ),
        ),
        max_size=12,
    ),
)
_MANY = _framed([b"p%d" % n for n in range(3000)], [(b"p%d" % n, b"f") for n in range(3000)], [], {})
_ANSWERS = st.one_of(
    st.sampled_from([b"", b"\0", b"\0" * 4000, b"\n" * 4000, b"\xff" * 1_000_000, _MANY]),
    st.binary(max_size=400),
    st.lists(st.binary(max_size=20), max_size=12).map(b"\0".join),
    _FRAMED,
    st.builds(lambda answer, cut: answer[: max(0, len(answer) - cut)], _FRAMED, st.integers(1, 3000)),
    st.builds(lambda answer, noise: answer + noise, _FRAMED, st.binary(max_size=600)),
    _INSPECTED,
    st.builds(b"I%s\0".__mod__, st.sampled_from([b"0" * 64, b""])),
)


async def test_500_generated_outputs_of_a_target_give_no_500(serve, add_plugin, tmp_path):
    add_plugin("greeter", {"rules/a.md": "x", "skills/s/SKILL.md": "x", "settings-fragment.json": "{}"})
    backend = Noise()
    async with serve(backend, rate_limit=1_000_000) as admin:
        await _register(admin, "noise")
        for batch in _batches(examples(_ANSWERS, _EXAMPLES)):
            backend.answers = {f"w{number}": answer for number, answer in batch}
            paths = [f"/workspaces/w{number}/plugins" for number, _ in batch]
            listed = await asyncio.gather(*map(admin.get, paths))
            changed = await asyncio.gather(
                *(admin.post(path, json={"source": "greeter"}) for path in paths[::4]),
                *(admin.delete(f"{path}/greeter") for path in paths[1::4]),
            )
            for reply, (_, answer) in zip(listed, batch, strict=True):
                assert reply.status_code in {200, 503}, (answer, reply.text)
            for reply, (_, answer) in zip(changed, (*batch[::4], *batch[1::4]), strict=True):
                assert reply.status_code in {200, 404, 409, 502, 503}, (answer, reply.text)
                assert not reply.json().get("type", "").endswith("hook-failed"), (answer, reply.text)
            assert os.listdir(tmp_path / "data" / "work") == [], batch
        backend.answers = {"w1": b""}
    await _is_well(serve, backend)
