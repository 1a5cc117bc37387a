"""A target with a shell: what a backend's `deliver`, `uninstall` and `list_installed` do there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from ...hookspecs import (
    Answer,
    Bundle,
    InstalledPlugin,
    Question,
    Receipt,
    Removal,
    TargetChanges,
    TargetQuery,
    TargetState,
)
from ...hookspecs.errors import DeliveryFailed
from .activate import activate
from .ask import ask
from .channel import Channel, unavailable_on_failure
from .inspect import inspect
from .install import install
from .kept import KeepBounds
from .plugin_list import list_installed
from .script import NotWritable
from .uninstall import uninstall


class ShellTarget:
    """Delivers into `config_dir`, an absolute path on the target behind the channel.

    It keeps the promises of a delivery by scripts that need the tools and options in `tools.py` there. `home` is
    the agent's home: see `inspect`. `bounds` say how much of what people edited is kept. `caller` (hex) is for who
    delivers a plugin there once at a time: see `install`.
    """

    def __init__(
        self,
        channel: Channel,
        config_dir: str,
        *,
        home: str | None = None,
        bounds: KeepBounds | None = None,
        caller: str = "",
    ) -> None:
        self._channel, self._config_dir, self._home, self._bounds = channel, config_dir, home, bounds
        self._caller = caller

    async def deliver(
        self, bundle: Bundle, known: Iterable[str] = (), activation: TargetChanges | None = None
    ) -> Receipt:
        """Put the bundle at `plugins/<name>`, whole or not at all, and read its digest back. May be repeated.

        What somebody edited in the version that is replaced is set aside; `known` are digests of versions that
        plugport delivered. `activation` is done after that: `Receipt.refused` names what stood in its way. Raises
        `DeliveryFailed`, `UnsupportedTarget`, and what the channel raises.
        """
        with _plain_errors():
            receipt = await install(self._channel, self._config_dir, bundle, known, self._bounds, self._caller)
            return _joined(receipt, await self._activate(bundle.name, activation)) if activation else receipt

    async def uninstall(self, removal: Removal) -> Receipt:
        """Remove what `removal` names, and nothing else, or restore what it names. May be repeated.

        Its changes are made first; if something stands in their way (`Receipt.refused`), nothing else is done. Raises
        what `deliver` raises, and `PluginNotFound` if what is to be restored is not kept.
        """
        undone = Receipt(None)
        with _plain_errors():
            if removal.changes:
                undone = await self._activate(removal.name, removal.changes)
                if undone.refused:
                    return undone
            return _joined(await uninstall(self._channel, self._config_dir, removal, self._bounds), undone)

    async def ask(self, question: Question) -> Answer:
        """Run the agent's own command. Raises what `list_installed` raises."""
        with unavailable_on_failure():
            return await ask(self._channel, self._config_dir, question)

    async def inspect(self, query: TargetQuery) -> TargetState:
        """Return what lies at the paths of the query, in one round trip. Changes nothing. Raises what
        `list_installed` raises."""
        with unavailable_on_failure():
            return await inspect(self._channel, self._config_dir, query, self._home)

    async def list_installed(self) -> list[InstalledPlugin]:
        """List the installed plugins, in one round trip. May be repeated.

        Raises `UnsupportedTarget`, and what the channel raises; instead of `DeliveryFailed` and `DeliveryTimeout`,
        `BackendUnavailable`.
        """
        with unavailable_on_failure():
            return await list_installed(self._channel, self._config_dir)

    async def _activate(self, name: str, changes: TargetChanges) -> Receipt:
        return await activate(self._channel, self._config_dir, name, changes, self._bounds)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Raise `DeliveryFailed` for `NotWritable`, which becomes its cause."""
    try:
        yield
    except NotWritable as error:
        raise DeliveryFailed(error.reason) from error


def _joined(receipt: Receipt, other: Receipt) -> Receipt:
    """Return the receipt with what else was set aside and refused."""
    return replace(
        receipt,
        kept=(*other.kept, *receipt.kept),
        kept_files=(*other.kept_files, *receipt.kept_files),
        dropped=(*other.dropped, *receipt.dropped),
        refused=other.refused,
    )
