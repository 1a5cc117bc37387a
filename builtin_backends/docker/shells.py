"""Finds out once for each container how commands run in it: by which shell and as which user, or not at all."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from docker.errors import APIError

from ...hookspecs.errors import DeliveryFailed
from ..shell.probe import probe
from .channel import DockerChannel
from .engine import Client
from .errors import PathMissing, translate_errors
from .running import Container

SHELLS: Final = ("/bin/sh", "/usr/bin/sh", "/usr/local/bin/sh", "/busybox/sh")
"""Where a shell may lie that the container's PATH does not lead to."""
_REMEMBERED: Final = 1000
_DELETED: Final = 2
"""How the engine marks a path of the image that the container has deleted."""
_ROOT: Final = "0"


@dataclass(frozen=True, slots=True)
class _Access:
    """How commands run in a container; without a `shell` none do."""

    shell: str | None
    user: str = _ROOT


class Shells:
    """Remembers how commands run in each container, and which images have no shell.

    Why a command cannot be started is mostly a matter of the moment, such as a full memory. So an image counts as one
    without a shell only if no shell lies in the container, nothing is mounted over it, and none was deleted there.
    """

    def __init__(self, client: Client, logger: logging.Logger) -> None:
        self._client, self._logger = client, logger
        self._images: set[str] = set()
        self._containers: OrderedDict[tuple[str, str], _Access] = OrderedDict()

    async def channel(self, container: Container, config_dir: str) -> DockerChannel | None:
        """Return the channel to the container, None if it has no shell, or lacks a tool that the scripts need.

        Raises `DeliveryFailed` if there is a shell that cannot be started, and what the channel raises.
        """
        identity = container.identity or ""
        if container.image in self._images:
            return None
        access = self._containers.get((identity, config_dir))
        if access is None:
            access = await self._examine(container, identity, config_dir)
            if access is None:
                return None
            self._remember(identity, config_dir, access)
        if access.shell is None:
            return None
        return DockerChannel(self._client, identity, access.user, access.shell)

    async def as_owner(self, container: Container, config_dir: str) -> DockerChannel | None:
        """Return a channel whose commands run as the directory's owner from now on, None if they do already."""
        identity = container.identity or ""
        access = self._containers.get((identity, config_dir))
        if access is None or access.shell is None:
            return None
        answer = await probe(DockerChannel(self._client, identity, _ROOT, access.shell), config_dir)
        owner = _user(answer.owner) if answer is not None else access.user
        if owner == access.user:
            return None
        self._remember(identity, config_dir, _Access(access.shell, owner))
        return DockerChannel(self._client, identity, owner, access.shell)

    def _remember(self, identity: str, config_dir: str, access: _Access) -> None:
        self._containers[identity, config_dir] = access
        if len(self._containers) > _REMEMBERED:
            self._containers.popitem(last=False)

    async def _examine(self, container: Container, identity: str, config_dir: str) -> _Access | None:
        """Return how commands run in the container. None if there is no shell, which is remembered for the image."""
        for shell in ("sh", *SHELLS):
            if shell != "sh" and not await self._exists(identity, shell):
                continue
            answer = await probe(DockerChannel(self._client, identity, _ROOT, shell), config_dir)
            if answer is None:
                continue
            if answer.missing:
                self._logger.warning("the container %s lacks: %s", identity[:12], ", ".join(answer.missing))
                return _Access(None)
            return _Access(shell, _ROOT if answer.is_powerful else _user(answer.owner))
        present = [shell for shell in SHELLS if await self._exists(identity, shell)]
        if present:
            raise DeliveryFailed(f"{present[0]} is there, and cannot be started")
        if container.image is not None and await self._is_of_image(container, identity):
            self._logger.warning("the image %s has no shell", container.image)
            self._images.add(container.image)
        return None

    async def _exists(self, identity: str, path: str) -> bool:
        def exists() -> bool:
            try:
                with translate_errors():
                    chunks, _ = self._client.api().get_archive(identity, path)
                    chunks.close()
            except PathMissing:
                return False
            return True

        return await self._client.in_thread(exists)

    async def _is_of_image(self, container: Container, identity: str) -> bool:
        """Tell whether no shell lies in the container because none lies in its image."""
        if any(shell.startswith(f"{mount.target.rstrip('/')}/") for mount in container.mounts for shell in SHELLS):
            return False

        def no_shell_was_deleted() -> bool:
            try:
                changes = self._client.api().diff(identity)
            except APIError:
                return False
            deleted = {str(change["Path"]) for change in changes or () if change["Kind"] == _DELETED}
            return not any(f"{shell}/".startswith(f"{path}/") for shell in SHELLS for path in deleted)

        with translate_errors():
            return await self._client.in_thread(no_shell_was_deleted)


def _user(owner: str | None) -> str:
    """Return as whom commands run in a directory of that owner."""
    return _ROOT if owner is None or owner.startswith("0:") else owner
