"""Questions in SQL about items, answers, pairs, groups and captions: read only, by DuckDB, over files made for each.

    words of the query -> the views it names -> their rows as Parquet (the exporters') -> DuckDB, locked -> the result

What is asked comes from anybody, so DuckDB may open these files and nothing else: no other file, no address, no
extension, no variable of this program; settings are locked; one statement that selects.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.exporters import answers, captions, groups, items, pairs, taking
from app.exporters.formats import Fields, Row, write_rows
from app.settings import Settings
from db import catalog, feedback
from db.catalog import Criterion
from db.engine import Database
from db.errors import BadInput, Refused

MEMORY = "2GB"  # of DuckDB; what takes more goes to the temporary folder
Told = Callable[[str], None]


@dataclass(frozen=True)
class Asker:
    """Where the rows come from. told: remarks, such as a criterion that has no groups yet."""

    settings: Settings
    database: Database
    told: Told

    def items(self) -> Iterator[Row]:
        for number, name in self._collections().items():
            with self.database.read() as s:
                there = catalog.items(s, number)
            yield from items.item_rows(there, name)

    def answers(self) -> Iterator[Row]:
        for about in self._criteria():
            with self.database.read() as s:
                log = list(feedback.log(s, about.id))
                known = {item.id: item for item in catalog.items(s, about.collection)}
            yield from _of(about, answers.answer_rows(log, known))

    def pairs(self) -> Iterator[Row]:
        for about in self._criteria(captions=False):
            yield from _of(about, taking.pairs_of(self.database, about))

    def groups(self) -> Iterator[Row]:
        from app.view import view

        for about in self._criteria(captions=False):
            try:
                shown = view(self.settings, self.database, about.id)
            except (BadInput, Refused) as error:
                self.told(f"no groups of '{about.name}': {error}")
                continue
            yield from _of(about, taking.groups_of(shown))

    def captions(self) -> Iterator[Row]:
        for about in self._criteria(captions=True):
            yield from _of(about, taking.captions_of(self.settings, self.database, about))

    def _collections(self) -> dict[int, str]:
        with self.database.read() as s:
            return {one.id: one.name for one in catalog.collections(s)}

    def _criteria(self, captions: bool | None = None) -> list[Criterion]:
        with self.database.read() as s:
            return [one for one in catalog.criteria(s) if captions is None or bool(one.captions) is captions]


VIEWS: Mapping[str, tuple[Fields, Callable[[Asker], Iterator[Row]]]] = {
    "items": (items.FIELDS, Asker.items),
    "answers": ({"criterion": "string", **answers.FIELDS}, Asker.answers),
    "pairs": ({"criterion": "string", **pairs.FIELDS}, Asker.pairs),
    "groups": ({"criterion": "string", **groups.FIELDS}, Asker.groups),
    "captions": ({"criterion": "string", **captions.FIELDS}, Asker.captions),
}


@contextmanager
def asked(settings: Settings, database: Database, sql: str, told: Told = lambda _: None) -> Iterator[Any]:
    """DuckDB's answer to one SELECT. Raises BadInput for anything else, and for what it cannot read."""
    duckdb = _duckdb()
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise _wrong(error) from error
    if len(statements) != 1 or statements[0].type.name not in ("SELECT", "EXPLAIN"):
        raise BadInput("one SELECT expected. A query reads and changes nothing.")
    with TemporaryDirectory(prefix="pairwright-query-") as folder:
        asker = Asker(settings, database, told)
        named = [name for name in VIEWS if re.search(rf"\b{name}\b", sql, re.IGNORECASE)]
        made = {name: _written(name, asker, Path(folder)) for name in named}
        with _locked(duckdb, made, Path(folder)) as connection:
            try:
                yield connection.sql(sql)
            except duckdb.Error as error:
                raise _wrong(error) from error


def _written(name: str, asker: Asker, folder: Path) -> Path:
    fields, rows = VIEWS[name]
    path = folder / f"{name}.parquet"
    write_rows(rows(asker), fields, path)
    return path


@contextmanager
def _locked(duckdb: Any, made: Mapping[str, Path], folder: Path) -> Iterator[Any]:
    """A database in memory with a view for each file, which can open these and nothing else."""
    closed = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    chosen = {"python_enable_replacements": "false", "memory_limit": MEMORY, "temp_directory": str(folder / "spilt")}
    with duckdb.connect(":memory:", config={**closed, **chosen}) as connection:
        paths = ", ".join(_quoted(str(path)) for path in made.values())
        connection.execute(f"SET allowed_paths = [{paths}]")
        for name, path in made.items():
            nested = [field for field, kind in VIEWS[name][0].items() if kind == "json"]
            as_json = ", ".join(f'"{field}"::JSON AS "{field}"' for field in nested)
            columns = f"* REPLACE ({as_json})" if nested else "*"
            connection.execute(f"CREATE VIEW {name} AS SELECT {columns} FROM read_parquet({_quoted(str(path))})")  # noqa: S608
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


def _of(about: Criterion, rows: Iterator[Row]) -> Iterator[Row]:
    return ({"criterion": about.name, **row} for row in rows)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _wrong(error: Exception) -> BadInput:
    """DuckDB's own words on one line, and what there is."""
    words = " ".join(re.split(r"\n(?:Did you mean|\nLINE)", str(error))[0].split()).rstrip(".!?")
    return BadInput(f"the query cannot be answered: {words}. Views: {', '.join(VIEWS)}; see docs/query.md.")


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError:
        raise BadInput("queries need DuckDB, which is not installed: pip install 'pairwright[query]'.") from None
    return duckdb
