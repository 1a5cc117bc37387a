"""What handlers share through a request or an application is the same in whatever object they find it."""

from __future__ import annotations

from ...tables.python_calls import SHARED


def shared_place(root: str, parts: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return where parts of an object lie whose class, `root`, is not the project's: `fastapi.Request#app#state#jobs`
    is `.app#state#jobs`. Return the same root and parts for what handlers do not share, and for no class."""
    index = next((index for index, part in enumerate(parts) if part in SHARED), None)
    if index is None or not names_class(root):
        return root, parts
    return f".{parts[index]}", parts[index + 1 :]


def names_class(root: str) -> bool:
    """Return whether the name of a store is written like that of a class."""
    last = root.rpartition(".")[2]
    return last[:1].isupper() and not last.isupper() and not last.endswith(")")
