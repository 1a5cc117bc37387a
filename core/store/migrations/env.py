"""Alembic's environment. Alembic loads this file by its path, so `Database.open` hands in what it needs."""

from alembic import context

handed_in = context.config.attributes
context.configure(connection=handed_in["connection"], target_metadata=handed_in["metadata"])
with context.begin_transaction():
    context.run_migrations()
