"""A target with a shell: what a backend's `deliver`, `uninstall` and `list_installed` do there."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import TypeVar

from ...hookspecs import Bundle, InstalledPlugin, Receipt, Removal, TargetQuery, TargetState
from ...hookspecs.errors import BackendUnavailable, DeliveryFailed, DeliveryTimeout
from .channel import Channel
from .inspect import inspect
from .install import install
from .kept import KeepBounds
from .plugin_list import list_installed
from .uninstall import uninstall

_T = TypeVar("_T")


class ShellTarget:
    """Delivers into `config_dir`, an absolute path on the target behind the channel.

    It keeps the promises of a delivery by scripts that need `sh`, `tar`, `find`, `sort`, `xargs`, `sha256sum` and
    `mktemp` on the target, and the other tools of POSIX if something is replaced or removed. `home` is the agent's
    home: see `inspect`. `bounds` say how much of what people edited is kept.
    """

    def __init__(
        self, channel: Channel, config_dir: str, *, home: str | None = None, bounds: KeepBounds | None = None
    ) -> None:
        self._channel, self._config_dir, self._home, self._bounds = channel, config_dir, home, bounds

    async def deliver(self, bundle: Bundle, known: Iterable[str] = ()) -> Receipt:
        """Put the bundle at `plugins/<name>`, whole or not at all, and read its digest back. May be repeated.

        What somebody edited in the version that is replaced is set aside; `known` are digests of versions that
        plugport delivered. Raises `DeliveryFailed`, `UnsupportedTarget`, and what the channel raises.
        """
        return await install(self._channel, self._config_dir, bundle, known, self._bounds)

    async def uninstall(self, removal: Removal) -> Receipt:
        """Remove what `removal` names, and nothing else, or restore what it names. May be repeated.

        Raises what `deliver` raises, and `PluginNotFound` if what is to be restored is not kept.
        """
        return await uninstall(self._channel, self._config_dir, removal, self._bounds)

    async def inspect(self, query: TargetQuery) -> TargetState:
        """Return what lies at the paths of the query, in one round trip. Changes nothing. Raises what
        `list_installed` raises."""
        return await _read(inspect(self._channel, self._config_dir, query, self._home))

    async def list_installed(self) -> list[InstalledPlugin]:
        """List the installed plugins, in one round trip. May be repeated.

        Raises `UnsupportedTarget`, and what the channel raises; instead of `DeliveryFailed` and `DeliveryTimeout`,
        `BackendUnavailable`.
        """
        return await _read(list_installed(self._channel, self._config_dir))


async def _read(answer: Awaitable[_T]) -> _T:
    try:
        return await answer
    except (DeliveryFailed, DeliveryTimeout) as error:
        raise BackendUnavailable(error.reason) from error
