"""Finds, imports and checks providers by entry point, for the core and for the gates alike.

pluggy's own `load_setuptools_entrypoints` is unguarded: one import that fails ends the start-up, and a second
distribution that uses an entry point's name is skipped in silence. Here each provider is loaded by itself, what
fails is kept with its reason, and every complaint names the distribution.
"""

from __future__ import annotations

import inspect
import os
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from traceback import extract_tb
from types import MappingProxyType, TracebackType
from typing import Final

from .. import specs

GROUP = "plugport"
LINT_GROUP = "plugport.lint"
SLOW_IMPORT_SECONDS: Final = 0.25
"""An import that takes longer is named: every start of the service, and of `plugport providers`, waits for it."""
_WRAPPERS = ("hookwrapper", "wrapper")


class ProviderStatus(StrEnum):
    """What became of a provider."""

    LOADED = "loaded"
    FAILED = "failed"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Implementation:
    """One hook of one provider: the function, the arguments that it takes, and whether it is `async def`."""

    function: Callable[..., object]
    arguments: tuple[str, ...]
    is_async: bool


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as it was found. `reason` is one line for its author or operator where it is not LOADED.

    `import_seconds` is what importing it cost, `hook_api_version` what it was written for (where it does not say,
    what this plugport has); each of `notes` is one line for its author on what works today and should change.
    """

    name: str
    distribution: str
    version: str
    status: ProviderStatus
    reason: str | None = None
    plugin: object | None = None
    hooks: Mapping[str, Implementation] = field(default_factory=lambda: MappingProxyType({}))
    schemes: tuple[str, ...] = ()
    backend: str | None = None
    import_seconds: float = 0.0
    hook_api_version: int = specs.HOOK_API_VERSION
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """How messages name it: `name (distribution version)`."""
        return f"{self.name} ({self.distribution} {self.version})"


class ProviderInvalid(Exception):
    """Raised when an object cannot be a provider; its text says what its author must change."""


def discover(
    group: str = GROUP, *, allowed: Collection[str] | None = None, blocked: Collection[str] = ()
) -> list[Provider]:
    """Every provider of the group, by name. What is blocked (or not among `allowed`, unless that is None) is
    listed without being imported. Never raises for a provider's sake; may be repeated."""
    found: list[Provider] = []
    first: dict[str, str] = {}
    points = [(point.name, *_distribution(point), point.value, point) for point in entry_points(group=group)]
    for _, distribution, version, _, point in sorted(points, key=lambda found: found[:4]):
        if point.name in first and first[point.name] == f"{distribution} {point.value}":
            continue  # the same distribution seen through two entries of sys.path
        if point.name in blocked or (allowed is not None and point.name not in allowed):
            found.append(Provider(point.name, distribution, version, ProviderStatus.BLOCKED, "blocked by setting"))
        elif point.name in first:
            reason = f"the name {point.name!r} is taken by {first[point.name]}: rename the entry point or remove one"
            found.append(Provider(point.name, distribution, version, ProviderStatus.FAILED, reason))
        else:
            found.append(_load(point, distribution, version))
        first.setdefault(point.name, f"{distribution} {point.value}")
    return found


