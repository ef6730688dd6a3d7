"""Faults are tried on both databases: ask for `database`, and the test runs twice."""

from tests.db.conftest import database, url
from tests.postgres import empty_postgres_url, postgres_server, postgres_template, postgres_url

__all__ = ["database", "empty_postgres_url", "postgres_server", "postgres_template", "postgres_url", "url"]
