"""The table of tokens. It holds the sha256 of each token, never the token itself."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from sqlalchemy import insert, select

from .database import Store
from .tables import tokens


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a token speaks for: `kind` is `admin`, `org` or `workspace` (`anyone` without a token); `subject` is the
    id of the organisation or the workspace."""

    kind: str
    subject: str


class Tokens(Store):
    """Adds tokens and looks them up."""

    async def add(self, token: str, principal: Principal) -> None:
        """Store the token of `principal`."""
        values = {
            "hash": _hash(token),
            "kind": principal.kind,
            "subject": principal.subject,
            "created_at": time.time(),
        }
        await self._database.execute(insert(tokens).values(values))

    async def principal(self, token: str) -> Principal | None:
        """Return who the token speaks for, or None if it is unknown."""
        query = select(tokens.c.kind, tokens.c.subject).where(tokens.c.hash == _hash(token))
        rows = await self._database.fetch(query)
        return Principal(**rows[0]) if rows else None

    async def has_admin(self) -> bool:
        """Return whether an admin token was ever stored."""
        return bool(await self._database.fetch(select(tokens.c.hash).where(tokens.c.kind == "admin").limit(1)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
