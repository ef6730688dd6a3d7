"""`backup`: copy an installation while it runs, check the copy, and make a new workspace from it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.run import Run, command, table

if TYPE_CHECKING:
    from app.backup import Backup

group = typer.Typer(help="Backups: create, list, verify, restore.", no_args_is_help=True, rich_markup_mode=None)
Which = Annotated[str, typer.Argument(help="Name of a backup, or the path of its folder.")]


def register(app: typer.Typer) -> None:
    command(group, "create", CREATE)(create)
    command(group, "list", LIST)(list_)
    command(group, "verify", VERIFY)(verify)
    command(group, "restore", RESTORE)(restore)
    app.add_typer(group, name="backup")


CREATE = """
pairwright backup create
pairwright backup create --into /mnt/other-disk/pairwright --keep 7
"""


def create(
    run: Run,
    into: Annotated[Path | None, typer.Option(help="Folder of the backups. Default: backups in the workspace.")] = None,
    keep: Annotated[int, typer.Option(help="Delete all but the newest so many; 0: delete none.", min=0)] = 0,
) -> None:
    """Back up the database, pictures, models and features, while people go on answering.

    Every file is listed with its SHA-256. The folder gets its name when all of it is on the disk. PostgreSQL needs
    pg_dump on the PATH.
    """
    from app.backup import create as make

    with run.database() as database, run.progress("backing up") as progress:
        made = make(run.settings, database, into=into and into.expanduser().absolute(), keep=keep, told=progress)
    run.show(made, f"{(into or run.settings.backups) / made.name}: {_words(made)}")


LIST = """
pairwright backup list
"""


def list_(run: Run) -> None:
    """List the backups, newest first."""
    from app.backup import backups

    found = backups(run.settings.backups)
    rows = [[one.name, f"{one.answers:,}", f"{one.files:,}", _size(one.size)] for one in found]
    run.show(found, table("Backups", ["name", "answers", "files", "size"], rows))


VERIFY = """
pairwright backup verify 20261123T031500Z
pairwright backup verify /mnt/other-disk/pairwright/20261123T031500Z
"""


def verify(run: Run, backup: Which) -> None:
    """Read every file of a backup against its SHA-256, and its database. Exits with an error if one is damaged."""
    from app.backup import located
    from app.backup import verify as check

    with run.progress("reading") as progress:
        found = check(located(run.settings, backup), progress)
    run.show(found, f"{found.name} is whole: {_words(found)}")


RESTORE = """
pairwright backup restore /mnt/other-disk/pairwright/20261123T031500Z --workspace /data/restored
"""


def restore(run: Run, backup: Which) -> None:
    """Make a new workspace from a backup. It is checked first; a workspace that holds anything is refused."""
    from app.backup import located
    from app.backup import restore as put_back

    with run.progress("restoring") as progress:
        found = put_back(located(run.settings, backup), run.settings, progress)
    run.show(found, f"{run.workspace} is {found.name}: {_words(found)}. Start it with: pairwright serve")


def _words(one: "Backup") -> str:
    return f"{one.answers:,} answers, {one.files:,} files, {_size(one.size)}"


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
