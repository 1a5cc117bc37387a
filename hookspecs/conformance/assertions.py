"""What every suite asserts of the errors that a provider raises."""

from __future__ import annotations

import json

from .. import errors
from ..specs import MAY_RAISE
from .runner import SECRET


def assert_error_is_safe(error: Exception, hook: str) -> None:
    """Fail if an error of the tree is not one that the hook may raise, itself and no subclass, or says a secret.

    Anything else that a provider raises reaches no client: the service answers with its own words.
    """
    if isinstance(error, errors.PlugportError):
        allowed = MAY_RAISE.get(hook, ())
        names = ", ".join(kind.__name__ for kind in allowed)
        assert type(error) in allowed, f"{type(error).__name__} may not be raised here: {names}"
        shown = error.detail + json.dumps(dict(error.members))
        assert SECRET not in shown, f"{type(error).__name__} would show a client what broke underneath: {shown}"
