"""`quality` and `forecast`: how good are the groups, and how many more answers would it take?"""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from app.cli.run import Run, command
from db.errors import BadInput

Criterion = Annotated[str | None, typer.Option(help="Name of the criterion.")]


def register(app: typer.Typer) -> None:
    command(app, "quality", QUALITY)(quality)
    command(app, "forecast", FORECAST)(forecast)


QUALITY = """
pairwright quality --criterion material
pairwright quality --criterion material --json
"""


def quality(run: Run, criterion: Annotated[str, typer.Option(help="Name of the criterion.")]) -> None:
    """Measure the groups by audit answers and annotators by each other, and say whether to stop."""
    from app import measure
    from db import jobs

    with run.database() as database, run.progress("measuring") as progress:
        sight = measure.look(run.settings, database, criterion)
        found = measure.measured(database, sight, progress)
        with database.write() as s:
            jobs.keep_result(s, "quality", {}, found, criterion=sight.criterion)
    run.show(found, _measured(found, criterion))


def _measured(found: dict[str, Any], criterion: str) -> str:
    named = {
        "pair precision": "precision",
        "pair recall": "recall",
        "pair F1": "f1",
        "same, of pairs left": "positives",
    }
    rows = [[name, *_cells(found["audit"][key], "{:.3f}")] for name, key in named.items()]
    rows.append(["answers still needed", *_cells(found["needed"], "{:.0f}")])
    advice = found["advice"]
    chance = {"value": advice["mean"], "reason": "", **{key: advice[key] for key in ("low", "high", "answers")}}
    rows.append(["next one changes a group", *_cells(chance, "{:.3f}")])
    lines = [f"{name:<26}{value:>8}  {spread}" for name, value, spread in rows]
    return "\n".join([f"{criterion}, {found['answers']} answers (90 % intervals)", *lines, advice["words"]])


def _cells(one: dict[str, Any], shape: str) -> tuple[str, str]:
    """Value, and the interval with the answers it rests on; or the reason why there is none."""
    if one["value"] is None:
        return "unknown", f": {one['reason']}"
    low, high = (shape.format(one[key]) if one[key] is not None else "no known end" for key in ("low", "high"))
    return shape.format(one["value"]), f"({low} to {high}), from {one['answers']} answers"


FORECAST = """
pairwright forecast --criterion material
pairwright forecast --criterion material --screens 400 --target 0.9 --json
pairwright forecast --collection trash --labels material
"""


def forecast(
    run: Run,
    criterion: Criterion = None,
    collection: Annotated[str | None, typer.Option(help="Without a criterion: a collection, from no answer.")] = None,
    labels: Annotated[str | None, typer.Option(help="Metadata column with the true groups, as far as known.")] = None,
    screens: Annotated[int, typer.Option(help="How many screens to play.", min=1)] = 200,
    draws: Annotated[int, typer.Option(help="How many hidden truths to play against.", min=1)] = 5,
    target: Annotated[float, typer.Option(help="The pair F1 to reach.")] = 0.95,
    noise: Annotated[float | None, typer.Option(help="Share of wrong answers. Default: as the log says.")] = None,
    acquisition: Annotated[str, typer.Option(help="What chooses the questions.")] = "mixed",
    most_items: Annotated[int, typer.Option(help="Play on a subsample of larger collections.", min=3)] = 3000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same forecast.")] = 0,
) -> None:
    """Play more answers through a scripted oracle: pair F1 by screens and seconds, with a band. Ctrl-C stops it."""
    from app.forecasting import of_collection, of_criterion
    from oracle.forecast import Plan

    plan = Plan(
        screens=screens, draws=draws, target=target, acquisition=acquisition, most_items=most_items, seed=seed,
        error=0.05 if noise is None else noise,
    )  # fmt: skip
    with run.database() as database, run.progress("playing screens") as progress:
        if criterion is not None:
            found = of_criterion(run.settings, database, criterion, plan, labels, noise, progress)
        elif collection is not None and labels is not None:
            found = asdict(of_collection(run.settings, database, collection, plan, labels, progress))
        else:
            raise BadInput("a forecast needs --criterion, or --collection and --labels. Name one of them.")
    run.show(found, _foretold(found))


def _foretold(found: dict[str, Any]) -> str:
    points = found["points"]
    shown = points[:: max(1, len(points) // 10)]
    shown = shown if shown[-1] is points[-1] else [*shown, points[-1]]
    rows = [
        f"{p['screens']:>12}  {p['seconds'] / 60:>7.1f}  {p['f1']:>7.3f}  {p['low']:.3f} to {p['high']:.3f}"
        for p in shown
    ]
    return "\n".join([f"{found['words']}{played(found)}", "more screens  minutes  pair F1  band", *rows])


def played(found: dict[str, Any]) -> str:
    """What the forecast was played on, where that needs saying."""
    said = []
    if found["items"] < found["of_items"]:
        said.append(f"Played on {found['items']:,} of {found['of_items']:,} items: the whole takes more screens.")
    if found["stopped"]:
        said.append(f"Stopped early: it rests on {found['draws']} drawn truths.")
    return "".join(f"\n{one}" for one in said)
