"""`synthetic make / judge / list`: pictures a generator proposes, and what an oracle says of them."""

from typing import Annotated

import typer

from app.cli.run import Run, command, table
from app.cli.training import options, stoppable
from app.together import STOPPED

synthetic = typer.Typer(
    help="Synthetic pictures: make, judge, list. They are proposals, never items.",
    no_args_is_help=True, rich_markup_mode=None,
)  # fmt: skip
Collection = Annotated[str, typer.Option(help="Name of the collection.")]


def register(app: typer.Typer) -> None:
    command(synthetic, "make", MAKE)(make)
    command(synthetic, "judge", JUDGE)(judge)
    command(synthetic, "list", LIST)(list_)
    app.add_typer(synthetic, name="synthetic")


MAKE = r"""
pairwright synthetic make clsp --collection trash
pairwright synthetic make clsp --collection trash --count 256 --seed 3 --set steps=4000 --set w=.2
pairwright synthetic make wu --collection trash --oracle labels:material
pairwright synthetic make audiotoken --collection digits --set classes=digit
"""


def make(
    run: Run,
    method: Annotated[str, typer.Argument(help="Name of the generator: clsp, wu or audiotoken.")],
    collection: Collection,
    count: Annotated[int, typer.Option(help="Pictures in all, rounded up to whole anchors.", min=1)] = 64,
    seed: Annotated[int, typer.Option(help="The same seed gives the same pictures.", min=0)] = 0,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE: a setting of the generator; repeatable.")
    ] = None,
    oracle: Annotated[str | None, typer.Option(help="Judge them at once: labels:COLUMN.")] = None,
) -> None:
    """Teach a generator a collection's pictures and propose pictures of its items. Ctrl-C keeps what was done.

    Accept or reject them on the Compare screen, or with `pairwright synthetic judge`. Nothing learns from what was
    rejected.
    """
    from app.synthesis import Wish
    from app.synthesis import make as run_wish
    from app.synthesis_judge import judge as run_judge

    wish = Wish(method, collection, count, seed, options(set_ or []))
    with stoppable() as stopped, run.telling() as told:
        made = run_wish(run.settings, wish, told, stopped)
        judged = (
            run_judge(run.settings, collection, oracle, "lite0", told, stopped) if made.finished and oracle else None
        )
    words = f"{made.proposed} new pictures proposed, {made.pictures} of {made.anchors} items by {made.generator}"
    if not made.finished:
        words = f"stopped after {made.steps} of {made.of} steps and {made.pictures} pictures; the same command goes on"
    if judged is not None:
        words += f"\n{judged.accepted} accepted, {judged.rejected} rejected, {judged.open} open"
    run.show({"made": made, "judged": judged}, words)
    if not made.finished:
        raise typer.Exit(STOPPED)


JUDGE = """
pairwright synthetic judge --collection trash --oracle labels:material
"""


def judge(
    run: Run,
    collection: Collection,
    oracle: Annotated[str, typer.Option(help="labels:COLUMN: the nearest real pictures vote.")],
    encoder: Annotated[str, typer.Option(help="Whose features say what is near.")] = "lite0",
) -> None:
    """Let a scripted oracle accept or reject what is proposed: a picture is accepted where the real pictures nearest to
    it vote for its anchor's label."""
    from app.synthesis_judge import judge as run_judge

    with stoppable() as stopped, run.telling() as told:
        judged = run_judge(run.settings, collection, oracle, encoder, told, stopped)
    run.show(judged, f"{judged.accepted} accepted, {judged.rejected} rejected, {judged.open} open")


LIST = """
pairwright synthetic list --collection trash
"""


def list_(run: Run, collection: Collection) -> None:
    """Say how many synthetic pictures a collection has, by their generator and what was said of them."""
    from collections import Counter

    from db import catalog
    from db import synthetic as log

    with run.database() as database, database.read() as s:
        found = log.pictures(s, catalog.collection_id(s, collection))
    rows = sorted(Counter((one.method, one.maker[:12], one.seed, str(one.state)) for one in found).items())
    document = [dict(zip(("method", "maker", "seed", "state"), key, strict=True), pictures=n) for key, n in rows]
    columns = ["method", "maker", "seed", "state", "pictures"]
    run.show(document, table(f"Synthetic pictures of {collection}", columns, [[*key, n] for key, n in rows]))
