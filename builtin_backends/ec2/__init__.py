"""The backend `ec2`: delivers plugins into instances through EC2 Instance Connect: no open port, no stored key."""

from ..lazy import LazyBackend

__all__ = ["provider"]

provider = LazyBackend(
    "ec2",
    "plugport.builtin_backends.ec2.backend:Ec2Backend",
    {
        "preflight": ("workspace", "action"),
        "check_workspace": ("workspace",),
        "is_running": ("workspace",),
        "inspect_target": ("workspace", "query"),
        "deliver": ("workspace", "bundle", "known", "activation"),
        "ask": ("workspace", "question"),
        "uninstall": ("workspace", "removal"),
        "list_installed": ("workspace",),
        "restart": ("workspace",),
    },
    needs=("boto3", "asyncssh", "websockets"),
)
