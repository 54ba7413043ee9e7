"""Alembic runs this for every service, on a connection whose transaction the migrator commits."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
