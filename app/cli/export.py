"""`export`: take pairs, groups, captions and embeddings elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.run import Run, command
from db.errors import BadInput

export = typer.Typer(
    help="Take pairs, groups, captions and embeddings elsewhere.", no_args_is_help=True, rich_markup_mode=None
)
Out = Annotated[Path, typer.Argument(help="File to write; an existing one is replaced when the new one is whole.")]
Criterion = Annotated[str, typer.Option(help="Name of the criterion.")]
Rows = Annotated[str | None, typer.Option(help="parquet, csv or jsonl. Default: the file's ending.")]
Version = Annotated[int | None, typer.Option(help="A version other than the served one.")]


def register(app: typer.Typer) -> None:
    command(export, "pairs", PAIRS)(pairs)
    command(export, "groups", GROUPS)(groups)
    command(export, "captions", CAPTIONS)(captions)
    command(export, "embeddings", EMBEDDINGS)(embeddings)
    app.add_typer(export, name="export")


PAIRS = """
pairwright export pairs pairs.csv --criterion material
pairwright export pairs pairs.parquet --criterion material
"""


def pairs(run: Run, out: Out, criterion: Criterion, format: Rows = None) -> None:
    """Every pair verdict that stands, with who said it and which images it is about."""
    from app.exporters import PAIR_FIELDS, pair_rows, write_rows
    from db import catalog, feedback

    with run.database() as database, database.read() as s:
        about = catalog.criterion(s, criterion)
        items = {item.id: item for item in catalog.items(s, about.collection)}
        said = feedback.statements(s, about.id)
    _done(run, "pairs", write_rows(pair_rows(said, items), PAIR_FIELDS, out, format), out)


GROUPS = """
pairwright export groups groups.csv --criterion material
"""


def groups(run: Run, out: Out, criterion: Criterion, format: Rows = None, version: Version = None) -> None:
    """Every item with its group, how sure that is, and whether it was part of an answer."""
    from app.exporters import GROUP_FIELDS, group_rows, write_rows
    from app.homes import seen
    from app.view import view

    with run.database() as database:
        shown = view(run.settings, database, criterion, version)
    rows = group_rows(shown.snapshot.ids, seen(shown.belief).labels, shown.sure, shown.stated, shown.items)
    _done(run, "groups", write_rows(rows, GROUP_FIELDS, out, format), out)


CAPTIONS = """
pairwright export captions captions.csv --criterion words
"""


def captions(run: Run, out: Out, criterion: Criterion, format: Rows = None) -> None:
    """Every caption that is reviewed: verdict, chance that it belongs, and the evidence of the answers."""
    from app.exporters import CAPTION_FIELDS, caption_rows, write_rows
    from db import catalog
    from db.artifacts import ArtifactStore
    from oracle.ledger import Fits
    from trainer.fits import as_it_stands

    with run.database() as database, database.read() as s:
        about = catalog.criterion(s, criterion)
        if not about.captions:
            raise BadInput(f"the criterion '{criterion}' asks about pairs, not captions. Use: pairwright export pairs.")
        items = {item.id: item for item in catalog.items(s, about.collection)}
        reader = as_it_stands(s, ArtifactStore(str(run.workspace / "artifacts")), about)
    rows = caption_rows(reader.fits or Fits({}, {}), reader.graph, items)
    _done(run, "captions", write_rows(rows, CAPTION_FIELDS, out, format), out)


EMBEDDINGS = """
pairwright export embeddings vectors.npy --criterion material
pairwright export embeddings vectors.safetensors --criterion material --version 3
pairwright export embeddings features.parquet --collection trash
"""


def embeddings(
    run: Run,
    out: Out,
    criterion: Annotated[str | None, typer.Option(help="The embedding learnt for this criterion.")] = None,
    collection: Annotated[str | None, typer.Option(help="Or the backbone features of this collection.")] = None,
    encoder: Annotated[str, typer.Option(help="With --collection: whose features.")] = "lite0",
    format: Annotated[str | None, typer.Option(help="npy, safetensors, parquet, csv or jsonl.")] = None,
    version: Version = None,
) -> None:
    """The vector of every item. `x.npy` gets the item ids beside it in `x.ids.npy`."""
    from app.exporters import export_embeddings
    from app.features import ensure_features
    from app.view import view
    from db import catalog

    if (criterion is None) == (collection is None):
        raise BadInput("give either --criterion (learnt embedding) or --collection (backbone features), not both.")
    with run.database() as database:
        if criterion is not None:
            seen = view(run.settings, database, criterion, version)
            ids, vectors, items = seen.snapshot.ids, seen.snapshot.vectors, seen.items
        else:
            assert collection is not None
            store, _ = ensure_features(database, run.workspace, collection, encoder)
            with database.read() as s:
                items = {i.id: i for i in catalog.items(s, catalog.collection_id(s, collection))}
            ids, vectors = store.ids, store.vectors()
    _done(run, "embeddings", export_embeddings(ids, vectors, items, out, format), out)


def _done(run: Run, what: str, count: int, out: Path) -> None:
    run.show({"exported": what, "rows": count, "file": str(out)}, f"{count} {what} written to {out}")
