"""The backend `docker`: delivers plugins into running containers."""

from ..lazy import LazyBackend

__all__ = ["provider"]

provider = LazyBackend(
    "docker",
    "plugport.builtin_backends.docker.backend:DockerBackend",
    {
        "check_workspace": ("workspace",),
        "is_running": ("workspace",),
        "inspect_target": ("workspace", "query"),
        "deliver": ("workspace", "bundle", "known", "activation"),
        "ask": ("workspace", "question"),
        "uninstall": ("workspace", "removal"),
        "list_installed": ("workspace",),
        "restart": ("workspace",),
    },
    needs=("docker",),
)
