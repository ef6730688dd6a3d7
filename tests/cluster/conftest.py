"""A workspace on PostgreSQL, and one Ray of two workers for all tests."""

from tests.postgres import postgres_server, postgres_template, postgres_url

__all__ = ["postgres_server", "postgres_template", "postgres_url"]
