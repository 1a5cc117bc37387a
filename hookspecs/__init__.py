"""plugport.hookspecs: what a provider's author imports, and nothing heavier than pluggy."""

from . import values
from .archives import unpack
from .specs import HOOK_API_VERSION, PROJECT, hookimpl, hookspec
from .values import *  # noqa: F403 (every value is re-exported)

__all__ = ["HOOK_API_VERSION", "PROJECT", "hookimpl", "hookspec", "unpack"]
__all__ += values.__all__
