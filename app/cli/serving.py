"""`serve`, `trainer`, `demo`: the parts that keep running."""

from dataclasses import replace
from typing import Annotated

import typer

from app.cli.run import Chosen, Run, command
from app.settings import Settings

Host = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")]
Port = Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)]

RefreshEvery = Annotated[
    int | None, typer.Option(help="Ask for a deep refresh after so many answers; 0: only when you ask.", min=0)
]

Beside = Annotated[
    bool, typer.Option("--trainer/--no-trainer", help="Start a trainer beside it, or leave that to another process.")
]
BackupEvery = Annotated[
    float | None, typer.Option(help="Make a backup every so many hours; 0: only when you ask.", min=0)
]
BackupKeep = Annotated[int | None, typer.Option(help="Of those, keep the newest so many.", min=1)]


def register(app: typer.Typer) -> None:
    command(app, "serve", SERVE)(serve)
    command(app, "trainer", TRAINER)(trainer)
    command(app, "demo", DEMO)(demo)


SERVE = """
pairwright serve
pairwright serve --workspace /data/pairwright --host 0.0.0.0 --port 8080
pairwright serve --set negatives=uniform --set steps=300
pairwright serve --backup-every 24 --backup-keep 7
pairwright serve --no-trainer --port 7861 --database-url postgresql+psycopg://user@host/pairwright
"""


def serve(
    run: Run, host: Host = "127.0.0.1", port: Port = 7860, chosen: Chosen = None, refresh_every: RefreshEvery = None,
    backup_every: BackupEvery = None, backup_keep: BackupKeep = None, trainer: Beside = True,
) -> None:  # fmt: skip
    """Start the app and its trainer process; Ctrl-C stops both."""
    from app.server import serve as run_server

    settings = _told(run, chosen, refresh_every)
    every = settings.backup_every if backup_every is None else backup_every
    keep = settings.backup_keep if backup_keep is None else backup_keep
    run_server(replace(settings, backup_every=every, backup_keep=keep, trainer=trainer), host, port)


TRAINER = """
pairwright trainer --database-url postgresql+psycopg://user@host/pairwright --workspace /shared/pairwright
"""


def trainer(run: Run, chosen: Chosen = None, refresh_every: RefreshEvery = None) -> None:
    """Run the trainer alone, for instance on a GPU machine beside a shared database. Ctrl-C stops it."""
    from app.children import Refresher
    from trainer.worker import main as run_trainer

    settings = _told(run, chosen, refresh_every)
    database = settings.open()  # migrated before the first tick
    refresher = Refresher(settings, database)
    refresher.start()
    try:
        run_trainer(
            settings.url, settings.folder, artifacts=settings.artifacts, training=settings.training,
            refresh_every=settings.refresh_every or 0,
        )  # fmt: skip
    finally:
        refresher.stop()
        database.close()


def _told(run: Run, chosen: list[str] | None, refresh_every: int | None) -> Settings:
    """The installation's settings with what this command says."""
    every = run.settings.refresh_every if refresh_every is None else refresh_every
    return replace(run.settings, training=_checked(chosen), refresh_every=every)


def _checked(texts: list[str] | None) -> tuple[str, ...]:
    """What `--set` said, refused here rather than by a trainer that dies in the background."""
    if texts:
        from trainer.choices import chosen

        chosen(texts)
    return tuple(texts or ())


DEMO = """
pairwright demo
pairwright demo --headless --answers 60
"""


def demo(
    run: Run,
    host: Host = "127.0.0.1",
    port: Port = 7860,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
    headless: Annotated[
        bool, typer.Option("--headless", help="No browser: a scripted oracle answers over REST.")
    ] = False,
    answers: Annotated[int, typer.Option(help="With --headless: how many questions.", min=1)] = 60,
    criterion: Annotated[str, typer.Option(help="With --headless: kind or colour.")] = "kind",
) -> None:
    """Prepare a collection of real pictures, start the app, and sign in by itself on this machine."""
    from app.headless import run_headless
    from app.tour import prepare

    with run.progress("preparing the demo pictures") as progress:
        collection = prepare(run.settings, progress)
    if headless:
        outcome = run_headless(run.settings, collection, criterion, answers, run.say)
        run.show(outcome.document(), outcome.words())
        return
    from app.server import serve as run_server

    run_server(run.settings, host, port, open_browser=browser, auto_login=True)
