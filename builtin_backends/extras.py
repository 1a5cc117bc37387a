"""Extras that a built-in provider needs: looked for when it is loaded, imported when it is started.

Looking costs a millisecond, importing boto3 or docker-py some hundred.
"""

from __future__ import annotations

from importlib.util import find_spec


def needs(*modules: str) -> None:
    """Raise `ModuleNotFoundError` for the first of these top-level modules that is not installed."""
    for module in modules:
        if find_spec(module) is None:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)
