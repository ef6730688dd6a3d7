"""`evaluate` and `versions`: how good is it, and which model is served?"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.run import Run, command, table
from db.errors import BadInput

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.differing import Difference
    from app.view import View
    from db.versions import Version

versions = typer.Typer(
    help="Model versions: list, show, promote, rollback, diff.", no_args_is_help=True, rich_markup_mode=None
)
Criterion = Annotated[str, typer.Option(help="Name of the criterion.")]
Number = Annotated[int, typer.Argument(help="Number of the version, as `versions list` shows it.")]


def register(app: typer.Typer) -> None:
    command(app, "evaluate", EVALUATE)(evaluate)
    command(versions, "list", LIST)(list_)
    command(versions, "show", SHOW)(show)
    command(versions, "promote", PROMOTE)(promote)
    command(versions, "rollback", ROLLBACK)(rollback)
    command(versions, "diff", DIFF)(diff)
    app.add_typer(versions, name="versions")


EVALUATE = """
pairwright evaluate --collection trash --criterion material --labels material
pairwright evaluate --collection trash --criterion material --labels material --version 3 --json
"""


def evaluate(
    run: Run,
    collection: Annotated[str, typer.Option(help="Name of the collection.")],
    criterion: Criterion,
    labels: Annotated[str, typer.Option(help="Metadata column that holds the true groups.")],
    version: Annotated[
        int | None, typer.Option(help="A version other than the served one, with today's answers.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
) -> None:
    """Score the current partition and embedding against a metadata column, with 95 % bootstrap intervals."""
    from app.scoring import column, score_view
    from app.view import in_collection, view

    with run.database() as database:
        in_collection(database, criterion, collection)
        seen = view(run.settings, database, criterion, version)
    truth = column(labels, [seen.items[i] for i in seen.snapshot.ids.tolist()])
    figures, intervals = score_view(seen, truth, seed)
    document = {
        "collection": collection,
        "criterion": criterion,
        "labels": labels,
        "version": seen.version.id if seen.version else None,
        "items": len(seen.snapshot.ids),
        "answers": seen.graph.size,
        "figures": figures,
        "intervals": intervals,
    }
    rows = [[name, f"{value:.4f}", _interval(intervals.get(name))] for name, value in figures.items()]
    run.show(document, table(f"{criterion} against the column {labels}", ["figure", "value", "95 % interval"], rows))


def _interval(found: tuple[float, float] | None) -> str:
    return f"{found[0]:.4f} to {found[1]:.4f}" if found else ""


LIST = """
pairwright versions list --criterion material
"""


def list_(run: Run, criterion: Criterion) -> None:
    """List the versions of a criterion, newest first."""
    from db import catalog
    from db import versions as registry

    with run.database() as database, database.read() as s:
        found = sorted(registry.versions(s, catalog.criterion(s, criterion).id), key=lambda v: -v.id)
    rows = [[v.id, str(v.status), v.parent, v.last_event, f"{v.created_at:%Y-%m-%d %H:%M}"] for v in found]
    run.show(found, table(f"Versions of {criterion}", ["id", "status", "parent", "last event", "made"], rows))


SHOW = """
pairwright versions show 3
"""


def show(run: Run, number: Number) -> None:
    """Show one version: lineage, what it has learnt from, and its metrics."""
    from db import versions as registry

    with run.database() as database, database.read() as s:
        found = registry.version(s, number)
    rows = [[name, value] for name, value in flat(found).items()]
    run.show(found, table(f"Version {number}", ["what", "value"], rows))


PROMOTE = """
pairwright versions promote 3
"""


def promote(run: Run, number: Number) -> None:
    """Serve this version from now on."""
    from db import versions as registry

    with run.database() as database, database.write() as s:
        found = registry.version(s, number)
        registry.promote(s, number)
        announce(s, found.criterion, number)
    run.show({"promoted": number, "criterion": found.criterion}, f"version {number} is served now")


ROLLBACK = """
pairwright versions rollback --criterion material
"""


def rollback(run: Run, criterion: Criterion) -> None:
    """Serve the version that was served before."""
    from db import catalog
    from db import versions as registry

    with run.database() as database, database.write() as s:
        about = catalog.criterion(s, criterion)
        number = registry.rollback(s, about.id)
        announce(s, about.id, number)
    run.show({"promoted": number, "criterion": about.id}, f"version {number} is served again")


DIFF = """
pairwright versions diff 2 3
"""


def diff(
    run: Run,
    before: Annotated[int, typer.Argument(help="Number of the older version.")],
    after: Annotated[int, typer.Argument(help="Number of the newer version.")],
) -> None:
    """Compare two versions of one criterion: metrics, groups merged and split, items that moved."""
    from app.view import view
    from db import versions as registry

    with run.database() as database:
        with database.read() as s:
            pair = [registry.version(s, number) for number in (before, after)]
        if pair[0].criterion != pair[1].criterion:
            raise BadInput(f"versions {before} and {after} belong to different criteria. Compare two of the same one.")
        old, new = (view(run.settings, database, v.criterion, v.id) for v in pair)
    found, agreement = moves(old, new)
    document = {"before": pair[0], "after": pair[1], "agreement_ari": agreement,
                "groups": [found.groups_before, found.groups_after], "difference": found}  # fmt: skip
    first, second = flat(pair[0]), flat(pair[1])
    rows = [[name, first.get(name), second.get(name)] for name in first | second]
    rows += [["groups", str(found.groups_before), str(found.groups_after)]]
    rows += [["agreement of the partitions (ARI)", "", f"{agreement:.4f}"]]
    run.show(document, table("Versions", ["what", str(before), str(after)], rows))
    run.say(found.words())


def moves(old: "View", new: "View") -> "tuple[Difference, float]":
    """What became of the groups, and the adjusted Rand index of the two partitions over the items they share."""
    from sklearn.metrics import adjusted_rand_score

    from app.differing import difference

    names = {item: f"{known.name or item}" for item, known in new.items.items()}
    parts = [dict(zip(seen.snapshot.ids.tolist(), seen.belief.labels.tolist(), strict=True)) for seen in (old, new)]
    common = sorted(parts[0].keys() & parts[1].keys())
    agreement = float(adjusted_rand_score(*([part[item] for item in common] for part in parts)))
    named = [{f"{names.get(item, item)} #{item}": group for item, group in part.items()} for part in parts]
    return difference(*named), agreement


def announce(s: "Session", criterion: int, number: int) -> None:
    """Tell the running app, in the same transaction."""
    from db import events

    events.publish(s, "promotion", {"version": number}, criterion)


def flat(version: "Version") -> dict[str, Any]:
    """The version's fields and metrics, one level deep, for a table."""
    own = {name: getattr(version, name) for name in ("status", "parent", "last_event", "created_at", "promoted_at")}
    metrics = {f"metric {name}": value for name, value in version.metrics.items()}
    return {name: _short(value) for name, value in (own | metrics).items()}


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return "" if value is None else str(value)[:100]
