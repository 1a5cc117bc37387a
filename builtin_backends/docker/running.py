"""The one place that asks an engine about containers: whether they run, and what a delivery must know of one.

Nothing else in this repository may ask (the gate PP001 holds that), so a flaky engine can be taken for a stopped
container in one place alone, and here it is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from docker.errors import APIError, DockerException

from ...hookspecs import RunState

if TYPE_CHECKING:
    from docker import APIClient

_STOPPED = frozenset({"created", "exited", "dead", "removing", "paused"})


@dataclass(frozen=True, slots=True)
class Mounted:
    """A mount of a container: where it is, whether it is a tmpfs, whether it may be written."""

    target: str
    tmpfs: bool
    writable: bool


@dataclass(frozen=True, slots=True)
class Container:
    """What the engine said of one container. `identity` and `image` are None where there is none; `mounts` and
    `read_only` (its root file system) are filled in where they were asked for."""

    state: RunState
    identity: str | None = None
    image: str | None = None
    mounts: tuple[Mounted, ...] = ()
    read_only: bool = False

    def mount_of(self, path: str) -> Mounted | None:
        """The mount that a path lies on: the deepest one above it."""
        above = [one for one in self.mounts if f"{path}/".startswith(f"{one.target.rstrip('/')}/")]
        return max(above, key=lambda one: len(one.target), default=None)


def container_state(api: APIClient, names: Sequence[str], *, mounts: bool = False) -> dict[str, Container]:
    """What the engine says of each container of these names, by one list; with `mounts`, of each that runs in full.

    RUNNING: it runs. STOPPED: it is absent, was never started, has exited, is being removed, or is paused (it takes
    no command until somebody unpauses it). UNKNOWN, with the reason for the log: the engine cannot be reached, hangs
    or answers with an error, or the container is just restarting. The list is asked since an upload into a container
    holds up every other question about it. Blocking; never raises for the engine's sake; may be repeated.
    """

    def asked() -> dict[str, Container]:
        wanted = [f"^/?{re.escape(name)}$" for name in names]  # Podman matches the name without the slash
        rows = api.containers(all=True, filters={"name": wanted})
        found = {name.removeprefix("/"): row for row in rows for name in row.get("Names") or ()}
        return {name: in_full(found[name]) if name in found else Container(RunState.STOPPED) for name in names}

    def in_full(row: Mapping[str, Any]) -> Container:
        state = _state_of(str(row.get("State", "")))
        if not mounts or state != RunState.RUNNING:
            return Container(state, row["Id"], row.get("ImageID"))
        told = api.inspect_container(row["Id"])
        return Container(
            state,
            row["Id"],
            told.get("Image"),
            tuple(_mounts_of(told)),
            bool(told.get("HostConfig", {}).get("ReadonlyRootfs")),
        )

    try:
        return asked()
    except (APIError, DockerException, requests.RequestException, OSError, ValueError) as error:
        unknown = RunState.unknown(f"the engine did not say: {type(error).__name__}: {error}")
        return dict.fromkeys(names, Container(unknown))


def _state_of(state: str) -> RunState:
    if state == "running":
        return RunState.RUNNING
    if state in _STOPPED:
        return RunState.STOPPED
    return RunState.unknown(f"the container is {state or 'in no state that the engine names'}")


def _mounts_of(told: Mapping[str, Any]) -> list[Mounted]:
    found = [
        Mounted(str(one.get("Destination", "")), one.get("Type") == "tmpfs", bool(one.get("RW", True)))
        for one in told.get("Mounts") or ()
    ]
    for target, options in (told.get("HostConfig", {}).get("Tmpfs") or {}).items():
        found.append(Mounted(target, True, "ro" not in str(options).split(",")))
    return found
