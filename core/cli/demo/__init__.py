"""The demo of `plugport demo`: a service of its own, and workspaces of each kind that this machine can have."""


class DemoFailed(Exception):
    """Raised when a part cannot start, or a step does not do what it promises. The text says which and why."""
