"""A target with a shell: what a backend's `deliver`, `uninstall` and `list_installed` do there."""

from __future__ import annotations

from ...hookspecs import Bundle, InstalledPlugin, Receipt, Removal
from ...hookspecs.errors import BackendUnavailable, DeliveryFailed, DeliveryTimeout
from .channel import Channel
from .install import install
from .plugin_list import list_installed
from .uninstall import uninstall


class ShellTarget:
    """Delivers into `config_dir`, an absolute path on the target behind the channel.

    It keeps the promises of a delivery by scripts that need `sh`, `tar`, `find`, `sort`, `xargs`, `sha256sum` and
    `mktemp` on the target.
    """

    def __init__(self, channel: Channel, config_dir: str) -> None:
        self._channel, self._config_dir = channel, config_dir

    async def deliver(self, bundle: Bundle) -> Receipt:
        """Put the bundle at `plugins/<name>`, whole or not at all, and read its digest back. May be repeated.

        Raises `DeliveryFailed`, `UnsupportedTarget`, and what the channel raises.
        """
        return await install(self._channel, self._config_dir, bundle)

    async def uninstall(self, removal: Removal) -> Receipt:
        """Remove what `removal` names, and nothing else. May be repeated. Raises what `deliver` raises."""
        return await uninstall(self._channel, self._config_dir, removal)

    async def list_installed(self) -> list[InstalledPlugin]:
        """List the installed plugins, in one round trip. May be repeated.

        Raises `UnsupportedTarget`, and what the channel raises; instead of `DeliveryFailed` and `DeliveryTimeout`,
        `BackendUnavailable`.
        """
        try:
            return await list_installed(self._channel, self._config_dir)
        except (DeliveryFailed, DeliveryTimeout) as error:
            raise BackendUnavailable(error.reason) from error
