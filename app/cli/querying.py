"""`query`: questions in SQL about everything that is known and was said."""

from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.run import Run, command, table
from db.errors import BadInput

SHOWN = 200  # rows of a table on the screen


class Format(StrEnum):
    """How the result is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def register(app: typer.Typer) -> None:
    command(app, "query", QUERY)(query)


QUERY = """
pairwright query "SELECT collection, count(*) AS n FROM items GROUP BY ALL"
pairwright query "SELECT source, verdict, count(*) FROM pairs WHERE criterion = 'material' GROUP BY ALL ORDER BY ALL"
pairwright query "SELECT attributes->>'material' AS material, count(*) FROM items GROUP BY ALL" --format csv
pairwright query "SELECT * FROM groups WHERE probability < 0.6" --format parquet --out doubtful.parquet
"""


def query(
    run: Run,
    sql: Annotated[str, typer.Argument(help="One SELECT over the views items, answers, pairs, groups and captions.")],
    format: Annotated[Format, typer.Option(help="How the result is written.")] = Format.TABLE,
    out: Annotated[Path | None, typer.Option(help="File to write. Default: standard output.")] = None,
) -> None:
    """Ask in SQL. Reads only; what is asked sees these views and no file, address or setting."""
    from app.query import asked

    if format is Format.PARQUET and out is None:
        raise BadInput("a Parquet file needs a place. Give --out FILE.")
    with run.database() as database, asked(run.settings, database, sql, run.say) as result:
        if format is Format.PARQUET and out is not None:
            count = _parquet(result, out)
        else:
            names = [one[0] for one in result.description]
            rows = [[_plain(cell) for cell in row] for row in result.fetchall()]
            count = len(rows)
            _write(run, names, rows, format, out)
    if out is not None:
        run.show({"rows": count, "out": out}, f"{count} rows in {out}")


def _write(run: Run, names: list[str], rows: list[list[Any]], format: Format, out: Path | None) -> None:
    from app.exporters.formats import csv_text, whole

    if out is None and (run.as_json or format is Format.TABLE):
        more = f" (and {len(rows) - SHOWN} more rows: --format csv)" if len(rows) > SHOWN else ""
        run.show(_dicts(names, rows), table(f"{len(rows)} rows{more}", names, rows[:SHOWN]))
        return
    text = csv_text(names, rows) if format is not Format.JSON else _json(names, rows)
    if out is None:
        typer.echo(text, nl=False)
        return
    with whole(out) as partial:
        partial.write_text(text, encoding="utf-8", newline="")


def _parquet(result: Any, out: Path) -> int:
    import pyarrow.parquet as pq

    from app.exporters.formats import whole

    found = result.to_arrow_table()
    with whole(out) as partial:
        pq.write_table(found, partial)
    return int(found.num_rows)


def _dicts(names: list[str], rows: list[list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in rows]


def _json(names: list[str], rows: list[list[Any]]) -> str:
    from app.cli.run import to_json

    return to_json(_dicts(names, rows)) + "\n"


def _plain(cell: Any) -> Any:
    """The cell as JSON has it."""
    if isinstance(cell, Decimal):
        return float(cell)
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, list | tuple):
        return [_plain(one) for one in cell]
    if isinstance(cell, dict):
        return {str(key): _plain(value) for key, value in cell.items()}
    return cell if cell is None or isinstance(cell, str | int | float | bool) else str(cell)
