"""`import`, `embed`, `criterion`: from files to something that can be asked about."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.run import RayAddress, Run, command, table
from db.errors import BadInput

if TYPE_CHECKING:
    from app.cluster.start import Reach


def reach(count: int | None, address: str | None) -> "Reach | None":
    """What --ray and --ray-address say; None without --ray."""
    if count is None:
        return None
    from app.cluster.start import Reach

    return Reach(count, address)


criterion = typer.Typer(help="What 'same' means: add and list criteria.", no_args_is_help=True, rich_markup_mode=None)
Collection = Annotated[str, typer.Option(help="Name of the collection.")]


def register(app: typer.Typer) -> None:
    command(app, "import", IMPORT)(import_)
    command(app, "embed", EMBED)(embed)
    command(criterion, "add", ADD)(add)
    command(criterion, "list", LIST)(list_)
    app.add_typer(criterion, name="criterion")


IMPORT = """
pairwright import photos/ --collection photos
pairwright import trashnet.zip --collection trash --metadata metadata.csv
pairwright import items.parquet --collection shoes --path-column file --where split=train
pairwright import coco/ --metadata annotations/instances_val2017.json --collection things
pairwright import shards/ --format webdataset --collection web
pairwright import photos/ --collection photos --packed
pairwright import shards/ --format webdataset --collection web --in-place
pairwright import /shared/photos --collection photos --ray 6 --ray-address 10.0.0.1:6379
pairwright import holiday.mp4 --format video:every=0.5 --collection holiday
PAIRWRIGHT_ADDRESSES=1 pairwright import s3://bucket/photos --collection photos
"""


def import_(
    run: Run,
    path: Annotated[
        Path, typer.Argument(help="A folder, an archive, a CSV, Parquet or JSONL manifest, or a data set.")
    ],
    collection: Collection,
    metadata: Annotated[str | None, typer.Option(help="Table of metadata; inside an archive, its name there.")] = None,
    id_column: Annotated[str, typer.Option(help="Column with the name of each item.")] = "id",
    path_column: Annotated[str, typer.Option(help="Column with the path of each image.")] = "path",
    where: Annotated[list[str] | None, typer.Option(help="COLUMN=VALUE: only such rows; may be repeated.")] = None,
    time_column: Annotated[str | None, typer.Option(help="Column with the time a picture was taken.")] = None,
    latitude_column: Annotated[str | None, typer.Option(help="Column with the latitude, in degrees.")] = None,
    longitude_column: Annotated[str | None, typer.Option(help="Column with the longitude, in degrees.")] = None,
    caption_column: Annotated[str | None, typer.Option(help="Column with a caption.")] = None,
    audio_column: Annotated[str | None, typer.Option(help="Column with the path of a recording.")] = None,
    group_column: Annotated[
        list[str] | None, typer.Option(help="Column whose items stay on one side of a split; may be repeated.")
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(help="coco, fiftyone, folder, huggingface, imagefolder, labelstudio, video or webdataset."),
    ] = None,
    packed: Annotated[bool, typer.Option("--packed", help="Keep the pictures in few big files of 256 MB.")] = False,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Leave the pictures in the tar or Parquet files they lie in.")
    ] = False,
    ray: Annotated[int | None, typer.Option(help="Decode by so many workers of Ray.", min=1)] = None,
    ray_address: RayAddress = None,
) -> None:
    """Bring images into a collection. Known images (same bytes) are not added twice."""
    from app.importers import import_path

    with run.database() as database, run.progress("reading images") as progress:
        report = import_path(
            database,
            run.workspace,
            path,
            collection,
            metadata=metadata,
            where=tuple(where or ()),
            group_columns=tuple(group_column or ()),
            progress=progress,
            id_column=id_column,
            path_column=path_column,
            time_column=time_column,
            latitude_column=latitude_column,
            longitude_column=longitude_column,
            caption_column=caption_column,
            audio_column=audio_column,
            format=format,
            packed=packed,
            in_place=in_place,
            ray=reach(ray, ray_address),
        )
    skipped = [{"name": str(name), "reason": reason} for name, reason in report.skipped]
    document = {"collection": collection, "added": report.added, "known": report.known, "skipped": skipped}
    reasons = "".join(f"\n  {entry['name']}: {entry['reason']}" for entry in skipped[:20])
    more = f"\n  and {len(skipped) - 20} more (--json lists them all)" if len(skipped) > 20 else ""
    run.show(document, f"{report.added} added, {report.known} known, {len(skipped)} skipped{reasons}{more}")


EMBED = """
pairwright embed --collection photos
pairwright embed --collection photos --encoder resnet18
pairwright embed --collection photos --ray 6 --ray-address 10.0.0.1:6379
"""


def embed(
    run: Run,
    collection: Collection,
    encoder: Annotated[str, typer.Option(help="Backbone: lite0, or any model name of timm.")] = "lite0",
    ray: Annotated[int | None, typer.Option(help="Encode by so many workers of Ray.", min=1)] = None,
    ray_address: RayAddress = None,
) -> None:
    """Compute the backbone features of a collection. Stopped half-way, it resumes where it was."""
    from app.features import ensure_features

    with run.database() as database, run.progress(f"embedding with {encoder}") as progress:
        by = None
        if (reached := reach(ray, ray_address)) is not None:
            from app.cluster.embedding import Embedding

            by = Embedding(reached, encoder)
        store, computed = ensure_features(database, run.workspace, collection, encoder, progress=progress, executor=by)
    total = len(store.ids)
    document = {"collection": collection, "encoder": encoder, "items": total, "computed": computed}
    run.show(document, f"{total} items have {encoder} features, {computed} computed now")


ADD = """
pairwright criterion add material --collection trash --prompt "Same material?"
pairwright criterion add words --collection photos --captions caption
pairwright criterion add meaning --collection photos --captions caption --words minilm
"""


def add(
    run: Run,
    name: Annotated[str, typer.Argument(help="Name of the criterion, unique in the database.")],
    collection: Collection,
    prompt: Annotated[str | None, typer.Option(help="The question as a person reads it.")] = None,
    captions: Annotated[
        str | None,
        typer.Option(help="Ask whether the words in this column belong to their pictures.", metavar="COLUMN"),
    ] = None,
    words: Annotated[
        str,
        typer.Option(
            help="Who reads words, in a review of captions and for sentences people search with: ngrams (by their "
            "letters, the default), minilm (by their meaning), hf:OWNER/MODEL, or several joined by +.",
            metavar="TOWER",
        ),
    ] = "",
) -> None:
    """Say what "same" means for a collection, or that its captions are to be reviewed."""
    from app.reading import tried_words
    from db import catalog

    asked = prompt or (catalog.CAPTION_PROMPT if captions else "")
    if not asked:
        raise BadInput("a question expected. Give --prompt TEXT, or --captions COLUMN to review captions.")
    read = tried_words(words)
    with run.database() as database, database.write() as s:
        made = catalog.add_criterion(s, name, catalog.collection_id(s, collection), asked, captions or "", read)
    document = {"id": made, "name": name, "collection": collection, "prompt": asked, "captions": captions or "",
                "words": read}  # fmt: skip
    run.show(document, f"criterion {name} added")


LIST = """
pairwright criterion list
pairwright criterion list --collection trash --json
"""


def list_(
    run: Run, collection: Annotated[str | None, typer.Option(help="Only those of this collection.")] = None
) -> None:
    """List the criteria, with how much has been answered."""
    from db import catalog

    with run.database() as database, database.read() as s:
        only = catalog.collection_id(s, collection) if collection else None
        names = {c.id: c.name for c in catalog.collections(s)}
        found = [
            {"id": c.id, "name": c.name, "collection": names[c.collection], "prompt": c.prompt}
            | {"captions": c.captions, "words": c.words, "statements": _said(s, c)}
            for c in catalog.criteria(s, only)
        ]
    rows = [[c["name"], c["collection"], c["statements"], c["prompt"]] for c in found]
    run.show(found, table("Criteria", ["name", "collection", "verdicts", "prompt"], rows))


def _said(s: Any, about: Any) -> int:
    """How many verdicts stand."""
    from db import catalog, feedback

    if about.captions:
        return len(feedback.captions(s, about.id, catalog.texts(s, about)))
    return len(feedback.statements(s, about.id))
