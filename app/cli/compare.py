"""`compare`: which pairs would each method create on a collection, and how many of them are right?"""

from typing import Annotated, Any

import typer

from app.cli.run import Run, command
from app.cli.training import options
from oracle.grading import Graded


def register(app: typer.Typer) -> None:
    command(app, "compare", COMPARE)(compare)


COMPARE = """
pairwright compare simclr moco fnc_attraction --collection trash --criterion material
pairwright compare hcl debiased --collection trash --criterion material --set temperature=.1 --json
"""
COLUMNS = ["method", "pulls", "right", "pushes", "false negatives", "by push", "suspects right"]


def compare(
    run: Run,
    methods: Annotated[list[str], typer.Argument(help="Names of systems, as `pairwright methods` lists them.")],
    collection: Annotated[str, typer.Option(help="Name of the collection.")],
    criterion: Annotated[str, typer.Option(help="Name of the criterion whose answers judge.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE: a setting of the systems that take it; repeatable.")
    ] = None,
    embedding: Annotated[
        str, typer.Option(help="served: as the model version sees it. untaught: before it.")
    ] = "served",
    batch: Annotated[int, typer.Option(help="Pictures in a batch.", min=2, max=4096)] = 256,
    seed: Annotated[int, typer.Option(help="The same seed draws the same pairs.")] = 0,
) -> None:
    """See which pairs methods would create, before training: precision of positives, share of false negatives.

    Answers that a batch knew about never judge it. The Compare screen shows the same comparison, with its pairs.
    """
    from app.compared import judged, notes
    from app.comparing import KIND, Wish, compared
    from app.view import in_collection
    from db import catalog, feedback, jobs
    from oracle.weighing import weighed_graph

    wish = Wish(tuple(methods), options(set_ or []), embedding, batch, seed)
    with run.database() as database, run.progress("curating batches") as progress:
        in_collection(database, criterion, collection)
        found = compared(run.settings, database, criterion, wish, progress)
        with database.write() as s:
            about = catalog.criterion(s, criterion).id
            jobs.keep_result(s, KIND, wish.payload(), found, criterion=about)
            said = feedback.statements(s, about)
    graph, answers = weighed_graph(said), len({one.answer for one in said})
    document = [
        {**{key: one[key] for key in ("name", "settings", "each")}, "figures": judged(one["rows"], graph),
         "notes": notes(one, answers)} for one in found["methods"]
    ]  # fmt: skip
    run.show(document, in_words(document, f"{criterion}, {answers} answers (90 % intervals, known pairs)"))


def in_words(document: list[dict[str, Any]], title: str) -> str:
    """A plain aligned table, and below it what must be said of a method in words."""
    rows = [COLUMNS, *map(_row, document)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    said = [f"{one['name']}: {' '.join(one['notes'])}" for one in document if one["notes"]]
    return "\n".join([title, *lines, *said])


def _row(one: dict[str, Any]) -> list[str]:
    figures, each = one["figures"], one["each"]
    shares = [_share(getattr(figures, name)) for name in ("precision", "false", "false_push", "detected")]
    return [one["name"], _number(each["positives"]), shares[0], _number(each["negatives"]), *shares[1:]]


def _number(each: float) -> str:
    """Pairs for each picture."""
    return f"{each:.1f}" if each else "none"


def _share(one: Graded) -> str:
    """Value, interval, and how many of the drawn pairs are known."""
    if not one.pairs:
        return "-"
    return "unknown" if one.value is None else f"{one.value:.2f} ({one.low:.2f}-{one.high:.2f}) {one.known}"
