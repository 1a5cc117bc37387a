"""What every test of the service shares: the application in this process, and providers made for tests."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from plugport.core.app import create_app
from plugport.core.settings import Settings
from plugport.hookspecs.providers import Provider, inspect_provider

ADMIN = "admin-token-of-the-tests"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the settings of whoever runs it."""
    for name in list(os.environ):
        if name.startswith(("PLUGPORT_", "PLUGIN_")):
            monkeypatch.delenv(name)


Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """An empty curated registry."""
    folder = tmp_path / "registry"
    folder.mkdir()
    return folder


@pytest.fixture
def add_plugin(registry: Path) -> Callable[..., Path]:
    """Puts a plugin into the registry: `add_plugin("name", {"rules/a.md": "text"})`."""

    def add(name: str, files: dict[str, str | bytes] | None = None, version: str = "1.0.0") -> Path:
        folder = registry / name
        given: dict[str, str | bytes] = {"plugin.yaml": f"name: {name}\nversion: {version}\n"}
        for path, content in (given | (files or {})).items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return add


@pytest.fixture
def serve(tmp_path: Path, registry: Path) -> Serve:
    """Runs the whole application in this process: `async with serve(provider, …, setting=…) as admin:`."""

    @asynccontextmanager
    async def run(*providers: object, **settings: object) -> AsyncIterator[httpx.AsyncClient]:
        values = {"data_dir": tmp_path / "data", "plugins_dir": registry, "admin_token": ADMIN} | settings
        found: list[Provider] = [
            one if isinstance(one, Provider) else inspect_provider(one, type(one).__name__.lower())
            for one in providers
        ]
        app = create_app(Settings(**values), extra_providers=found)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            headers = {"Authorization": f"Bearer {ADMIN}"}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://plugport.test", headers=headers, timeout=60
            ) as client:
                yield client

    return run
