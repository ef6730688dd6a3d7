"""Questions in SQL: right, read only, and blind to everything but the views."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from app import query
from app.settings import Settings
from db.errors import BadInput
from tests.docs.blocks import ROOT, shell, words
from tests.doors.conftest import COUNT, Place

pytest.importorskip("duckdb", reason="queries need pip install 'pairwright[query]'")
Ask = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def ask(here: Place) -> Ask:
    def call(sql: str) -> list[tuple[object, ...]]:
        with query.asked(Settings(here.workspace), here.database, sql) as found:
            return list(found.fetchall())

    return call


def test_every_view_says_what_the_exports_say(here: Place, ask: Ask) -> None:
    assert ask("SELECT count(*), count(DISTINCT sha256) FROM items") == [(COUNT, COUNT)]
    said = {(one.a, one.b, one.verdict.value, one.source) for one in here.said()}
    assert set(ask("SELECT a, b, verdict, source FROM pairs WHERE criterion = 'kind'")) == said
    events = ask("SELECT count(*), count(*) FILTER (json_array_length(verdicts) > 0) FROM answers")
    assert events[0][0] >= 4 and events[0][1] >= 4  # type: ignore[operator]
    assert ask("SELECT count(*) FROM captions") == [(0,)]


def test_groups_join_items_where_there_are_features(here: Place, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise BadInput("there are no features here.")

    heard: list[str] = []
    monkeypatch.setattr("app.view.view", refuse)
    with query.asked(Settings(here.workspace), here.database, "FROM groups", heard.append) as found:
        assert found.fetchall() == []
    assert heard == ["no groups of 'kind': there are no features here."]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{there}')", "SELECT * FROM '{there}'", "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM read_csv('https://127.0.0.1/x.csv')", "SELECT * FROM sqlite_scan('{there}', 'users')",
        "COPY (SELECT 1) TO '{folder}/out.csv'", "ATTACH '{folder}/x.db'", "INSTALL httpfs", "LOAD httpfs",
        "SET enable_external_access = true", "DROP VIEW items", "CREATE TABLE t (a INT)", "SELECT 1; SELECT 2", "",
        "SELECT * FROM secret", "SELEC 1", "SELECT nothing FROM items", "PRAGMA database_list",
        "CALL duckdb_settings()",
    ],
)  # fmt: skip
def test_nothing_but_the_views_is_seen_and_nothing_is_written(ask: Ask, tmp_path: Path, sql: str) -> None:
    secret = [{"password": "x"}]  # a variable of the program, which DuckDB could find
    assert secret
    there = tmp_path / "there.txt"
    there.write_text("secret")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(BadInput) as refused:
        ask(sql.format(there=there, folder=tmp_path))
    assert "\n" not in str(refused.value)
    assert sorted(tmp_path.iterdir()) == before


def test_settings_are_locked(ask: Ask) -> None:
    found = dict(ask("SELECT name, value FROM duckdb_settings()"))  # type: ignore[arg-type]
    assert found["enable_external_access"] == "false" and found["lock_configuration"] == "true"
    assert found["autoload_known_extensions"] == "false" and found["python_enable_replacements"] == "false"


def test_the_result_leaves_as_table_csv_json_and_parquet(
    here: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = "SELECT '=1+1' AS cell, id, [id, 2] AS both FROM items ORDER BY id"
    assert here.say("query", sql) == 0
    assert f"{COUNT} rows" in capsys.readouterr().out
    assert here.say("query", sql, "--format", "csv") == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows[0] == ["cell", "id", "both"] and rows[1][0] == "'=1+1" and len(rows) == COUNT + 1
    assert here.say("query", sql, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)[0]["both"][1] == 2
    assert here.say("query", sql, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == COUNT
    assert here.say("query", sql, "--format", "parquet", "--out", tmp_path / "x.parquet") == 0
    assert pq.read_table(tmp_path / "x.parquet").num_rows == COUNT
    assert here.say("query", sql, "--format", "parquet") == 2
    assert "Give --out FILE" in capsys.readouterr().err


def test_the_queries_of_the_page_are_answered(
    here: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(query.VIEWS, "groups", (query.VIEWS["groups"][0], lambda _: iter(())))  # type: ignore[arg-type]
    lines = [line for block in shell(ROOT / "docs" / "query.md") for line in block.lines()]
    asked = [words(line)[1:] for line in lines if words(line)[:2] == ["pairwright", "query"]]
    assert len(asked) >= 7
    for one in asked:
        assert here.say(*one) == 0, capsys.readouterr().err