def examine(
    plugin: object, name: str, distribution: str = "(object)", version: str = "0", import_seconds: float = 0.0
) -> Provider:
    """Check an object that is at hand and describe it as a provider. Raises `ProviderInvalid`."""
    known = specifications()
    hooks = {hook: _implementation(hook, function, options, known) for hook, function, options in _marked(plugin)}
    schemes = getattr(plugin, "schemes", ())
    backend = getattr(plugin, "backend", None)
    if isinstance(schemes, str) or not all(isinstance(scheme, str) and scheme for scheme in schemes):
        raise ProviderInvalid("`schemes` must be a tuple of names, as in schemes = ('s3',)")
    if backend is not None and not (isinstance(backend, str) and backend):
        raise ProviderInvalid("`backend` must be a name, as in backend = 'kubernetes'")
    wanted = _hook_api_version(plugin)
    if not hooks:
        raise ProviderInvalid("it implements no hook: mark its functions with @plugport.hookspecs.hookimpl")
    if schemes and "resolve_source" not in hooks:
        raise ProviderInvalid("it declares `schemes`, but does not implement resolve_source")
    if "resolve_source" in hooks and not schemes:
        raise ProviderInvalid("it implements resolve_source, but declares no `schemes`")
    if "source_revision" in hooks and not schemes:
        raise ProviderInvalid("it implements source_revision, but declares no `schemes`")
    if backend is not None and not {"deliver", "is_running"} <= hooks.keys():
        raise ProviderInvalid("it declares a `backend`, but does not implement is_running and deliver")
    if backend is None and (lost := sorted(hooks.keys() & BACKEND_HOOKS)):
        raise ProviderInvalid(f"it implements {', '.join(lost)}, but declares no `backend`")
    return Provider(
        name,
        distribution,
        version,
        ProviderStatus.LOADED,
        None,
        plugin,
        MappingProxyType(hooks),
        tuple(schemes),
        backend,
        import_seconds,
        wanted,
        tuple(_notes(hooks, import_seconds)),
    )


BACKEND_HOOKS = frozenset({"preflight", "is_running", "deliver", "uninstall", "list_installed", "restart"})
"""The hooks that are asked of the one provider whose `backend` the workspace names."""


