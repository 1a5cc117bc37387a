"""The environment in which an agent's own command finds the workspace's config dir."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from ...hookspecs import LayoutTarget
from .runtime import Runtime


def agent_environment(runtime: Runtime, target: LayoutTarget) -> Mapping[str, str]:
    """Return the variables by which the agent finds the config dir.

    An agent that would find it in its home is given that home alone: Claude Code keeps its state elsewhere when it is
    moved, and would write it a second time.
    """
    option = target.options.get("config_dir") or target.options.get("path")
    config_dir, usual = posixpath.normpath(str(option or "")), runtime.folder.removeprefix("~")
    if config_dir.endswith(usual):
        return {"HOME": config_dir.removesuffix(usual) or "/"}
    return {runtime.moved_by: "${config_dir}" + "/.." * runtime.moved_above}
