"""Migrations: up, down, agreeing with the models, safe when several processes start at once."""

import subprocess
import sys

import pytest
from alembic import command
from sqlalchemy import inspect, text

from db import migrate
from db.connect import make_engine
from db.engine import open_database
from db.errors import BadInput, Refused
from db.tables import Base

SCRIPT = "import sys; from db.engine import open_database; open_database(sys.argv[1]).close()"


def tables(url: str) -> set[str]:
    engine = make_engine(url)
    try:
        return set(inspect(engine).get_table_names()) - {"alembic_version", "sqlite_sequence"}
    finally:
        engine.dispose()


def change(url: str, statement: str) -> None:
    opened = open_database(url)
    with opened.write() as s:
        s.execute(text(statement))
    opened.close()


def test_up_makes_every_table_and_down_leaves_none(empty_url):
    migrate.upgrade(empty_url)
    assert tables(empty_url) == set(Base.metadata.tables)
    assert migrate.current(empty_url) == migrate.head()
    migrate.downgrade(empty_url, "base")
    assert tables(empty_url) == set()
    assert migrate.current(empty_url) is None
    migrate.upgrade(empty_url)
    assert migrate.current(empty_url) == migrate.head()


def test_the_migrations_and_the_models_agree(empty_url):
    migrate.upgrade(empty_url)
    assert migrate.differences(empty_url) == []
    with migrate._alone(empty_url) as config:
        command.check(config)


def test_a_difference_between_models_and_migrations_is_seen(empty_url):
    migrate.upgrade(empty_url)
    change(empty_url, "ALTER TABLE runs DROP COLUMN note")
    assert migrate.differences(empty_url)


def test_five_processes_may_start_at_once(empty_url):
    started = [
        subprocess.Popen([sys.executable, "-c", SCRIPT, empty_url], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(5)
    ]
    ended = [(process.communicate(timeout=120), process.returncode) for process in started]
    assert [code for _, code in ended] == [0] * 5, ended
    assert migrate.differences(empty_url) == []


def test_a_database_of_a_newer_release_is_refused(url):
    change(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Refused, match="'9999', written by a newer Pairwright"):
        open_database(url)


def test_an_unknown_revision_is_refused(url):
    with pytest.raises(BadInput, match="no migration named 'nowhere'"):
        migrate.upgrade(url, "nowhere")


def test_the_shell_migrates_and_says_where_it_is(tmp_path, capsys):
    url = f"sqlite:///{tmp_path / 'shell.sqlite'}"
    migrate.main(["upgrade", "--database-url", url])
    assert capsys.readouterr().out.strip() == migrate.head()
    migrate.main(["downgrade", "base", "--database-url", url])
    assert capsys.readouterr().out.strip() == "None"
    with pytest.raises(SystemExit):
        migrate.main(["downgrade", "--database-url", url])
