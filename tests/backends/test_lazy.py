"""The lazy proxies: the same hooks as the classes behind them, and no SDK before the start."""

from __future__ import annotations

import sys

import pytest

from plugport.builtin_backends import docker, ec2
from plugport.builtin_backends.docker.backend import DockerBackend
from plugport.builtin_backends.ec2.backend import Ec2Backend
from plugport.builtin_backends.lazy import LazyBackend
from plugport.hookspecs import Workspace, errors
from plugport.hookspecs.providers import inspect_provider

MODULE = """
from plugport.hookspecs import RunState

class Backend:
    async def startup(self, context):
        if context is None:
            raise ValueError("no context")
        self.calls = ["startup"]

    async def shutdown(self):
        self.calls.append("shutdown")

    async def is_running(self, workspace):
        self.calls.append(workspace.id)
        return RunState.RUNNING
"""


def hooks_of(plugin):
    """Each hook as the service sees it: its arguments, and whether it is `async def`."""
    hooks = inspect_provider(plugin, "backend").hooks
    return {name: (hook.arguments, hook.is_async) for name, hook in hooks.items()}


@pytest.fixture
def proxy(tmp_path, monkeypatch):
    (tmp_path / "heavy_backend.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield LazyBackend("heavy", "heavy_backend:Backend", {"is_running": ("workspace",)}, needs=("heavy_backend",))
    sys.modules.pop("heavy_backend", None)


@pytest.mark.parametrize(("provider", "backend"), [(docker.provider, DockerBackend), (ec2.provider, Ec2Backend)])
def test_a_proxy_has_the_hooks_of_its_class(provider, backend):
    assert isinstance(provider, LazyBackend)
    assert hooks_of(provider) == hooks_of(backend())
    assert provider.backend == backend.backend
    assert all(getattr(provider, hook).__doc__ for hook in hooks_of(provider))


def test_a_proxy_takes_no_argument_that_its_class_does_not_take():
    backend = LazyBackend("heavy", "absent:Backend", {"is_running": (), "deliver": ("bundle",)}, needs=())
    assert hooks_of(backend)["deliver"] == (("bundle",), True)
    assert hooks_of(backend)["is_running"] == ((), True)


async def test_the_class_is_imported_at_startup_and_no_earlier(proxy):
    assert "heavy_backend" not in sys.modules
    await proxy.startup(object())
    assert (await proxy.is_running(workspace=Workspace("w"))).kind == "running"
    assert (await proxy.is_running(Workspace("v"))).kind == "running"
    backend = proxy._started
    await proxy.shutdown()
    await proxy.shutdown()
    assert backend.calls == ["startup", "w", "v", "shutdown"]


async def test_a_hook_raises_backend_unavailable_before_the_start_and_after_the_end(proxy):
    with pytest.raises(errors.BackendUnavailable, match="heavy was not started"):
        await proxy.is_running(Workspace("w"))
    await proxy.startup(object())
    await proxy.shutdown()
    with pytest.raises(errors.BackendUnavailable, match="heavy was not started"):
        await proxy.is_running(Workspace("w"))


async def test_a_start_that_fails_leaves_the_backend_unstarted(proxy):
    with pytest.raises(ValueError, match="no context"):
        await proxy.startup(None)
    await proxy.shutdown()
    with pytest.raises(errors.BackendUnavailable):
        await proxy.is_running(Workspace("w"))


def test_a_missing_module_is_named():
    with pytest.raises(ModuleNotFoundError) as caught:
        LazyBackend("heavy", "absent:Backend", {}, needs=("sys", "a_module_that_is_absent"))
    assert caught.value.name == "a_module_that_is_absent"
