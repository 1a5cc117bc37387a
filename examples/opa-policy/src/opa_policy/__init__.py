"""The policy `opa-policy`: plugins come from the schemes that are allowed, and from nowhere else.

Setting: `PLUGPORT_OPA_POLICY_SCHEMES`, as in `local,github`.
"""

from __future__ import annotations

from plugport.hookspecs import PolicyRequest, Refusal, StartupContext, hookimpl

__all__ = ["provider"]


class OpaPolicy:
    """Asked before the fetch, and again after it with `request.bundle`. Whatever it raises is a refusal, too."""

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        """Take the settings. What is raised here is what `plugport providers` and the log say."""
        given = context.settings.get("schemes", "")
        self._schemes = {one.strip() for one in given.split(",") if one.strip()}
        if not self._schemes:
            raise ValueError("set PLUGPORT_OPA_POLICY_SCHEMES to what is allowed, as in local,github")

    @hookimpl
    def check_policy(self, request: PolicyRequest) -> Refusal | None:
        """None lets it pass. The reason goes to the log, not to the client."""
        if request.source is None or request.source.scheme in self._schemes:
            return None
        return Refusal(f"{request.actor} may not take plugins from {request.source.scheme}://")


provider = OpaPolicy()
