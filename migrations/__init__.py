"""How the database grew: one Alembic path for SQLite and PostgreSQL. Run it with `python -m db.migrate`."""
