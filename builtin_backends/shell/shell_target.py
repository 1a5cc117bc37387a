"""A target with a shell: what a backend's `deliver`, `uninstall` and `list_installed` do there."""

from __future__ import annotations

from ...hookspecs import Bundle, InstalledPlugin, Receipt, Removal
from ...hookspecs.errors import BackendUnavailable, DeliveryFailed
from . import install as installing
from . import listing
from . import uninstall as uninstalling
from .channel import Channel


class ShellTarget:
    """The config dir `config_dir` (an absolute path) behind a channel. It keeps the promises of a delivery with the
    scripts of this package, which want `sh`, `tar`, `find`, `sort`, `xargs`, `sha256sum` and `mktemp` there."""

    def __init__(self, channel: Channel, config_dir: str) -> None:
        self._channel, self._config_dir = channel, config_dir

    async def deliver(self, bundle: Bundle) -> Receipt:
        """Put the bundle at `plugins/<name>`, whole or not at all, and read its digest back. May be repeated.

        Raises `DeliveryFailed`, `UnsupportedTarget`, and what the channel raises.
        """
        return await installing.install(self._channel, self._config_dir, bundle)

    async def uninstall(self, removal: Removal) -> Receipt:
        """Take away what `removal` says, and nothing else. May be repeated. Raises what `deliver` raises."""
        return await uninstalling.uninstall(self._channel, self._config_dir, removal)

    async def list_installed(self) -> list[InstalledPlugin]:
        """What lies there, in one round trip. Raises `BackendUnavailable`, `UnsupportedTarget`, and what the channel
        raises, where a way that broke is a backend that could not be asked."""
        try:
            return await listing.list_installed(self._channel, self._config_dir)
        except DeliveryFailed as error:
            raise BackendUnavailable(error.reason) from error
