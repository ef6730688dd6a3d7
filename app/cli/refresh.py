"""`refresh`: teach the backbone itself what the answers say, and serve it if held-out answers agree."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli.run import Run, command, console
from app.cli.training import options, stoppable
from trainer.systems import DEFAULT

if TYPE_CHECKING:
    from app.refresh_wish import Refreshed


def register(app: typer.Typer) -> None:
    command(app, "refresh", REFRESH)(refresh)


REFRESH = """
pairwright refresh --collection trash --criterion material
pairwright refresh --collection trash --criterion material --method simclr --epochs 6
pairwright refresh --collection trash --criterion material --set backbone=small --set size=32
pairwright refresh --collection trash --criterion material --threads 1 --share .5
"""


def refresh(
    run: Run,
    collection: Annotated[str, typer.Option(help="Name of the collection.")],
    criterion: Annotated[str, typer.Option(help="Name of the criterion whose answers teach and judge.")],
    method: Annotated[str, typer.Option(help="Name of a system, as `pairwright methods` lists it.")] = DEFAULT,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE: a setting of the system or of training; repeatable.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Times each picture is seen.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="The same seed and answers give the same network.", min=0)] = 0,
    beside: Annotated[
        bool, typer.Option(help="Keep what the pretrained backbone sees beside what the refreshed one does.")
    ] = True,
    threads: Annotated[int, typer.Option(help="Threads to work with; 0: half of the cores.", min=0)] = 0,
    share: Annotated[float, typer.Option(help="Share of the time to work, the rest are pauses.")] = 1.0,
    again: Annotated[bool, typer.Option("--again", help="Begin anew where the same refresh was stopped.")] = False,
) -> None:
    """Deep refresh: fine-tune the backbone from the answers, beside the running app, at low priority.

    A tenth of the items is held out; what was answered about them decides whether the new version is served or kept.
    Ctrl-C keeps what was done: run it again to go on. `pairwright versions rollback` takes it back.
    """
    from app.refresh import refresh as run_refresh
    from app.refresh_wish import Wish
    from app.refreshing import KIND
    from app.view import in_collection
    from db import catalog, feedback, jobs
    from trainer.modest import be_modest

    wish = Wish(criterion, method, options(set_ or []), epochs, seed, beside, share, threads)
    with run.database() as database:
        in_collection(database, criterion, collection)
    be_modest(threads)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    screen = console()
    shown = Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal)
    with stoppable() as stopped, shown as bar:
        task = bar.add_task("getting ready", total=None)
        told = lambda what, done, of: bar.update(task, description=what, completed=done, total=of)  # noqa: E731
        done = run_refresh(run.settings, wish, told, stopped, again=again)
    for warning in done.warnings:
        run.say(f"warning: {warning}")
    run.show(done, in_words(done, criterion))
    if not done.finished:
        raise KeyboardInterrupt
    with run.database() as database, database.write() as s:
        about = catalog.criterion(s, criterion).id
        answers = len({one.answer for one in feedback.statements(s, about)})
        jobs.keep_result(s, KIND, {**wish.payload(), "answers": answers}, done.document(), criterion=about)


def in_words(done: "Refreshed", criterion: str) -> str:
    """The outcome in a few lines."""
    if not done.finished and not done.of:
        return "stopped before the first step; nothing is lost"
    if not done.finished:
        return f"stopped after {done.steps} of {done.of} steps; the same command goes on from there"
    back = f"to go back: pairwright versions rollback --criterion {criterion}"
    way = back if done.served else f"to serve it all the same: pairwright versions promote {done.version}"
    return "\n".join([done.reason, f"encoder {done.encoder}; its features are kept", f"version {done.version}; {way}"])
