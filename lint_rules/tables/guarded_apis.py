"""The APIs that PP001 guards by a preset, and the values that have their methods."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from .kinds import Kind

COMMANDS = frozenset({"docker", "podman", "nerdctl"})
REQUESTERS = frozenset({"curl", "wget", "http", "https", "xh", "curlie"})
"""Programs that send a request."""
ENGINE_LIBRARIES = frozenset({"docker", "aiodocker", "podman", "testcontainers", "python_on_whales"})
ONLY_CONTAINERS_HAVE = frozenset({"attrs", "exec_run", "put_archive", "get_archive", "short_id", "reload"})
"""Attributes by which a value of unknown kind is a docker-py container."""

CLIENT, LOW, CONTAINERS = "a docker-py client", "a docker-py API client", "a docker-py collection of containers"
CONTAINER, LISTED = "a docker-py container", "a list of docker-py containers"
AIO, AIO_CONTAINERS = "an aiodocker client", "an aiodocker collection of containers"
AIO_CONTAINER, AIO_LISTED = "an aiodocker container", "a list of aiodocker containers"
PODMAN, PODMEN = "a podman-py client", "a podman-py collection of containers"
PODMAN_CONTAINER, PODMAN_LISTED = "a podman-py container", "a list of podman-py containers"
WHALES, WHALES_CONTAINERS = "a python-on-whales client", "the containers of a python-on-whales client"
WHALES_CONTAINER, WHALES_LISTED = "a python-on-whales container", "a list of python-on-whales containers"
WHALES_COMPOSE = "the compose of a python-on-whales client"
TEST_CONTAINER, TEST_CLIENT, TEST_COMPOSE = (
    "a testcontainers container",
    "a testcontainers client",
    "a testcontainers compose",
)
TEST_SERVICE = "a container of a testcontainers compose"


def _collection(name: str, container: str, listed: str, client: str) -> Kind:
    makes = dict.fromkeys(("get", "create", "run", "prepare_model", "container"), container)
    return Kind(name, gives={**makes, "list": listed}, holds={"client": client})


_WHALES_GIVES = {
    **dict.fromkeys(("run", "create", "inspect"), WHALES_CONTAINER),
    **dict.fromkeys(("list", "ps"), WHALES_LISTED),
}
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(CLIENT, holds={"containers": CONTAINERS, "api": LOW}, gives={"from_env": CLIENT}),
        Kind(LOW),
        _collection(CONTAINERS, CONTAINER, LISTED, CLIENT),
        Kind(CONTAINER, holds={"client": CLIENT, "collection": CONTAINERS}),
        Kind(LISTED, items=CONTAINER, gives={"pop": CONTAINER}),
        Kind(AIO, holds={"containers": AIO_CONTAINERS}),
        _collection(AIO_CONTAINERS, AIO_CONTAINER, AIO_LISTED, AIO),
        Kind(AIO_CONTAINER),
        Kind(AIO_LISTED, items=AIO_CONTAINER, gives={"pop": AIO_CONTAINER}),
        Kind(PODMAN, holds={"containers": PODMEN}, gives={"from_env": PODMAN}),
        _collection(PODMEN, PODMAN_CONTAINER, PODMAN_LISTED, PODMAN),
        Kind(PODMAN_CONTAINER, holds={"client": PODMAN, "manager": PODMEN}),
        Kind(PODMAN_LISTED, items=PODMAN_CONTAINER, gives={"pop": PODMAN_CONTAINER}),
        Kind(WHALES, holds={"container": WHALES_CONTAINERS, "compose": WHALES_COMPOSE}, gives=_WHALES_GIVES),
        Kind(WHALES_CONTAINERS, gives=_WHALES_GIVES),
        Kind(WHALES_COMPOSE, gives={"ps": WHALES_LISTED}),
        Kind(WHALES_CONTAINER, items=WHALES_CONTAINER),  # `inspect` gives one, or a list
        Kind(WHALES_LISTED, items=WHALES_CONTAINER, gives={"pop": WHALES_CONTAINER}),
        Kind(
            TEST_CONTAINER,
            gives={
                "get_wrapped_container": CONTAINER,
                "get_docker_client": TEST_CLIENT,
                **dict.fromkeys(("start", "with_*", "waiting_for", "maybe_emulate_amd64"), TEST_CONTAINER),
            },
            holds={"_container": CONTAINER, "_docker": TEST_CLIENT},
        ),
        Kind(TEST_CLIENT, holds={"client": CLIENT}, gives={"run": CONTAINER, "create": CONTAINER}),
        Kind(TEST_COMPOSE, gives={"get_container": TEST_SERVICE, "waiting_for": TEST_COMPOSE}),
        Kind(TEST_SERVICE),
    )
}

MAKERS: Mapping[str, str] = {
    **dict.fromkeys(
        ("docker.from_env", "docker.client.from_env", "docker.DockerClient", "docker.client.DockerClient",
         "docker.DockerClient.from_env", "docker.client.DockerClient.from_env"),
        CLIENT,
    ),
    **dict.fromkeys(
        ("docker.APIClient", "docker.api.APIClient", "docker.api.client.APIClient", "docker.Client"), LOW
    ),
    "docker.models.containers.ContainerCollection": CONTAINERS,
    "docker.models.containers.Container": CONTAINER,
    **dict.fromkeys(("aiodocker.Docker", "aiodocker.docker.Docker"), AIO),
    "aiodocker.containers.DockerContainers": AIO_CONTAINERS,
    **dict.fromkeys(("aiodocker.containers.DockerContainer", "aiodocker.docker.DockerContainer"), AIO_CONTAINER),
    **dict.fromkeys(
        ("podman.PodmanClient", "podman.from_env", "podman.PodmanClient.from_env", "podman.client.PodmanClient",
         "podman.client.from_env", "podman.client.PodmanClient.from_env", "podman.DockerClient"),
        PODMAN,
    ),
    "podman.domain.containers_manager.ContainersManager": PODMEN,
    "podman.domain.containers.Container": PODMAN_CONTAINER,
    **dict.fromkeys(("python_on_whales.DockerClient", "python_on_whales.docker_client.DockerClient"), WHALES),
    **dict.fromkeys(
        ("python_on_whales.Container", "python_on_whales.components.container.cli_wrapper.Container"),
        WHALES_CONTAINER,
    ),
    "python_on_whales.components.container.cli_wrapper.ContainerCLI": WHALES_CONTAINERS,
    **dict.fromkeys(
        ("testcontainers.compose.DockerCompose", "testcontainers.compose.compose.DockerCompose"), TEST_COMPOSE
    ),
    **dict.fromkeys(
        ("testcontainers.compose.ComposeContainer", "testcontainers.compose.compose.ComposeContainer"), TEST_SERVICE
    ),
    **dict.fromkeys(
        ("testcontainers.core.docker_client.DockerClient", "testcontainers.core.container.DockerClient"), TEST_CLIENT
    ),
}  # fmt: skip
"""What makes or annotates a value, with its kind."""
PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"testcontainers\.[\w.]+Container"), TEST_CONTAINER),
)
CONSTANTS: Mapping[str, str] = {"python_on_whales.docker": WHALES, "python_on_whales.docker_client.docker": WHALES}
"""Names of modules that are such a value."""


@dataclass(frozen=True)
class Guard:
    """One guarded API. `members`: methods and attributes by the kind of value. `calls`: qualified names of functions
    and methods. `routes`: patterns of HTTP paths, in which `{}` stands for an unknown part. `commands`: words that
    follow the program's name. `anywhere`: methods whose name is enough, whatever the receiver is."""

    name: str
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    calls: frozenset[str] = frozenset()
    routes: tuple[str, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()
    anywhere: frozenset[str] = frozenset()

    @cached_property
    def words(self) -> frozenset[str]:
        """The attribute names that can be a use of this API."""
        ends = frozenset(name.rpartition(".")[2] for name in self.calls)
        return ends.union(self.anywhere, *self.members.values())


_WHALES_READS = frozenset({"reload", "state", "config", "host_config", "network_settings", "mounts", "restart_count"})
PRESETS: Mapping[str, Guard] = {
    "docker-inspect": Guard(
        "docker-inspect",
        members={
            CONTAINERS: frozenset({"get"}),
            CONTAINER: frozenset({"reload", "status", "attrs", "health"}),
            LOW: frozenset({"inspect_container"}),
            AIO_CONTAINERS: frozenset({"get", "container"}),
            AIO_CONTAINER: frozenset({"show"}),
            PODMEN: frozenset({"get", "exists"}),
            PODMAN_CONTAINER: frozenset({"reload", "status", "attrs", "health", "inspect"}),
            WHALES_CONTAINERS: frozenset({"inspect", "exists"}),
            WHALES_CONTAINER: _WHALES_READS | {"exists"},
            TEST_CONTAINER: frozenset({"reload", "status", "get_container_info"}),
            TEST_CLIENT: frozenset({"get_container_inspect_info", "get_container"}),
            TEST_SERVICE: frozenset({"get_container_info"}),
        },
        routes=(r"(^|[/\x00\x01])containers/[^/\s?]+/json\b",),
        commands=(("inspect",), ("container", "inspect")),
        anywhere=frozenset({"inspect_container"}),
    ),
    "docker-list": Guard(
        "docker-list",
        members={
            CONTAINERS: frozenset({"list"}),
            LOW: frozenset({"containers"}),
            AIO_CONTAINERS: frozenset({"list"}),
            PODMEN: frozenset({"list"}),
            WHALES_CONTAINERS: frozenset({"list"}),
            WHALES: frozenset({"ps"}),
            WHALES_COMPOSE: frozenset({"ps"}),
            TEST_COMPOSE: frozenset({"get_containers"}),
        },
        routes=(r"(^|[/\x00\x01])containers/json\b",),
        commands=(("ps",), ("container", "ls"), ("container", "list"), ("container", "ps")),
    ),
}
