"""`plugins`: every part that can be named, ours and other packages'."""

from typing import Annotated

import typer

from app.cli.run import Run, command, table
from db.errors import unknown


def register(app: typer.Typer) -> None:
    command(app, "plugins", PLUGINS)(plugins)


PLUGINS = """
pairwright plugins
pairwright plugins trainer.objectives --json
"""


def plugins(
    run: Run,
    family: Annotated[str | None, typer.Argument(help="One family, such as oracle.acquisition.")] = None,
) -> None:
    """List the parts of every family and which package each comes from. How to add one: docs/plugins.md."""
    from oracle.plugins import CLASSES, origins

    if family is not None and family not in CLASSES:
        raise unknown("family of plugins", family, CLASSES)
    found = [
        {"family": one, "name": name, "package": package or "pairwright"}
        for one in ([family] if family else CLASSES)
        for name, package in origins(one).items()
    ]
    rows = [[one["family"], one["name"], one["package"]] for one in found]
    run.show(found, table("parts by family", ["family", "name", "package"], rows))
