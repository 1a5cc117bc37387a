"""The policy `opa-policy`: asks Open Policy Agent whether a plugin may be installed.

Settings: `PLUGPORT_OPA_POLICY_URL`, the document to ask for, as in `http://opa:8181/v1/data/plugport/install`, and
`PLUGPORT_OPA_POLICY_TOKEN` if OPA wants one. The document is a boolean, or an object with `allow` and `reason`.
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from plugport.hookspecs import PolicyRequest, Refusal, StartupContext, hookimpl

__all__ = ["provider"]

_SECONDS = 5


class OpaPolicy:
    """Whatever it raises is a refusal, too: if OPA cannot be asked, nothing is installed."""

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        """Read the settings. OPA is asked with the first request."""
        self._url = context.settings.get("url", "")
        if not self._url:
            raise ValueError("set PLUGPORT_OPA_POLICY_URL, as in http://opa:8181/v1/data/plugport/install")
        self._headers = {"Content-Type": "application/json"}
        if token := context.settings.get("token"):
            self._headers["Authorization"] = f"Bearer {token}"

    @hookimpl
    def check_policy(self, request: PolicyRequest) -> Refusal | None:
        """Return None to allow it. A document that OPA does not have is a refusal."""
        body = json.dumps({"input": _input(request)}).encode()
        question = urllib.request.Request(self._url, body, self._headers, method="POST")
        with urllib.request.urlopen(question, timeout=_SECONDS) as reply:
            result = json.load(reply).get("result", False)
        allowed, reason = (result.get("allow"), result.get("reason")) if isinstance(result, dict) else (result, None)
        return None if allowed is True else Refusal(str(reason or "OPA does not allow it"))


def _input(request: PolicyRequest) -> dict[str, Any]:
    workspace, source, bundle = request.workspace, request.source, request.bundle
    return {
        "action": request.action.value,
        "actor": request.actor,
        "workspace": {"id": workspace.id, "org": workspace.org, "runtime": workspace.runtime},
        "source": None if source is None else f"{source.scheme}://{source.spec}",
        "bundle": None if bundle is None else {"name": bundle.name, "digest": bundle.digest},
    }


provider = OpaPolicy()
