"""The `pairwright` command: gathers the groups of commands, turns every error into one sentence and an exit code.

0 done · 2 bad input or usage · 3 refused (permission, conflict, budget) · 1 our fault · 130 stopped with Ctrl-C.
"""

import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from app.cli import asking, collections, compare, export, forecast, health, models, serving, training, users
from db.errors import PairwrightError

app = typer.Typer(
    name="pairwright",
    help="Pairwright teaches an image embedding what belongs together, by asking.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
for group in (collections, asking, serving, compare, training, models, forecast, export, users, health):
    group.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit the process with its code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(given))


def run(arguments: list[str]) -> int:
    """Run one command; returns the exit code. With --debug errors are not caught."""
    if "--debug" in arguments:
        return int(app(arguments, standalone_mode=False) or 0)
    try:
        return int(app(arguments, standalone_mode=False) or 0)
    except PairwrightError as error:
        return fail(str(error), error.exit_code)
    except TyperException as error:
        return misused(error.format_message())
    except (KeyboardInterrupt, typer.Abort):
        return fail("stopped.", 130)
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        sys.stderr.close()
        return 0
    except Exception as error:
        return fail(f"unexpected {type(error).__name__}: {first_line(error)} Run again with --debug to see where.", 1)


def fail(sentence: str, code: int) -> int:
    """Say why on stderr, in one line."""
    typer.echo(f"pairwright: {sentence}", err=True)
    return code


def misused(words: str) -> int:
    """Unknown option, missing argument, ...; or no command at all, which shows the help."""
    if words.startswith("Usage:"):
        typer.echo(words, err=True)
        return 2
    sentence = words if words.endswith(("?", ".", "!")) else f"{words}."
    return fail(f"{sentence.replace('?.', '?')} Try the same command with --help.", 2)


def first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or ["no further words"]
    return lines[0].rstrip(".") + "."
