"""Who asks, and whether they may. Everything fails closed: no token, an unknown one or a database that does not
answer open nothing."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from enum import StrEnum

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from ..hookspecs import errors
from .store.registry import Owner, Tokens


class Access(StrEnum):
    """Whom a route is for. The admin may use every route."""

    ANYONE = "anyone"
    ADMIN = "admin"
    ORG = "org"
    WORKSPACE = "workspace"
    ANY_TOKEN = "any token"  # noqa: S105 - no secret: who may come


class Gatekeeper:
    """Knows tokens, and counts requests: `rate_limit` a minute per token (per address where there is none)."""

    def __init__(self, tokens: Tokens, admin_token: str | None, rate_limit: int) -> None:
        self._tokens = tokens
        self._admin = hashlib.sha256(admin_token.encode()).digest() if admin_token else None
        self._limit = RateLimitItemPerMinute(rate_limit)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def count(self, authorization: str | None, address: str) -> None:
        """Count a request. Raises `RateLimited`."""
        key = hashlib.sha256(authorization.encode()).hexdigest() if authorization else f"address:{address}"
        if not self._limiter.hit(self._limit, key):
            reset = self._limiter.get_window_stats(self._limit, key).reset_time
            raise errors.RateLimited(max(1, int(reset - time.time()) + 1))

    async def authenticate(self, authorization: str | None) -> Owner:
        """Whose token this is. Raises `Unauthenticated`."""
        kind, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if kind.lower() != "bearer" or not token or not token.isascii():
            raise errors.Unauthenticated
        if self._admin and hmac.compare_digest(self._admin, hashlib.sha256(token.encode()).digest()):
            return Owner("admin", "admin")
        owner = await self._tokens.owner(token)
        if owner is None:
            raise errors.Unauthenticated
        return owner

    async def admit(self, authorization: str | None, access: Access, subject: str | None) -> Owner:
        """Whose token this is, where it opens the route: for ORG and WORKSPACE that subject alone.

        Raises `Unauthenticated` or `Forbidden`.
        """
        owner = await self.authenticate(authorization)
        if owner.kind == "admin" or access is Access.ANY_TOKEN:
            return owner
        if access is Access.ADMIN or owner.kind != access.value or owner.subject != subject:
            raise errors.Forbidden
        return owner


def new_token() -> str:
    """A token of 256 random bits."""
    return f"pp_{secrets.token_urlsafe(32)}"
