"""What the conformance kit tries this policy on: the tests and `plugport conform opa-policy` use it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from plugport.hookspecs import Action, PolicyRequest, Source, Workspace
from plugport.hookspecs.conformance import PolicyUnderTest

from opa_policy import provider


@contextlib.contextmanager
def target() -> Iterator[PolicyUnderTest]:
    """The provider with a request that it lets pass, and one that it refuses."""
    workspace = Workspace("w", org="acme")
    yield PolicyUnderTest(
        provider,
        allowed=PolicyRequest(Action.INSTALL, workspace, Source("local", "hello"), "workspace:w"),
        refused=PolicyRequest(Action.INSTALL, workspace, Source("elsewhere", "hello"), "workspace:w"),
        settings={"schemes": "local"},
    )
