"""What every test shares: a clean environment, a catalog, and the application in this process."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import threading
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest

from plugport.core.app import create_app
from plugport.core.settings import Settings
from plugport.core.store.database import Database
from plugport.hookspecs.providers import Provider, inspect_provider

hypothesis.settings.register_profile("plugport", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("plugport")

_UNTRACED = frozenset({"security", "conformance"})
ADMIN = "admin-token-of-the-tests"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """With `--dist loadscope`, keep those tests together that share something expensive, and no others."""
    from support.schedule import Scheduling

    return Scheduling(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start slow tests first, so that no process has one alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Take no coverage of a call that tries hundreds of examples, is slow, or has a bound of CPU: tracing makes it
    three times as slow, and other tests reach the same lines.

    Only the trace functions of this thread and of new ones are set aside: coverage itself goes on. Stopping and
    starting it, as pytest-cov's `no_cover` does, made a process of pytest-xdist hang.
    """
    of_thread, of_new_threads = sys.gettrace(), threading.gettrace()
    if of_thread is None or not _is_untraced(item):
        return (yield)
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]
    try:
        return (yield)
    finally:
        threading.settrace(of_new_threads)  # type: ignore[arg-type]
        sys.settrace(of_thread)


def _is_untraced(item: pytest.Item) -> bool:
    is_marked = any(item.get_closest_marker(name) is not None for name in ("slow", "timed"))
    is_marked = is_marked or not _UNTRACED.isdisjoint(item.path.parts)
    return is_marked or hypothesis.is_hypothesis_test(getattr(item, "obj", None))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the settings of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(("PLUGPORT_", "PLUGIN_")):
            monkeypatch.delenv(name)


Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """An empty catalog: the directory behind `local://`."""
    folder = tmp_path / "catalog"
    folder.mkdir()
    return folder


@pytest.fixture
def add_plugin(catalog: Path) -> Callable[..., Path]:
    """Puts a plugin into the catalog: `add_plugin("name", {"rules/a.md": "text"})`."""

    def add(name: str, files: dict[str, str | bytes] | None = None, version: str = "1.0.0") -> Path:
        folder = catalog / name
        manifest: dict[str, str | bytes] = {"plugin.yaml": f"name: {name}\nversion: {version}\n"}
        for path, content in (manifest | (files or {})).items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return add


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as the service makes it at its first start."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))

    async def make() -> None:
        await (await Database.open(settings.url)).close()

    asyncio.run(make())
    return settings.data_dir / "plugport.sqlite3"


@pytest.fixture
def serve(tmp_path: Path, catalog: Path, empty_database: Path) -> Serve:
    """Runs the whole application in this process: `async with serve(provider, …, setting=…) as admin:`."""

    @asynccontextmanager
    async def run(*providers: object, **settings: object) -> AsyncIterator[httpx.AsyncClient]:
        values: dict[str, Any] = {
            "data_dir": tmp_path / "data",
            "plugins_dir": catalog,
            "admin_token": ADMIN,
        } | settings
        database = Path(values["data_dir"], empty_database.name)
        if "database_url" not in values and not database.exists():
            database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(empty_database, database)
        inspected: list[Provider] = [
            provider
            if isinstance(provider, Provider)
            else inspect_provider(provider, type(provider).__name__.lower())
            for provider in providers
        ]
        app = create_app(Settings(**values), extra_providers=inspected)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            headers = {"Authorization": f"Bearer {ADMIN}"}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://plugport.test", headers=headers, timeout=60
            ) as client:
                yield client

    return run
