"""The APIs that PP001 guards by a preset, and the values that have their methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from .kinds import Kind

COMMANDS = frozenset({"docker", "podman", "nerdctl"})
CLIENT, LOW, CONTAINERS = "a docker-py client", "a docker-py API client", "a docker-py collection of containers"
CONTAINER, LISTED = "a docker-py container", "a list of docker-py containers"
AIO, AIO_CONTAINERS = "an aiodocker client", "an aiodocker collection of containers"
AIO_CONTAINER, AIO_LISTED = "an aiodocker container", "a list of aiodocker containers"

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(CLIENT, holds={"containers": CONTAINERS, "api": LOW}),
        Kind(LOW),
        Kind(
            CONTAINERS,
            gives={
                "get": CONTAINER,
                "create": CONTAINER,
                "run": CONTAINER,
                "list": LISTED,
                "prepare_model": CONTAINER,
            },
            holds={"client": CLIENT},
        ),
        Kind(CONTAINER, holds={"client": CLIENT, "collection": CONTAINERS}),
        Kind(LISTED, items=CONTAINER, gives={"pop": CONTAINER}),
        Kind(AIO, holds={"containers": AIO_CONTAINERS}),
        Kind(
            AIO_CONTAINERS,
            gives={
                "get": AIO_CONTAINER,
                "container": AIO_CONTAINER,
                "create": AIO_CONTAINER,
                "run": AIO_CONTAINER,
                "list": AIO_LISTED,
            },
        ),
        Kind(AIO_CONTAINER),
        Kind(AIO_LISTED, items=AIO_CONTAINER),
    )
}

MAKERS: Mapping[str, str] = {
    **dict.fromkeys(
        ("docker.from_env", "docker.client.from_env", "docker.DockerClient", "docker.client.DockerClient",
         "docker.DockerClient.from_env", "docker.client.DockerClient.from_env", "podman.PodmanClient",
         "podman.from_env", "podman.PodmanClient.from_env"),
        CLIENT,
    ),
    **dict.fromkeys(
        ("docker.APIClient", "docker.api.APIClient", "docker.api.client.APIClient", "docker.Client"), LOW
    ),
    "docker.models.containers.ContainerCollection": CONTAINERS,
    "docker.models.containers.Container": CONTAINER,
    **dict.fromkeys(("aiodocker.Docker", "aiodocker.docker.Docker"), AIO),
    "aiodocker.containers.DockerContainers": AIO_CONTAINERS,
    "aiodocker.containers.DockerContainer": AIO_CONTAINER,
    "aiodocker.docker.DockerContainer": AIO_CONTAINER,
}  # fmt: skip


@dataclass(frozen=True)
class Guard:
    """One guarded API. `members`: methods and attributes by the kind of value. `calls`: qualified names of functions
    and methods. `routes`: patterns of HTTP paths, in which `{}` stands for an unknown part. `commands`: words that
    follow the program's name. `anywhere`: methods whose name is enough, whatever the receiver is.
    `collection_methods`: methods guarded in `client.containers.METHOD` if only the client's name is known."""

    name: str
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    calls: frozenset[str] = frozenset()
    routes: tuple[str, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()
    anywhere: frozenset[str] = frozenset()
    collection_methods: frozenset[str] = frozenset()

    @cached_property
    def words(self) -> frozenset[str]:
        """The attribute names that can be a use of this API."""
        ends = frozenset(name.rpartition(".")[2] for name in self.calls)
        return ends.union(self.anywhere, self.collection_methods, *self.members.values())


PRESETS: Mapping[str, Guard] = {
    "docker-inspect": Guard(
        "docker-inspect",
        members={
            CONTAINERS: frozenset({"get"}),
            CONTAINER: frozenset({"reload", "status", "attrs", "health"}),
            LOW: frozenset({"inspect_container"}),
            AIO_CONTAINERS: frozenset({"get", "container"}),
            AIO_CONTAINER: frozenset({"show"}),
        },
        routes=(r"/containers/[^/\s?]+/json\b",),
        commands=(("inspect",), ("container", "inspect")),
        anywhere=frozenset({"inspect_container"}),
        collection_methods=frozenset({"get"}),
    ),
    "docker-list": Guard(
        "docker-list",
        members={
            CONTAINERS: frozenset({"list"}),
            LOW: frozenset({"containers"}),
            AIO_CONTAINERS: frozenset({"list"}),
        },
        routes=(r"/containers/json\b",),
        commands=(("ps",), ("container", "ls"), ("container", "list"), ("container", "ps")),
        collection_methods=frozenset({"list"}),
    ),
}
