"""`match`: which captions do not fit their pictures?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.run import Run, command, table
from db.errors import BadInput

if TYPE_CHECKING:
    from app.matching import Matched

FIELDS = {"item": "int64", "name": "string", "caption": "string", "p": "double"}


def register(app: typer.Typer) -> None:
    command(app, "match", MATCH)(match)


MATCH = """
pairwright match --collection photos --encoder visualbert-1a2b3c4d
pairwright match --collection photos --encoder clip-5e6f7a8b --column title --limit 50
pairwright match --collection photos --version 3 --out captions.csv
"""


def match(
    run: Run,
    collection: Annotated[str, typer.Option(help="Name of the collection.")],
    encoder: Annotated[str | None, typer.Option(help="What `train` ended with, by a system that reads words.")] = None,
    version: Annotated[int | None, typer.Option(help="Or a model version whose encoder is such a one.")] = None,
    column: Annotated[str, typer.Option(help="Metadata column. Default: what it was taught with.")] = "",
    limit: Annotated[int, typer.Option(help="Captions shown, those that fit least; 0 for all.", min=0)] = 20,
    out: Annotated[Path | None, typer.Option(help="Write all of them to a CSV, JSONL or Parquet file.")] = None,
) -> None:
    """List captions by the chance that they belong to their pictures, the least likely first.

    One half means: fits as well as a caption picked at random. A proposal for people to look at, not a verdict.
    """
    from app.matching import encoder_of
    from app.matching import match as matched

    if (encoder is None) == (version is None):
        raise BadInput("give either --encoder or --version.")
    with run.database() as database:
        name = encoder if version is None else encoder_of(database, version)
        found = matched(run.settings, database, collection, str(name), column)
    if out is not None:
        _written(run, found, out)
        return
    shown = found.rows[: limit or None]
    rows = [[row["item"], row["name"], row["caption"], f"{row['p']:.3f}"] for row in shown]
    title = f"{len(shown)} of {len(found.rows)} captions of {collection}, least likely first"
    run.show({**vars(found), "rows": shown}, table(title, ["item", "name", found.column, "p(match)"], rows))


def _written(run: Run, found: "Matched", out: Path) -> None:
    from app.exporters import write_rows

    count = write_rows(iter(found.rows), FIELDS, out)
    run.show({"rows": count, "file": str(out), "encoder": found.encoder}, f"{count} captions written to {out}")
