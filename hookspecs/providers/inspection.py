"""Describes an object as a provider, or says why it cannot be one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NoReturn

import pluggy

from .. import specs
from .manager import ProviderManager
from .model import Provider, ProviderInvalid, ProviderStatus

SLOW_IMPORT_SECONDS: Final = 0.25
"""An import that takes longer is noted: every start of the service, and of `plugport providers`, waits for it."""
BACKEND_HOOKS: Final = frozenset(
    {
        "check_workspace",
        "preflight",
        "inspect_target",
        "is_running",
        "deliver",
        "uninstall",
        "list_installed",
        "restart",
        "ask",
    }
)
"""The hooks that are called for the one provider whose `backend` the workspace names."""


def inspect_provider(
    plugin: object,
    name: str,
    distribution: str = "(object)",
    version: str = "0",
    import_seconds: float = 0.0,
    manager: ProviderManager | None = None,
) -> Provider:
    """Register an object with the manager (None: with one of its own) and describe it as a LOADED provider.

    Raises `ProviderInvalid`, and what reading the attributes `schemes`, `backend`, `layouts`, `format` and
    `hook_api_version` raises.
    """
    manager = manager or ProviderManager()
    try:
        manager.register(plugin, name)
        schemes, backend = _names(plugin, "schemes", "s3"), _name(plugin, "backend", "kubernetes")
        hook_api_version = _hook_api_version(plugin)
        hooks = manager.implementations(name)
        if not manager.get_hookcallers(manager.get_plugin(name)):
            _refuse(plugin, "it implements no hook: mark its functions with @plugport.hookspecs.hookimpl")
        _check_attributes(plugin, hooks, schemes, backend)
        # Providers of hook API 3 may have attributes of these names for purposes of their own.
        layouts = _names(plugin, "layouts", "my-agent") if "lay_out" in hooks else ()
        if "lay_out" in hooks and not layouts:
            _refuse(plugin, "it implements lay_out, but declares no `layouts`")
        format_name = _name(plugin, "format", "my-format") if "read_plugin" in hooks else None
        if "read_plugin" in hooks and format_name is None:
            _refuse(plugin, "it implements read_plugin, but declares no `format`")
    except pluggy.PluginValidationError as error:
        raise ProviderInvalid(f"{name} ({distribution} {version})", str(error)) from error
    return Provider(
        name,
        distribution,
        version,
        ProviderStatus.LOADED,
        plugin=plugin,
        hooks=MappingProxyType(hooks),
        schemes=schemes,
        backend=backend,
        layouts=layouts,
        format=format_name,
        config_dirs=_config_dirs(plugin) if layouts else MappingProxyType({}),
        import_seconds=import_seconds,
        hook_api_version=hook_api_version,
        notes=tuple(_notes(manager, name, import_seconds)),
    )


def _refuse(plugin: object, text: str) -> NoReturn:
    raise pluggy.PluginValidationError(plugin, text)


def _names(plugin: object, attribute: str, example: str) -> tuple[str, ...]:
    names = getattr(plugin, attribute, ())
    if isinstance(names, str) or not all(isinstance(name, str) and name for name in names):
        _refuse(plugin, f"`{attribute}` must be a tuple of names, as in {attribute} = ('{example}',)")
    return tuple(names)


def _name(plugin: object, attribute: str, example: str) -> str | None:
    name = getattr(plugin, attribute, None)
    if name is not None and not (isinstance(name, str) and name):
        _refuse(plugin, f"`{attribute}` must be a name, as in {attribute} = '{example}'")
    return name


def _config_dirs(plugin: object) -> Mapping[str, str]:
    folders = getattr(plugin, "config_dirs", {})
    if not isinstance(folders, Mapping) or not all(str(folder).startswith("~/") for folder in folders.values()):
        _refuse(
            plugin, "`config_dirs` must map a layout to a folder below the home, as in {'my-agent': '~/.my-agent'}"
        )
    return MappingProxyType(dict(folders))


def _hook_api_version(plugin: object) -> int:
    version = getattr(plugin, "hook_api_version", specs.HOOK_API_VERSION)
    oldest, newest = specs.OLDEST_HOOK_API_VERSION, specs.HOOK_API_VERSION
    if not isinstance(version, int) or isinstance(version, bool):
        _refuse(plugin, "`hook_api_version` must be a number, as in hook_api_version = 2")
    if version > newest:
        _refuse(plugin, f"it was written for hook API version {version}, this plugport has {newest}: update plugport")
    if version < oldest:
        text = f"it was written for hook API version {version}, this plugport has {oldest} to {newest}: update it"
        _refuse(plugin, text)
    return version


def _check_attributes(plugin: object, hooks: Collection[str], schemes: Collection[str], backend: str | None) -> None:
    if schemes and "resolve_source" not in hooks:
        _refuse(plugin, "it declares `schemes`, but does not implement resolve_source")
    for hook in ("resolve_source", "source_revision"):
        if hook in hooks and not schemes:
            _refuse(plugin, f"it implements {hook}, but declares no `schemes`")
    if backend is not None and not {"deliver", "is_running"} <= set(hooks):
        _refuse(plugin, "it declares a `backend`, but does not implement is_running and deliver")
    if backend is None and (unrouted := sorted(BACKEND_HOOKS.intersection(hooks))):
        _refuse(plugin, f"it implements {', '.join(unrouted)}, but declares no `backend`")


def _notes(manager: ProviderManager, name: str, import_seconds: float) -> Iterator[str]:
    if import_seconds > SLOW_IMPORT_SECONDS:
        yield f"importing it took {import_seconds:.2f} s: import what is heavy in startup(context)"
    for hook, implementation in sorted(manager.implementations(name).items()):
        essential = specs.ESSENTIAL_ARGUMENT.get(hook)
        if essential is not None and essential not in implementation.arguments:
            yield f"{hook} misses the argument {essential}: it can do nothing but raise"
        yield from manager.deprecations(hook, implementation.arguments)
