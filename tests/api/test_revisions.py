"""What was fetched at a revision is not fetched again, and what has changed is."""

from __future__ import annotations

import os
from pathlib import Path

from support.doubles import MemoryBackend, StubSource

from plugport.hookspecs import Resolved, Source, hookimpl


class Revised(StubSource):
    """A stub source with a revision."""

    revision: str | None = "r1"

    @hookimpl
    def source_revision(self, source: Source) -> str | None:
        if self.revision == "broken":
            raise RuntimeError("ghp_secret")
        return self.revision


def _fetch(destination: Path) -> Resolved:
    (destination / "plugin.yaml").write_text("name: p\nversion: 1\n")
    return Resolved("p")


async def _install(admin, source="stub://p", **pins):
    reply = await admin.post("/workspaces/w1/plugins", json={"source": source} | pins)
    return reply.status_code, reply.json().get("digest") or reply.json()["type"].rsplit(":", 1)[-1]


async def test_a_source_is_fetched_once_at_each_revision(serve):
    source = Revised(_fetch)
    async with serve(MemoryBackend(), source) as admin:
        await admin.post("/workspaces", json={"id": "w1", "org": "acme", "backend": "memory"})
        first = await _install(admin)
        assert await _install(admin) == first
        assert source.asked == 1
        assert await _install(admin, digest="sha256:" + "0" * 64) == (422, "digest-mismatch")
        assert await _install(admin, sha256="0" * 64) == (422, "digest-mismatch")
        reply = await admin.get("/workspaces/w1/plugins/other/download?source=stub://p")
        assert reply.json()["type"].endswith("name-mismatch")
        assert source.asked == 1
        source.revision = "r2"
        assert await _install(admin) == first
        assert source.asked == 2
        for revision in (None, "broken"):
            source.revision = revision
            assert await _install(admin) == first
        assert source.asked == 4


async def test_an_archive_that_was_evicted_is_fetched_again(serve, tmp_path):
    source = Revised(_fetch)
    async with serve(MemoryBackend(), source) as admin:
        await admin.post("/workspaces", json={"id": "w1", "org": "acme", "backend": "memory"})
        first = await _install(admin)
        for archive in (tmp_path / "data/cache").glob("*.tar"):
            archive.unlink()
        assert await _install(admin) == first
        assert source.asked == 2


def _age(folder: Path) -> None:
    """Make the tree look as if it had not been changed just now, as far as anybody but the kernel can."""
    import time

    newest = max(path.lstat().st_ctime for path in folder.rglob("*"))
    while time.time() - newest < 2.1:
        time.sleep(0.05)


async def test_a_change_in_the_local_registry_is_seen(serve, add_plugin):
    folder = add_plugin("greeter", {"rules/a.md": "one"})
    _age(folder)
    async with serve(MemoryBackend()) as admin:
        await admin.post("/workspaces", json={"id": "w1", "org": "acme", "backend": "memory"})
        first = await _install(admin, "greeter")
        assert await _install(admin, "greeter") == first
        before = (folder / "rules/a.md").stat()
        (folder / "rules/a.md").write_text("two")
        os.utime(folder / "rules/a.md", ns=(before.st_atime_ns, before.st_mtime_ns))
        assert await _install(admin, "greeter") != first
        (folder / "rules/a.md").chmod(0o755)
        assert (await _install(admin, "greeter"))[0] == 200
