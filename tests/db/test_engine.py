"""Opening, reading, writing, and everything that may break on the way."""

import logging
import os
import threading

import pytest
from sqlalchemy import event, text

from db import catalog, feedback, queue, sqlite
from db.engine import open_database
from db.errors import BadInput, Broken, Conflict
from db.tables import CollectionRow
from tests.db.factories import answer, make_world


@pytest.mark.parametrize(
    "version", [(3, 7, 0), (3, 40, 1), (3, 44, 5), (3, 45, 0), (3, 50, 6), (3, 51, 0), (3, 51, 2), (3, 43, 9)]
)
def test_wal_is_refused_on_versions_that_can_lose_commits(version):
    assert not sqlite.wal_is_safe(version)


@pytest.mark.parametrize("version", [(3, 44, 6), (3, 50, 7), (3, 51, 3), (3, 52, 0), (3, 53, 4), (4, 0, 0)])
def test_wal_is_used_on_fixed_versions(version):
    assert sqlite.wal_is_safe(version)


def test_an_affected_version_gets_the_rollback_journal_and_says_so(tmp_path, monkeypatch, caplog):
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    open_database(url).close()  # a file in WAL mode is changed back, too
    monkeypatch.setattr(sqlite, "library_version", lambda: (3, 40, 1))
    with caplog.at_level(logging.WARNING, "pairwright.db"):
        opened = open_database(url)
    assert opened.journal == "delete"
    assert "SQLite 3.40.1 can lose commits" in opened.notice
    assert opened.notice in caplog.text
    opened.close()


def test_sqlite_is_opened_safely(sqlite_database):
    assert sqlite_database.journal == ("wal" if sqlite.wal_is_safe(sqlite.library_version()) else "delete")
    with sqlite_database.read() as s:
        settings = [s.scalar(text(f"PRAGMA {name}")) for name in ("synchronous", "foreign_keys", "busy_timeout")]
    assert settings == [2, 1, 30_000]


def test_a_block_that_fails_keeps_nothing(database):
    with pytest.raises(ZeroDivisionError), database.write() as s:
        catalog.add_collection(s, "gone")
        raise ZeroDivisionError
    with database.read() as s:
        assert catalog.collections(s) == []


def test_a_reading_session_refuses_to_write(database):
    with pytest.raises(RuntimeError, match="only reads"), database.read() as s:
        catalog.add_collection(s, "lost")


def test_a_reader_sees_one_moment(database):
    with database.read() as s:
        assert catalog.collections(s) == []
        with database.write() as other:
            catalog.add_collection(other, "later")
        s.expire_all()
        assert catalog.collections(s) == []
    with database.read() as s:
        assert len(catalog.collections(s)) == 1


def test_writing_inside_writing_is_an_error_at_once(sqlite_database):
    outer, inner = sqlite_database.write(), sqlite_database.write()
    with pytest.raises(RuntimeError, match="pass the outer session"), outer, inner:
        pass


def test_many_threads_write_without_losing_anything(database):
    def work(number: int) -> None:
        for step in range(10):
            with database.write() as s:
                catalog.add_collection(s, f"{number} {step}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as s:
        assert len(catalog.collections(s)) == 80


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///:memory:", "mysql://a@b/c", "nonsense", "/tmp/file"])
def test_other_addresses_are_refused(url):
    with pytest.raises(BadInput, match="database URL must be"):
        open_database(url)


def test_a_password_is_not_shown(postgres_url):
    opened = open_database(postgres_url.replace("postgres:@", "postgres:hunter2@"), migrate=False)
    assert "hunter2" not in repr(opened)
    assert "hunter2" in opened.url
    opened.close()


def test_a_missing_folder_and_a_file_that_is_no_database_are_told(tmp_path):
    with pytest.raises(Broken, match="cannot be opened"):
        open_database(f"sqlite:///{tmp_path / 'no' / 'such' / 'x.sqlite'}")
    (tmp_path / "text.sqlite").write_text("this is a letter, not a database " * 100)
    with pytest.raises(Broken, match="damaged or not a database"):
        open_database(f"sqlite:///{tmp_path / 'text.sqlite'}")


def test_no_tables_is_told_with_the_remedy(empty_url):
    opened = open_database(empty_url, migrate=False)
    with pytest.raises(Broken, match=r"python -m db\.migrate upgrade"), opened.read() as s:
        catalog.collections(s)
    opened.close()


def test_a_row_changed_by_somebody_else_is_a_conflict(database):
    with pytest.raises(Conflict, match="Reload and try again"), database.write() as s:
        s.add_all([CollectionRow(name="twice"), CollectionRow(name="twice")])


def test_a_full_disk_is_one_sentence_and_loses_nothing(sqlite_database):
    world = make_world(sqlite_database)
    asked = world.ask(3000, retire=False)

    def limit(connection, _):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 12}")

    sqlite_database.engine.dispose()
    event.listen(sqlite_database.engine, "connect", limit)
    kept = []
    with pytest.raises(Broken, match=r"disk of the database is full\. Nothing of this change is saved"):
        for this in asked:
            with sqlite_database.write() as s:
                receipt = feedback.record(s, answer(queue.question(s, this), key=str(this)))
            kept.append(receipt.id)
    assert kept
    with sqlite_database.read() as s:
        assert [one.answer for one in feedback.statements(s, world.criterion)] == kept
        assert s.scalar(text("PRAGMA integrity_check")) == "ok"
    event.remove(sqlite_database.engine, "connect", limit)
    sqlite_database.engine.dispose()
    with sqlite_database.write() as s:  # the same request succeeds once there is space
        again = feedback.record(s, answer(queue.question(s, asked[len(kept)]), key=str(asked[len(kept)])))
    assert not again.replayed


@pytest.mark.postgres
def test_a_dropped_connection_is_told_and_the_next_try_succeeds(postgres_url):
    opened = open_database(postgres_url)
    with pytest.raises(Broken, match="send the same request again"), opened.write() as s:
        catalog.add_collection(s, "cut off")
        with opened.write() as other:
            victim = s.connection().connection.dbapi_connection.info.backend_pid
            other.execute(text(f"SELECT pg_terminate_backend({victim})"))
        catalog.add_collection(s, "never")
    with opened.write() as s:
        assert catalog.collections(s) == []
        catalog.add_collection(s, "back")
    opened.close()


def test_a_server_that_does_not_answer_is_told():
    with pytest.raises(Broken, match="cannot be reached"):
        open_database("postgresql://nobody@127.0.0.1:1/none")


def test_a_backup_of_a_database_in_use_is_whole(sqlite_database, tmp_path):
    world = make_world(sqlite_database)
    sqlite_database.backup(tmp_path / "copy.sqlite")
    copy = open_database(f"sqlite:///{tmp_path / 'copy.sqlite'}")
    with copy.read() as s:
        assert [item.id for item in catalog.items(s, world.collection)] == list(world.items)
    copy.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_file_that_may_not_be_written_is_told(tmp_path):
    path = tmp_path / "locked.sqlite"
    open_database(f"sqlite:///{path}").close()
    path.chmod(0o400)
    with pytest.raises(Broken, match="cannot be written"):
        open_database(f"sqlite:///{path}")
