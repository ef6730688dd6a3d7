"""The `pairwright` command: gathers the groups of commands; `failing` says what its exit codes mean."""

import sys
from collections.abc import Sequence

import typer

from app.cli import (
    answers,
    asking,
    backup,
    collections,
    compare,
    export,
    forecast,
    health,
    matching,
    models,
    plugins,
    querying,
    refresh,
    robot,
    runs,
    serving,
    synthetic,
    training,
    users,
)
from app.cli.failing import guarded

app = typer.Typer(
    name="pairwright",
    help="Pairwright teaches an image embedding what belongs together, by asking.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
for group in (
    collections,
    answers,
    asking,
    runs,
    serving,
    compare,
    training,
    synthetic,
    matching,
    refresh,
    models,
    forecast,
    robot,
    export,
    querying,
    users,
    backup,
    plugins,
    health,
):
    group.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit the process with its code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(given))


def run(arguments: list[str]) -> int:
    """Run one command; returns the exit code. With --debug errors are not caught."""
    return guarded(lambda: app(arguments, standalone_mode=False), debug="--debug" in arguments)
