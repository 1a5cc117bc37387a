"""Finds providers by their entry points and imports them, for the core and for the gates alike.

pluggy's own `load_setuptools_entrypoints` is unguarded: one import that fails ends the start-up, and a second
distribution under the same entry-point name is skipped in silence. Here each provider is imported by itself. A
provider that fails is listed with its reason, and every reason names the distribution.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Mapping
from importlib.metadata import EntryPoint, entry_points
from traceback import extract_tb
from types import MappingProxyType, TracebackType
from typing import Final

from .inspection import inspect_provider
from .manager import ProviderManager
from .model import Provider, ProviderInvalid, ProviderStatus

GROUP: Final = "plugport"
LINT_GROUP: Final = "plugport.lint"


def discover(
    group: str = GROUP, *, allowed: Collection[str] | None = None, blocked: Collection[str] = ()
) -> list[Provider]:
    """Return the description of every provider of the group, sorted by name.

    A provider whose name is in `blocked`, or not in `allowed` (None allows all), is BLOCKED and not imported. Never
    raises because of a provider; may be repeated.
    """
    manager = ProviderManager()
    providers: list[Provider] = []
    owners: dict[str, str] = {}
    seen: set[tuple[str, str, str]] = set()
    points = [(point.name, *_distribution(point), point.value, point) for point in entry_points(group=group)]
    for name, distribution, version, value, point in sorted(points, key=lambda item: item[:4]):
        if (name, distribution, value) in seen:
            continue  # the same distribution is found through two entries of sys.path
        seen.add((name, distribution, value))
        if name in blocked or (allowed is not None and name not in allowed):
            manager.set_blocked(name)
        if manager.is_blocked(name):
            providers.append(Provider(name, distribution, version, ProviderStatus.BLOCKED, "blocked by setting"))
        elif name in owners:
            reason = f"the name {name!r} is taken by {owners[name]}: rename the entry point or remove one"
            providers.append(Provider(name, distribution, version, ProviderStatus.FAILED, reason))
        else:
            providers.append(_load(manager, point, distribution, version))
            owners[name] = f"{distribution} {value}"
    return providers


def own_settings(name: str, environment: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """Return a provider's own settings: `PLUGPORT_<NAME>_<KEY>` as `{"key": value}`."""
    prefix = f"PLUGPORT_{name.upper().replace('-', '_')}_"
    variables = os.environ if environment is None else environment
    return MappingProxyType(
        {key.removeprefix(prefix).lower(): value for key, value in variables.items() if key.startswith(prefix)}
    )


def _distribution(point: EntryPoint) -> tuple[str, str]:
    if point.dist is None:
        return "(unknown distribution)", "?"
    metadata = point.dist.metadata  # the property parses the file each time
    return metadata["Name"], metadata["Version"]


def _load(manager: ProviderManager, point: EntryPoint, distribution: str, version: str) -> Provider:
    started = time.perf_counter()
    try:
        plugin = point.load()
        return inspect_provider(
            plugin, point.name, distribution, version, time.perf_counter() - started, manager=manager
        )
    except ProviderInvalid as error:
        reason = error.reason
    except ModuleNotFoundError as error:
        reason = f"importing {point.value} needs {error.name}: {_remedy(point, error.name or '')}"
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - an import may raise anything, SystemExit included
        reason = (
            f"loading {point.value} raised {type(error).__name__}: {error}{_where(error.__traceback__)}: "
            "do what can fail in startup(context)"
        )
    seconds = time.perf_counter() - started
    return Provider(point.name, distribution, version, ProviderStatus.FAILED, reason, import_seconds=seconds)


def _remedy(point: EntryPoint, module: str) -> str:
    """Return what installs a missing module: an extra of the provider's own distribution, if one names it."""
    missing = module.partition(".")[0].lower().replace("_", "-")
    for requirement in (point.dist.requires or ()) if point.dist else ():
        package = re.match(r"[\w.-]+", requirement)
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", requirement)
        if package and extra and package[0].lower().replace("_", "-") == missing:
            return f"pip install '{_distribution(point)[0]}[{extra[1]}]'"
    return "install the package that has it beside plugport"


def _where(traceback: TracebackType | None) -> str:
    """Return the line of the provider's own code that raised last, if there is one."""
    frames = [frame for frame in extract_tb(traceback) if "importlib" not in frame.filename][1:]
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
