"""Run by Alembic: migrate on the connection (and inside the lock and transaction) that `db.migrate` hands over."""

from alembic import context
from sqlalchemy.engine import Connection

from db.tables import Base


def migrate(connection: Connection) -> None:
    """Every step in the caller's transaction: a migration happens wholly or not at all, on both databases."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        render_as_batch=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


migrate(context.config.attributes["connection"])
