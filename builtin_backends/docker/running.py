"""The only place that asks an engine about containers: whether they run, and what a delivery needs to know of one.

The gate PP001 fails if any other code asks. So there is one place that could confuse an engine that fails with a
container that is stopped, and it does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests
from docker import APIClient
from docker.errors import APIError, DockerException

from ...hookspecs import RunState

_STATES: Mapping[str, RunState] = {
    "running": RunState.RUNNING,
    **dict.fromkeys(("created", "exited", "dead", "removing", "paused"), RunState.STOPPED),
}


@dataclass(frozen=True, slots=True)
class Mount:
    """A mount of a container: its path, whether it is a tmpfs, whether it can be written."""

    target: str
    tmpfs: bool
    writable: bool


@dataclass(frozen=True, slots=True)
class Container:
    """What the engine reports of one container.

    `identity` and `image` are ids, None if the container is absent. `unsettled` is true for a container whose state
    may change within a second, such as one that restarts. `mounts` and `read_only` (the root file system) are filled
    in if they were asked for.
    """

    state: RunState
    identity: str | None = None
    image: str | None = None
    unsettled: bool = False
    mounts: tuple[Mount, ...] = ()
    read_only: bool = False

    def mount_of(self, path: str) -> Mount | None:
        """Return the mount that holds a path, the deepest if several do; None if it is in the root file system."""
        above = [mount for mount in self.mounts if f"{path}/".startswith(f"{mount.target.rstrip('/')}/")]
        return max(above, key=lambda mount: len(mount.target), default=None)


def container_state(api: APIClient, names: Sequence[str], *, mounts: bool = False) -> dict[str, Container]:
    """Return what the engine reports of each name, by one list; with `mounts`, inspect each container that runs.

    RUNNING: it runs. STOPPED: it is absent, was never started, has exited, is being removed, or is paused (it takes
    no command until somebody unpauses it). UNKNOWN, with the reason for the log: the engine cannot be reached, hangs
    or answers with an error, or the container restarts at the moment. The list is used because an upload into a
    container blocks every other request about it. Blocking; raises no error of the engine; may be repeated.
    """

    def list_containers() -> dict[str, Container]:
        patterns = [f"^/?{re.escape(name)}$" for name in names]  # Podman matches the name without the slash
        listed = api.containers(all=True, filters={"name": patterns})
        rows = {name.removeprefix("/"): row for row in listed for name in row.get("Names") or ()}
        return {name: inspect(rows[name]) if name in rows else Container(RunState.STOPPED) for name in names}

    def inspect(row: Mapping[str, Any]) -> Container:
        name = str(row.get("State", ""))
        state = _STATES.get(name) or RunState.unknown(f"the container is in the state {name!r}")
        if not mounts or state != RunState.RUNNING:
            return Container(state, row["Id"], row.get("ImageID"), unsettled=state.reason is not None)
        details = api.inspect_container(row["Id"])
        host_config = details.get("HostConfig", {})
        return Container(
            state,
            row["Id"],
            details.get("Image"),
            mounts=tuple(_mounts(details.get("Mounts") or (), host_config.get("Tmpfs") or {})),
            read_only=bool(host_config.get("ReadonlyRootfs")),
        )

    try:
        return list_containers()
    except (APIError, DockerException, requests.RequestException, OSError, ValueError) as error:
        unknown = RunState.unknown(f"the engine did not answer: {type(error).__name__}: {error}")
        return dict.fromkeys(names, Container(unknown))


def _mounts(mounts: Sequence[Mapping[str, Any]], tmpfs: Mapping[str, Any]) -> list[Mount]:
    return [
        *(Mount(str(mount.get("Destination", "")), mount.get("Type") == "tmpfs", bool(mount.get("RW", True)))
          for mount in mounts),
        *(Mount(target, True, "ro" not in str(options).split(",")) for target, options in tmpfs.items()),
    ]  # fmt: skip
