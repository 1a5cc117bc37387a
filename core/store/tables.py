"""The tables. They use plain SQL types only, so that they work on SQLite and on PostgreSQL.

Rows refer to a workspace by its id without a foreign key: a team may keep its workspaces elsewhere.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata: Final = MetaData()
_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")

workspaces: Final = Table(
    "workspaces",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("org", String(128)),
    Column("runtime", String(128)),
    Column("backend", String(128)),
    Column("layout", Text),
    Column("container", String(255)),
    Column("instance_id", String(255)),
    Column("options", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
)

tokens: Final = Table(
    "tokens",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("created_at", Float, nullable=False),
    Index("ix_tokens_subject", "kind", "subject"),
)

allowlists: Final = Table(
    "allowlists",
    metadata,
    Column("org", String(128), primary_key=True),
    Column("plugins", JSON, nullable=False),
    Column("changed_at", Float, nullable=False),
)

operations: Final = Table(
    "operations",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("workspace", String(128), nullable=False),
    Column("actor", String(160), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("request", JSON, nullable=False),
    Column("idempotency_key", String(255)),
    Column("fingerprint", String(64), nullable=False),
    Column("plugin", String(128)),
    Column("source", Text),
    Column("digest", String(80)),
    Column("status", String(16), nullable=False),
    Column("phase", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("result", JSON),
    Column("error", JSON),
    Column("prepared", JSON),
    UniqueConstraint("workspace", "idempotency_key", name="uq_operations_idempotency"),
    Index("ix_operations_workspace", "workspace", "seq"),
    Index("ix_operations_status", "status", "seq"),
)

leases: Final = Table(
    "leases",
    metadata,
    Column("workspace", String(128), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("expires_at", Float, nullable=False),
)

installed: Final = Table(
    "installed",
    metadata,
    Column("workspace", String(128), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("source", Text, nullable=False),
    Column("digest", String(80), nullable=False),
    Column("origin", Text),
    Column("revision", Text),
    Column("version", String(128)),
    Column("manifest", JSON, nullable=False),
    Column("footprints", JSON, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("supported", Boolean, nullable=False),
    Column("adapters", JSON(none_as_null=True)),
    Column("contents", JSON(none_as_null=True)),
    Column("activation", JSON(none_as_null=True)),
    Column("layout", Text),
    Column("installed_at", Float, nullable=False),
)

provider_data: Final = Table(
    "provider_data",
    metadata,
    Column("provider", String(128), primary_key=True),
    Column("key", String(512), primary_key=True),
    Column("value", JSON, nullable=False),
)

audit: Final = Table(
    "audit",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("actor", String(160), nullable=False),
    Column("what", String(64), nullable=False),
    Column("workspace", String(128)),
    Column("fields", JSON, nullable=False),
)
