"""`export`: take pairs, groups, captions, embeddings and answers elsewhere."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.cli.run import Run, command
from db.errors import BadInput


class Style(StrEnum):
    """Who reads the pairs."""

    FULL = "full"
    SENTENCE_TRANSFORMERS = "sentence-transformers"
    PML = "pml"


export = typer.Typer(help="Take what was learnt elsewhere.", no_args_is_help=True, rich_markup_mode=None)
Out = Annotated[Path, typer.Argument(help="File to write; an existing one is replaced when the new one is whole.")]
Criterion = Annotated[str, typer.Option(help="Name of the criterion.")]
Rows = Annotated[str | None, typer.Option(help="parquet, csv or jsonl. Default: the file's ending.")]
Version = Annotated[int | None, typer.Option(help="A version other than the served one.")]


def register(app: typer.Typer) -> None:
    command(export, "pairs", PAIRS)(pairs)
    command(export, "groups", GROUPS)(groups)
    command(export, "captions", CAPTIONS)(captions)
    command(export, "embeddings", EMBEDDINGS)(embeddings)
    command(export, "answers", ANSWERS)(answers)
    command(export, "audit", AUDIT)(audit)
    command(export, "dataset", DATASET)(dataset)
    command(export, "model", MODEL)(model)
    app.add_typer(export, name="export")


PAIRS = """
pairwright export pairs pairs.csv --criterion material
pairwright export pairs pairs.parquet --criterion material
pairwright export pairs train.jsonl --criterion material --style sentence-transformers
pairwright export pairs tuple.safetensors --criterion material --style pml
"""


def pairs(
    run: Run,
    out: Out,
    criterion: Criterion,
    format: Rows = None,
    style: Annotated[Style, typer.Option(help="full, or same and different alone for another library.")] = Style.FULL,
) -> None:
    """Every pair verdict that stands, with who said it and which images it is about."""
    from app.exporters import training_pairs, write_rows
    from db import catalog, feedback

    if style is Style.FULL:
        return _take(run, "pairs", out, criterion, format)
    with run.database() as database, database.read() as s:
        about = catalog.criterion(s, criterion)
        items = {item.id: item for item in catalog.items(s, about.collection)}
        said = feedback.statements(s, about.id)
    if style is Style.PML:
        count = training_pairs.write_indices(said, items, out)
    else:
        count = write_rows(training_pairs.labelled_rows(said, items), training_pairs.FIELDS, out, format)
    return _done(run, "pairs", count, out)


GROUPS = """
pairwright export groups groups.csv --criterion material
"""


def groups(run: Run, out: Out, criterion: Criterion, format: Rows = None, version: Version = None) -> None:
    """Every item with its group, how sure that is, and whether it was part of an answer."""
    _take(run, "groups", out, criterion, format, version)


CAPTIONS = """
pairwright export captions captions.csv --criterion words
"""


def captions(run: Run, out: Out, criterion: Criterion, format: Rows = None) -> None:
    """Every caption that is reviewed: verdict, chance that it belongs, and the evidence of the answers."""
    _take(run, "captions", out, criterion, format)


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
    from db import catalog

    if (criterion is None) == (collection is None):
        raise BadInput("give either --criterion (learnt embedding) or --collection (backbone features), not both.")
    if criterion is not None:
        return _take(run, "embeddings", out, criterion, format, version)
    with run.database() as database:
        store, _ = ensure_features(database, run.workspace, str(collection), encoder)
        with database.read() as s:
            items = {i.id: i for i in catalog.items(s, catalog.collection_id(s, str(collection)))}
    return _done(run, "embeddings", export_embeddings(store.ids, store.vectors(), items, out, format), out)


ANSWERS = """
pairwright export answers answers.jsonl --criterion material
pairwright export answers answers.parquet --criterion material
"""


def answers(run: Run, out: Out, criterion: Criterion, format: Rows = None) -> None:
    """The whole feedback log: every screen as asked, every answer and undo. `import-answers` brings it in elsewhere."""
    _take(run, "answers", out, criterion, format)


AUDIT = """
pairwright export audit audit.csv
"""


def audit(run: Run, out: Out, format: Rows = None) -> None:
    """Who did what to the installation: people, tokens, sign-ins, promotions, imports."""
    from app.exporters import AUDIT_FIELDS, audit_rows, write_rows
    from db import audit as entries

    with run.database() as database, database.read() as s:
        count = write_rows(audit_rows(entries.history(s)), AUDIT_FIELDS, out, format)
    _done(run, "audit", count, out)


DATASET = """
pairwright export dataset out/ --collection trash --format folder
pairwright export dataset coco/ --criterion material --format coco
pairwright export dataset hub/ --criterion material --format huggingface --version 3
"""


def dataset(
    run: Run,
    out: Annotated[Path, typer.Argument(help="A new folder; it appears when the data set is whole.")],
    format: Annotated[str, typer.Option(help="folder, coco, labelstudio, fiftyone, huggingface or webdataset.")],
    collection: Annotated[str | None, typer.Option(help="The pictures and what is known about them.")] = None,
    criterion: Annotated[str | None, typer.Option(help="Or these with their groups under this criterion.")] = None,
    version: Version = None,
) -> None:
    """All pictures and what is known about them, as another tool reads it. `import` gives the same collection again."""
    from app.exporters import collecting
    from app.exporters.datasets import export_dataset

    if (criterion is None) == (collection is None):
        raise BadInput("give either --collection (pictures alone) or --criterion (with their groups), not both.")
    with run.database() as database:
        if criterion is not None:
            records = collecting.of_criterion(run.settings, database, criterion, version)
        else:
            records = collecting.of_collection(database, run.workspace, str(collection))
    _done(run, "pictures", export_dataset(criterion or str(collection), records, out, format), out)


MODEL = """
pairwright export model material-model/ --criterion material
pairwright export model material-model/ --criterion material --version 3 --format onnx
"""


def model(
    run: Run,
    out: Annotated[Path, typer.Argument(help="A new folder; it appears when the model is whole.")],
    criterion: Criterion,
    version: Version = None,
    format: Annotated[str, typer.Option(help="safetensors, or onnx for both.")] = "safetensors",
) -> None:
    """The taught embedding as a folder with weights, config and model card, for `trainer.taught.load` anywhere."""
    from app.exporters.models import export_model

    with run.database() as database:
        made = export_model(run.settings, database, criterion, out, version, format)
    document = {"exported": "model", "version": made.version, "size": made.size, "onnx": made.apart, "file": str(out)}
    onnx = "" if made.apart is None else f"; ONNX differs from torch by {made.apart:.1g}"
    run.show(document, f"version {made.version} written to {out}{onnx}")


def _take(run: Run, what: str, out: Path, criterion: str, format: str | None, version: int | None = None) -> None:
    from app.exporters.taking import Wish, take

    with run.database() as database:
        count = take(run.settings, database, what, Wish(criterion, out, format, version))
    _done(run, what, count, out)


def _done(run: Run, what: str, count: int, out: Path) -> None:
    run.show({"exported": what, "rows": count, "file": str(out)}, f"{count} {what} written to {out}")