def own_settings(name: str, environment: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """A provider's own settings: `PLUGPORT_<NAME>_<KEY>` as `{"key": value}`."""
    prefix = f"PLUGPORT_{name.upper().replace('-', '_')}_"
    found = os.environ if environment is None else environment
    return MappingProxyType(
        {key.removeprefix(prefix).lower(): value for key, value in found.items() if key.startswith(prefix)}
    )


def specifications() -> Mapping[str, tuple[str, ...]]:
    """Every hook's name with its arguments, in order."""
    return {
        name: tuple(inspect.signature(function).parameters)
        for name, function in vars(specs).items()
        if inspect.isfunction(function) and hasattr(function, f"{specs.PROJECT}_spec")
    }


def conflicts(providers: Iterable[Provider]) -> list[str]:
    """One line for each scheme and backend that two loaded providers serve; the service does not start with one."""
    owners: dict[str, Provider] = {}
    found = []
    for provider in (one for one in providers if one.status is ProviderStatus.LOADED):
        claims = [f"the scheme {scheme}" for scheme in provider.schemes]
        claims += [f"the backend {provider.backend}"] if provider.backend else []
        for claim in claims:
            other = owners.setdefault(claim, provider)
            if other is not provider:
                found.append(
                    f"{claim} is served by {other.label} and by {provider.label}: "
                    "block one of them with PLUGPORT_PROVIDERS_BLOCK or uninstall it"
                )
    return found


def _hook_api_version(plugin: object) -> int:
    wanted = getattr(plugin, "hook_api_version", specs.HOOK_API_VERSION)
    if not isinstance(wanted, int) or isinstance(wanted, bool):
        raise ProviderInvalid("`hook_api_version` must be a number, as in hook_api_version = 2")
    oldest, newest = specs.OLDEST_HOOK_API_VERSION, specs.HOOK_API_VERSION
    if wanted > newest:
        raise ProviderInvalid(
            f"it was written for hook API version {wanted}, this plugport has {newest}: update plugport"
        )
    if wanted < oldest:
        raise ProviderInvalid(
            f"it was written for hook API version {wanted}, this plugport has {oldest} to {newest}: update it"
        )
    return wanted


def _notes(hooks: Mapping[str, Implementation], import_seconds: float) -> Iterable[str]:
    if import_seconds > SLOW_IMPORT_SECONDS:
        yield f"importing it took {import_seconds:.2f} s: import what is heavy in startup(context)"
    for hook, implementation in sorted(hooks.items()):
        if hook in specs.EXPECTED and specs.EXPECTED[hook] not in implementation.arguments:
            yield f"{hook} misses the argument {specs.EXPECTED[hook]}: it can do nothing but raise"
        options = getattr(getattr(specs, hook), f"{specs.PROJECT}_spec")
        if options["warn_on_impl"]:
            yield f"{hook} is deprecated: {options['warn_on_impl']}"
        for argument, warning in (options["warn_on_impl_args"] or {}).items():
            if argument in implementation.arguments:
                yield f"the argument {argument} of {hook} is deprecated: {warning}"


def _distribution(point: EntryPoint) -> tuple[str, str]:
    if point.dist is None:
        return "(unknown distribution)", "?"
    metadata = point.dist.metadata  # parsed anew each time that it is asked for
    return metadata["Name"], metadata["Version"]


def _load(point: EntryPoint, distribution: str, version: str) -> Provider:
    started = time.perf_counter()
    try:
        plugin = point.load()
        return examine(plugin, point.name, distribution, version, time.perf_counter() - started)
    except ProviderInvalid as error:
        reason = str(error)
    except ModuleNotFoundError as error:
        reason = f"importing {point.value} needs {error.name}: {_remedy(point, error.name or '')}"
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - an import may raise anything, SystemExit included
        reason = (
            f"importing {point.value} raised {type(error).__name__}: {error}{_where(error.__traceback__)}: "
            "do what can fail in startup(context)"
        )
    seconds = time.perf_counter() - started
    return Provider(point.name, distribution, version, ProviderStatus.FAILED, reason, import_seconds=seconds)


def _remedy(point: EntryPoint, module: str) -> str:
    """What installs the missing module: an extra of the provider's own distribution, where one names it."""
    wanted = module.partition(".")[0].lower().replace("_", "-")
    for requirement in (point.dist.requires or ()) if point.dist else ():
        needed = re.match(r"[\w.-]+", requirement)
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", requirement)
        if needed and extra and needed[0].lower().replace("_", "-") == wanted:
            return f"pip install '{_distribution(point)[0]}[{extra[1]}]'"
    return "install the package that has it beside plugport"


def _where(traceback: TracebackType | None) -> str:
    """The line of the provider's own code that raised last, as far as there is one."""
    frames = [frame for frame in extract_tb(traceback) if "importlib" not in frame.filename][1:]
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""


def _marked(plugin: object) -> Iterable[tuple[str, Callable[..., object], Mapping[str, object]]]:
    for attribute in dir(plugin):
        if attribute.startswith("__"):
            continue
        value = inspect.getattr_static(plugin, attribute)
        value = getattr(plugin, attribute) if not isinstance(value, property) else None
        options = getattr(value, f"{specs.PROJECT}_impl", None)
        if inspect.isroutine(value) and isinstance(options, dict):
            yield str(options.get("specname") or attribute), value, options


def _implementation(
    hook: str,
    function: Callable[..., object],
    options: Mapping[str, object],
    known: Mapping[str, tuple[str, ...]],
) -> Implementation:
    if hook not in known:
        raise ProviderInvalid(f"it implements the unknown hook {hook}; known: {', '.join(sorted(known))}")
    if any(options.get(kind) for kind in _WRAPPERS):
        raise ProviderInvalid(f"{hook} is a wrapper, which plugport does not call: implement the hook itself")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ProviderInvalid(f"{hook} is a generator: return the answer instead of yielding")
    arguments = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ProviderInvalid(f"{hook} takes *{parameter.name}: name the arguments that it needs")
        if parameter.name in known[hook]:
            arguments.append(parameter.name)
        elif parameter.default is parameter.empty:
            raise ProviderInvalid(
                f"{hook} takes the unknown argument {parameter.name}; it has: {', '.join(known[hook]) or 'none'}"
            )
    expected = specs.EXPECTED.get(hook)
    if hook == "resolve_source" and expected not in arguments:
        raise ProviderInvalid(f"{hook} misses the argument {expected}; it has: {', '.join(known[hook])}")
    return Implementation(function, tuple(arguments), inspect.iscoroutinefunction(function))
