"""Authenticates and authorizes requests. It fails closed: without a token, with an unknown one, and if the database
does not answer."""

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
from .store.tokens import Principal, Tokens


class Access(StrEnum):
    """Who may use a route. The admin may use every route."""

    ANYONE = "anyone"
    ADMIN = "admin"
    ORG = "org"
    WORKSPACE = "workspace"
    ANY_TOKEN = "any token"  # noqa: S105 - no secret: who may come


class Authenticator:
    """Knows the tokens, and limits requests to `rate_limit` a minute per token (per address without a token)."""

    def __init__(self, tokens: Tokens, admin_token: str | None, rate_limit: int) -> None:
        self._tokens = tokens
        self._admin_hash = hashlib.sha256(admin_token.encode()).digest() if admin_token else None
        self._limit = RateLimitItemPerMinute(rate_limit)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def check_rate(self, authorization: str | None, address: str) -> None:
        """Count a request. Raises `RateLimited`."""
        key = hashlib.sha256(authorization.encode()).hexdigest() if authorization else f"address:{address}"
        if not self._limiter.hit(self._limit, key):
            reset = self._limiter.get_window_stats(self._limit, key).reset_time
            raise errors.RateLimited(max(1, int(reset - time.time()) + 1))

    async def authorize(self, authorization: str | None, access: Access, subject: str | None) -> Principal:
        """Return who the token speaks for, if it opens the route; for ORG and WORKSPACE only with this subject.

        Raises `Unauthenticated` or `Forbidden`.
        """
        principal = await self._authenticate(authorization)
        if principal.kind == "admin" or access is Access.ANY_TOKEN:
            return principal
        if access is Access.ADMIN or principal.kind != access.value or principal.subject != subject:
            raise errors.Forbidden
        return principal

    async def _authenticate(self, authorization: str | None) -> Principal:
        kind, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if kind.lower() != "bearer" or not token or not token.isascii():
            raise errors.Unauthenticated
        if self._admin_hash and hmac.compare_digest(self._admin_hash, hashlib.sha256(token.encode()).digest()):
            return Principal("admin", "admin")
        principal = await self._tokens.principal(token)
        if principal is None:
            raise errors.Unauthenticated
        return principal


def new_token() -> str:
    """Make a token of 256 random bits."""
    return f"pp_{secrets.token_urlsafe(32)}"
