"""Every law of db is tested on both databases: ask for `database` (or `world`), and the test runs twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.engine import Database, open_database
from tests.db.factories import World, make_world
from tests.postgres import empty_postgres_url, postgres_server, postgres_template, postgres_url

__all__ = ["empty_postgres_url", "postgres_server", "postgres_template", "postgres_url"]

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of this test's own, tables ready on PostgreSQL, no file yet on SQLite."""
    return (
        f"sqlite:///{tmp_path / 'test.sqlite'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_url")
    )


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.sqlite'}"
    return request.getfixturevalue("empty_postgres_url")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """An open database on either side."""
    opened = open_database(url)
    yield opened
    opened.close()


@pytest.fixture
def world(database: Database) -> World:
    """Forty items and one criterion in an open database."""
    return make_world(database)


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """For what only SQLite has."""
    opened = open_database(f"sqlite:///{tmp_path / 'only.sqlite'}")
    yield opened
    opened.close()
