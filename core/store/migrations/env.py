"""Alembic's environment: the connection is handed in by `Database.open`."""

from alembic import context

from plugport.core.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
