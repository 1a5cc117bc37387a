"""The service's settings. All come from the environment; docs/settings.md lists them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ..hookspecs.values import ServiceSettings, normalise_runtime

_MIB = 1024 * 1024


class SettingsInvalid(Exception):
    """Raised when a setting is not valid; its text names each such setting and what it accepts."""


def _split_names(value: object) -> object:
    """Split a text at its commas; brackets and quotes are left out, so that a list in JSON is read too."""
    if not isinstance(value, str):
        return value
    return tuple(part for text in value.split(",") if (part := text.strip('[]" ')))


_Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_names)]


def _either_name(new: str, old: str) -> AliasChoices:
    return AliasChoices(f"PLUGPORT_{new}", old)


class Settings(BaseSettings):
    """Every setting of the service, with its default. Sizes are in bytes, times in seconds."""

    model_config = SettingsConfigDict(env_prefix="PLUGPORT_", extra="ignore", frozen=True, populate_by_name=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    data_dir: Path = Field(default_factory=lambda: Path.home() / ".local" / "share" / "plugport")
    plugins_dir: Path | None = None
    admin_token: str | None = Field(default=None, min_length=8)
    database_url: str | None = None
    hook_timeout: float = Field(default=30.0, gt=0)
    delivery_timeout: float = Field(default=600.0, gt=0)
    config_dirs: dict[str, str] = Field(default_factory=dict)
    layouts: dict[str, str] = Field(default_factory=dict)
    ask_seconds: float = Field(default=10.0, gt=0)
    source_allow_hosts: _Names = ()
    providers_allow: Annotated[tuple[str, ...] | None, NoDecode, BeforeValidator(_split_names)] = None
    providers_block: _Names = ()
    strict_providers: bool = False
    trace_hooks: bool = False
    rate_limit: int = Field(default=600, ge=1)
    cache_bytes: int = Field(default=1024 * _MIB, ge=0)
    min_free_bytes: int = Field(default=_MIB, ge=0)
    max_tree_files: int = Field(default=10_000, ge=1)
    kept_files: int = Field(default=1_000, ge=1)
    kept_bytes: int = Field(default=64 * _MIB, ge=1)
    concurrency: int = Field(default=16, ge=1)
    body_max_bytes: int = Field(
        default=64 * 1024, ge=1, validation_alias=_either_name("BODY_MAX_BYTES", "PLUGIN_INSTALL_BODY_MAX_BYTES")
    )
    fetch_timeout: float = Field(
        default=300.0, gt=0, validation_alias=_either_name("FETCH_TIMEOUT", "PLUGIN_INSTALL_FETCH_TIMEOUT")
    )
    max_tree_bytes: int = Field(
        default=100 * _MIB, ge=1, validation_alias=_either_name("MAX_TREE_BYTES", "PLUGIN_INSTALL_MAX_DIR_BYTES")
    )
    allow_unpinned: bool = Field(
        default=False, validation_alias=_either_name("ALLOW_UNPINNED", "PLUGIN_ALLOW_UNPINNED")
    )

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the environment. Raises `SettingsInvalid`, which names every invalid setting, but not its value."""
        try:
            return cls()
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()]
            raise SettingsInvalid("; ".join(problems)) from None

    @cached_property
    def catalog_dir(self) -> Path:
        """The directory of the curated plugins behind `local://`, as an absolute path."""
        return (self.plugins_dir or self.data_dir / "plugins").absolute()

    @property
    def url(self) -> str:
        """The URL of the database, with the async driver that SQLAlchemy needs."""
        url = self.database_url or f"sqlite+aiosqlite:///{self.data_dir.absolute() / 'plugport.sqlite3'}"
        for plain, driver in (
            ("sqlite://", "sqlite+aiosqlite://"),
            ("postgresql://", "postgresql+asyncpg://"),
            ("postgres://", "postgresql+asyncpg://"),
        ):
            if url.startswith(plain):
                return driver + url.removeprefix(plain)
        return url

    @cached_property
    def layout_of_runtime(self) -> dict[str, str]:
        """The layout for each runtime that `layouts` names, in the spelling of `normalise_runtime`."""
        return {normalise_runtime(runtime): layout for runtime, layout in self.layouts.items()}

    @property
    def fetch_seconds(self) -> float:
        """The timeout of a fetch: its own setting; else the hook timeout if that is set; else five minutes."""
        return self._or_hook_timeout("fetch_timeout", self.fetch_timeout)

    @property
    def delivery_seconds(self) -> float:
        """The timeout of a delivery: its own setting; else the hook timeout if that is set; else ten minutes."""
        return self._or_hook_timeout("delivery_timeout", self.delivery_timeout)

    def _or_hook_timeout(self, name: str, value: float) -> float:
        own = name in self.model_fields_set or "hook_timeout" not in self.model_fields_set
        return value if own else self.hook_timeout

    def for_providers(self) -> ServiceSettings:
        """Return the settings that providers may see."""
        return ServiceSettings(
            plugins_dir=str(self.catalog_dir),
            config_dirs=MappingProxyType(
                {normalise_runtime(runtime): path for runtime, path in self.config_dirs.items()}
            ),
            allow_unpinned=self.allow_unpinned,
            source_allow_hosts=self.source_allow_hosts,
            fetch_timeout=self.fetch_seconds,
            max_tree_bytes=self.max_tree_bytes,
            max_tree_files=self.max_tree_files,
            kept_files=self.kept_files,
            kept_bytes=self.kept_bytes,
        )
