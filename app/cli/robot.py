"""`robot`: replay a recorded session, make a recording from a labelled collection, watch a camera's folder."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from app.cli.run import Run, command

robot = typer.Typer(
    help="Sessions of robots: record, replay, watch.", no_args_is_help=True, rich_markup_mode=None
)  # fmt: skip
Collection = Annotated[str, typer.Option(help="Name of the collection.")]


def register(app: typer.Typer) -> None:
    command(robot, "record", RECORD)(record)
    command(robot, "replay", REPLAY)(replay)
    command(robot, "watch", WATCH)(watch)
    app.add_typer(robot, name="robot")


RECORD = """
pairwright robot record belt.jsonl --collection trash --column material
pairwright robot record fruit.jsonl --collection fruits --column fruit --object-column object --views 5 --held .3
"""


def record(
    run: Run,
    out: Annotated[Path, typer.Argument(help="JSONL file to write.")],
    collection: Collection,
    column: Annotated[str, typer.Option(help="Metadata column that says where a thing goes.")],
    object_column: Annotated[
        str | None, typer.Option(help="Column that says which pictures show one thing. Default: each its own.")
    ] = None,
    passive: Annotated[
        float, typer.Option(help="Share of things a person places without being asked.", min=0, max=1)
    ] = 0.5,
    held: Annotated[float, typer.Option(help="Share that is only sorted, to measure.", min=0, max=0.9)] = 0.3,
    views: Annotated[int, typer.Option(help="Most pictures of one thing.", min=1, max=50)] = 5,
    most: Annotated[int | None, typer.Option(help="Most things, held-out ones included.", min=2)] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same recording.", min=0)] = 0,
) -> None:
    """Make a recording from a labelled collection: things in random order, put where they belong."""
    from app.recorded import Share, recorded, write
    from db import catalog

    with run.database() as database, database.read() as s:
        items = catalog.items(s, catalog.collection_id(s, collection))
    made = list(recorded(items, column, object_column, Share(passive, held, views, most), seed))
    lines = write(out, made)
    things = len({one.object for one in made})
    run.show({"file": str(out), "lines": lines, "things": things}, f"{things} things in {lines} looks: {out}")


REPLAY = """
pairwright robot replay belt.jsonl --collection trash --report run1
pairwright robot replay belt.jsonl --collection trash --report run1 --ask-s 2 --wrong-s 60
"""


def replay(
    run: Run,
    file: Annotated[Path, typer.Argument(help="A recording: JSONL, as `robot record` writes it.")],
    collection: Collection,
    report: Annotated[Path, typer.Option(help="Folder for curve.csv, summary.json and report.html.")],
    ask_s: Annotated[float, typer.Option(help="Seconds it costs a person to say where a thing goes.", min=0.01)] = 4.0,
    wrong_s: Annotated[float, typer.Option(help="Seconds it costs when a thing is in the wrong bin.", min=0.01)] = 20.0,
) -> None:
    """Stream a recorded session again, answer what the robot asks as the recording says, and score it.

    The session gets a log of its own in the report's folder; the answers of the workspace are not touched.
    """
    from app.sorted_again import Plan
    from app.sorted_again import replay as run_replay
    from app.sorted_report import lead

    with run.progress("things") as progress:
        summary = run_replay(run.settings, Plan(str(file), collection, ask_s, wrong_s), report, progress)
    run.show(summary, f"{lead(summary)}\n{report / 'report.html'}")


WATCH = """
pairwright robot watch camera/ --criterion material
pairwright robot watch camera/ --criterion material --once
"""


def watch(
    run: Run,
    folder: Annotated[Path, typer.Argument(help="Folder that a camera writes into.")],
    criterion: Annotated[str, typer.Option(help="Name of the criterion the things are sorted by.")],
    ask_s: Annotated[float, typer.Option(help="Seconds it costs a person to say where a thing goes.", min=0.01)] = 4.0,
    wrong_s: Annotated[float, typer.Option(help="Seconds it costs when a thing is in the wrong bin.", min=0.01)] = 20.0,
    once: Annotated[bool, typer.Option("--once", help="Handle what lies there and end.")] = False,
) -> None:
    """Sort what a camera sees: each new picture gets an answer; one moved into a subfolder was put into that bin.

    The running app sees it all, and the other way round. Ctrl-C ends it; the next start goes on in the same session.
    """
    from app.cli.training import stoppable
    from app.watching import Noticed
    from app.watching import watch as run_watch
    from oracle.sorting import Costs

    noticed: list[Noticed] = []

    def tell(one: Noticed) -> None:
        noticed.append(one)
        if not run.as_json:
            run.show(None, one.said)

    stop = threading.Event()
    with stoppable() as stopped:
        threading.Thread(target=_until, args=(stopped, stop), daemon=True).start()
        session = run_watch(run.settings, folder, criterion, Costs(ask_s, wrong_s), tell, stop, once)
        stop.set()
    if run.as_json:
        run.show({"session": session, "files": noticed}, "")


def _until(stopped: Callable[[], bool], stop: threading.Event) -> None:
    """Pass a Ctrl-C on."""
    while not stop.wait(0.1):
        if stopped():
            stop.set()
