"""`simulate` and `ask`: answers from a scripted oracle, answers from a terminal."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.cli.run import Chosen, Run, command, console


class Unit(StrEnum):
    """What a budget counts."""

    SCREENS = "screens"
    VERDICTS = "verdicts"
    SECONDS = "seconds"


def register(app: typer.Typer) -> None:
    command(app, "simulate", SIMULATE)(simulate)
    command(app, "ask", ASK)(ask)


SIMULATE = r"""
pairwright simulate --collection trash --criterion material --oracle labels:material --budget 300 --report run1
pairwright simulate --collection trash --criterion material --oracle labels:material --budget 300 --report run2
pairwright simulate --collection trash --criterion material --oracle labels:material --budget 900 \
  --budget-unit verdicts --acquisition random --seed 3 --noise 0.1 --report run3
pairwright simulate --collection trash --criterion material --oracle labels:material --budget 300 \
  --annotators ada:0.02,ben:0.2,cy:0.35 --report run5
pairwright simulate --collection trash --criterion material --oracle labels:material --budget 300 \
  --set negatives=uniform --set objective.temperature=0.2 --report run6
pairwright simulate --collection trash --criterion material --oracle labels:material --budget 300 \
  --noise-model classes:glass>plastic=0.3 --noise-model similar:0.2 --latency 4 --report run7
pairwright simulate --collection trash --criterion material --oracle labels:material --budget 300 \
  --annotator ann=uniform:0.05+latency:3 --annotator bo=adversarial --drift recyclable@150 --report run8
pairwright simulate --collection trash --criterion material --oracle replay:run1/answers.jsonl --labels material \
  --budget 300 --report run4
pairwright simulate --collection photos --criterion words --oracle captions:true_caption --budget 300 --report run9
"""


def simulate(
    run: Run,
    collection: Annotated[str, typer.Option(help="Name of the collection.")],
    criterion: Annotated[str, typer.Option(help="Name of the criterion.")],
    oracle: Annotated[
        str,
        typer.Option(
            help="labels:COLUMN, attribute:COLUMN, positive-only:COLUMN, replay:FILE or rule:PYTHON.MODULE:NAME;"
            " for a criterion on captions, captions:COLUMN of the true ones."
        ),
    ],
    budget: Annotated[float, typer.Option(help="How much may be asked, in the budget unit.")],
    report: Annotated[Path, typer.Option(help="Folder for curve.csv, summary.json, report.html, answers.jsonl.")],
    budget_unit: Annotated[Unit, typer.Option(help="What the budget counts.")] = Unit.SCREENS,
    acquisition: Annotated[str, typer.Option(help="What chooses the questions.")] = "mixed",
    seed: Annotated[int, typer.Option(help="The same seed gives the same curve.")] = 0,
    noise: Annotated[float, typer.Option(help="Share of pairs the oracle is wrong about.")] = 0.0,
    abstain: Annotated[float, typer.Option(help="Share of pairs the oracle is unsure about.")] = 0.0,
    labels: Annotated[str | None, typer.Option(help="Column to score against. Default: the oracle's.")] = None,
    encoder: Annotated[str, typer.Option(help="Backbone whose features are used.")] = "lite0",
    annotators: Annotated[
        str | None, typer.Option(help="NAME:NOISE,NAME:NOISE: several people take turns. In place of --noise.")
    ] = None,
    noise_model: Annotated[
        list[str] | None,
        typer.Option(
            help="uniform:RATE, abstain:RATE, adversarial:RATE, similar:HIGHEST or classes:TRUE>TAKEN_FOR=SHARE,...;"
            " more than once.",
            metavar="MODEL",
        ),
    ] = None,
    annotator: Annotated[
        list[str] | None,
        typer.Option(
            help="Somebody with noise models of their own, once for each who takes turns.", metavar="NAME=MODEL+MODEL"
        ),
    ] = None,
    latency: Annotated[
        str | None,
        typer.Option(
            help="Seconds of an answer, log-normal: MEDIAN or MEDIAN,spread=S. Default: the time model.",
            metavar="MEDIAN",
        ),
    ] = None,
    drift: Annotated[
        str | None, typer.Option(help="From the next screen on, the oracle goes by another column.", metavar="COLUMN@N")
    ] = None,
    chosen: Chosen = None,
) -> None:
    """Run the whole loop with a scripted oracle and report how fast it learns. Ctrl-C keeps what was measured."""
    sys.path.insert(0, "")  # rule:MODULE:NAME may lie in the current folder
    from app.simulate import Plan
    from app.simulate import simulate as run_simulation

    plan = Plan(
        collection=collection,
        criterion=criterion,
        oracle=oracle,
        budget=budget,
        unit=budget_unit.value,
        acquisition=acquisition,
        seed=seed,
        noise=noise,
        abstain=abstain,
        labels=labels,
        encoder=encoder,
        annotators=annotators,
        training=tuple(chosen or ()),
        noise_models=tuple(noise_model or ()),
        people=tuple(annotator or ()),
        latency=latency,
        drift=drift,
    )
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f}/{task.total:.0f}"))
    with Progress(*columns, TimeElapsedColumn(), console=console(), transient=True) as bar:
        task = bar.add_task("getting ready", total=1)
        told = lambda what, done, of: bar.update(task, description=what, completed=done, total=of)  # noqa: E731
        summary = run_simulation(run.settings, plan, report, told)
    run.show(summary, in_words(summary, report))
    if summary["stopped"]:
        raise KeyboardInterrupt


def in_words(summary: dict[str, Any], report: Path) -> str:
    """The outcome in a few lines."""
    if "wrong_captions" in summary:
        return _captions_in_words(summary, report)
    first, final, areas = summary["first"], summary["final"], summary["areas"]
    verdicts, seconds = final["pair_verdicts"], final["seconds"]
    done = f"{final['screens']:.0f} screens, {verdicts:.0f} pair verdicts, {seconds:.0f} s of answering"
    lines = [done, f"report: {report / 'report.html'}"]
    if final["ari"] == final["ari"]:  # not nan: there were labels to score against
        lines[1:1] = [
            f"ARI {first['ari']:.3f} before any answer, {final['ari']:.3f} now (k-means: {summary['kmeans_ari']:.3f})",
            f"mean ARI by screens {areas['ari_by_screens']:.3f}, by pair verdicts {areas['ari_by_pair_verdicts']:.3f}",
        ]
    return "\n".join(lines)


def _captions_in_words(summary: dict[str, Any], report: Path) -> str:
    final, by_chance = summary["final"], summary["by_chance"]
    lines = [
        f"{final['screens']:.0f} answers found {final['recall']:.0%} of {summary['wrong_captions']} wrong captions"
    ]
    for recall, answers in summary["answers_for_recall"].items():
        if answers is not None:
            lines.append(f"{float(recall):.0%} after {answers:.0f} answers (by chance: {by_chance[recall]:.0f})")
    return "\n".join([*lines, f"report: {report / 'curve.csv'}"])


ASK = """
pairwright ask --criterion material
pairwright ask --criterion material --count 20 --source ada
"""


def ask(
    run: Run,
    criterion: Annotated[str, typer.Option(help="Name of the criterion.")],
    count: Annotated[int, typer.Option(help="How many questions at most.", min=1)] = 10,
    source: Annotated[str, typer.Option(help="Whose answers these are.")] = "terminal",
) -> None:
    """Answer questions in the terminal; the pictures are drawn with coloured blocks."""
    from app.terminal import ask_here

    with run.database() as database:
        done = ask_here(run.settings, database, criterion, count, source, console())
    run.show({"criterion": criterion, "answered": done}, f"{done} answered, thank you")
