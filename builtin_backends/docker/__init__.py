"""The backend `docker`: delivers plugins into running containers."""

from typing import TYPE_CHECKING, cast

from ..lazy import LazyBackend

if TYPE_CHECKING:
    from .backend import DockerBackend

__all__ = ["provider"]

provider = cast(
    "DockerBackend",
    LazyBackend(
        "docker",
        "plugport.builtin_backends.docker.backend:DockerBackend",
        {
            "check_workspace": ("workspace",),
            "is_running": ("workspace",),
            "inspect_target": ("workspace", "query"),
            "deliver": ("workspace", "bundle", "known"),
            "uninstall": ("workspace", "removal"),
            "list_installed": ("workspace",),
            "restart": ("workspace",),
        },
        needs=("docker",),
    ),
)
