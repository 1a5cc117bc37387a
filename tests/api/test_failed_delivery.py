"""What the service says of a target after a delivery that failed: only what it saw there."""

from __future__ import annotations

import pytest
from support.doubles import MemoryBackend

from plugport.builtin_backends.host import HostBackend
from plugport.hookspecs import Workspace, errors, hookimpl

STILL_THERE = "What was installed before is still there"


class Failing(MemoryBackend):
    """Fails the second delivery; `after` is what happens on the target then."""

    after = "nothing"

    @hookimpl
    async def deliver(self, workspace, bundle):
        plugins = self.plugins.setdefault(workspace.id, {})
        if bundle.name not in plugins:
            return await super().deliver(workspace, bundle)
        if self.after == "gone":
            del plugins[bundle.name]
        elif self.after == "new":
            plugins[bundle.name] = bundle
        raise errors.DeliveryFailed("the connection broke")

    @hookimpl
    def list_installed(self, workspace):
        if self.after == "unseen" and self.plugins.get(workspace.id):
            raise errors.BackendUnavailable("it cannot be seen")
        return super().list_installed(workspace)


@pytest.mark.parametrize(("after", "said"), [("nothing", True), ("gone", False), ("new", False), ("unseen", False)])
async def test_the_old_version_is_said_to_be_there_only_if_it_was_seen(serve, add_plugin, after, said):
    backend = Failing()
    add_plugin("greeter", {"a": "1"})
    async with serve(backend) as admin:
        body = {"id": "w1", "org": "acme", "runtime": "claude-code", "backend": "memory"}
        assert (await admin.post("/workspaces", json=body)).status_code == 201
        assert (await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})).status_code == 200
        add_plugin("greeter", {"a": "2"})
        backend.after = after
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})
        assert reply.status_code == 502
        assert (STILL_THERE in reply.json()["detail"]) is said


@pytest.mark.parametrize("changes", [False, True])
async def test_a_backend_that_can_look_is_asked_for_the_tree(serve, add_plugin, tmp_path, changes):
    class Breaking(HostBackend):
        backend = "breaking"
        breaks = False

        @hookimpl
        async def deliver(self, workspace: Workspace, bundle, known=(), activation=None):
            if not self.breaks:
                return await super().deliver(workspace, bundle, known, activation)
            if changes:
                (tmp_path / "config/plugins/greeter/a").write_text("half")
            raise errors.DeliveryFailed("the connection broke")

    backend = Breaking()
    (tmp_path / "config").mkdir()
    add_plugin("greeter", {"a": "1"})
    async with serve(backend) as admin:
        options = {"path": str(tmp_path / "config")}
        body = {"id": "w1", "org": "acme", "runtime": "claude-code", "backend": "breaking", "options": options}
        assert (await admin.post("/workspaces", json=body)).status_code == 201
        assert (await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})).status_code == 200
        add_plugin("greeter", {"a": "2"})
        backend.breaks = True
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})
        assert (reply.status_code, STILL_THERE in reply.json()["detail"]) == (502, not changes)
