"""The policy keeps its promises, and what is its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from plugport.hookspecs import Action, PolicyRequest, Refusal, ServiceSettings, Source, StartupContext, Workspace
from plugport.hookspecs.conformance import PolicyConformance, PolicyUnderTest
from plugport.hookspecs.providers import ProviderStatus, discover

from opa_policy import OpaPolicy
from opa_policy.conformance import Opa, target

REQUEST = PolicyRequest(Action.INSTALL, Workspace("w", org="acme"), Source("local", "hello"), "workspace:w")


class TestOpaPolicy(PolicyConformance):
    """The promises of every policy."""

    @pytest.fixture
    def under_test(self) -> Iterator[PolicyUnderTest]:
        """As the target gives it."""
        with target() as description:
            yield description


def started(settings: dict[str, str]) -> OpaPolicy:
    """Start the provider as the service does."""
    policy, nothing = OpaPolicy(), Any
    service, logger = ServiceSettings("/nonexistent"), logging.getLogger("test")
    policy.startup(StartupContext("opa-policy", settings, service, nothing, nothing, logger, nothing))
    return policy


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (True, None),
        ({"allow": True}, None),
        (False, "OPA does not allow it"),
        ({"allow": False, "reason": "frozen"}, "frozen"),
        ({"allow": "true"}, "OPA does not allow it"),
        ("yes", "OPA does not allow it"),
        (None, "OPA does not allow it"),
    ],
)
def test_only_a_clear_yes_lets_it_pass(document: object, reason: str | None) -> None:
    """A document that is not there, or of another form, does not."""
    with Opa(lambda asked: document).serving() as opa:
        answer = started({"url": opa.url}).check_policy(REQUEST)
    assert answer == (None if reason is None else Refusal(reason))


def test_opa_is_told_who_wants_what_where() -> None:
    """The input of the document."""
    seen: list[dict[str, Any]] = []
    with Opa(lambda asked: bool(seen.append(asked)) or True).serving() as opa:
        started({"url": opa.url}).check_policy(REQUEST)
    assert seen == [
        {
            "action": "install",
            "actor": "workspace:w",
            "workspace": {"id": "w", "org": "acme", "runtime": None},
            "source": "local://hello",
            "bundle": None,
        }
    ]


def test_it_does_not_start_without_an_address() -> None:
    """The error says what to set."""
    with pytest.raises(ValueError, match="PLUGPORT_OPA_POLICY_URL"):
        started({})


def test_plugport_finds_it() -> None:
    """Discovery loads it by its entry point."""
    (loaded,) = [provider for provider in discover(allowed=["opa-policy"]) if provider.name == "opa-policy"]
    assert (loaded.status, loaded.reason) == (ProviderStatus.LOADED, None)
