"""`users`: who may look, answer, curate and administer."""

import os
from enum import StrEnum
from typing import Annotated

import typer

from app.cli.run import Run, command, table

users = typer.Typer(help="People and robots: add, token, list.", no_args_is_help=True, rich_markup_mode=None)


class Role(StrEnum):
    """Each may do what the ones above may, and more; a robot answers through tokens."""

    VIEWER = "viewer"
    ANNOTATOR = "annotator"
    CURATOR = "curator"
    ADMIN = "admin"
    ROBOT = "robot"


def register(app: typer.Typer) -> None:
    command(users, "add", ADD)(add)
    command(users, "token", ISSUE)(token)
    command(users, "list", LIST)(list_)
    app.add_typer(users, name="users")


ADD = """
pairwright users add ada --role annotator
PAIRWRIGHT_PASSWORD=... pairwright users add grace --role admin
"""


def add(
    run: Run,
    name: Annotated[str, typer.Argument(help="Name to log in with.")],
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.ANNOTATOR,
) -> None:
    """Add somebody. A password is generated and printed once, unless PAIRWRIGHT_PASSWORD holds one."""
    from db import users as accounts

    chosen = os.environ.get("PAIRWRIGHT_PASSWORD")
    with run.database() as database, database.write() as s:
        password = accounts.add(s, name, role.value, chosen)
    shown = None if chosen else password
    text = f"{name} added as {role.value}" + (f"; password (shown once): {shown}" if shown else "")
    run.show({"name": name, "role": role.value, "password": shown}, text)


ISSUE = """
pairwright users token robby --label conveyor
pairwright users token robby --label nightly --days 30 --scope read --scope answer
"""


def token(
    run: Run,
    name: Annotated[str, typer.Argument(help="Whose token.")],
    label: Annotated[str, typer.Option(help="What it is for, to recognise it later.")] = "command line",
    days: Annotated[float | None, typer.Option(help="Until it ends. Default: never.")] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="What it is good for: read, answer, import, train, admin. Default: all.")
    ] = None,
) -> None:
    """Issue a bearer token for the REST interface. It is shown once and stored hashed."""
    from db import users as accounts

    with run.database() as database, database.write() as s:
        issued = accounts.issue_token(s, name, label, days, scope or None)
    run.show({"name": name, "label": label, "token": issued, "days": days, "scopes": scope or None}, issued)


LIST = """
pairwright users list
"""


def list_(run: Run) -> None:
    """List everybody, with their role."""
    from db import users as accounts

    with run.database() as database, database.read() as s:
        found = [{"id": u.id, "name": u.name, "role": str(u.role)} for u in accounts.users(s)]
    run.show(found, table("Users", ["name", "role"], [[u["name"], u["role"]] for u in found]))
