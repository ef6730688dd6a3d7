"""Every error becomes one sentence on stderr and an exit code.

0 done · 2 bad input or usage · 3 refused (permission, conflict, budget) · 1 our fault · 130 stopped with Ctrl-C.
"""

import sys
from collections.abc import Callable

import typer
from typer.exceptions import TyperException

from db.errors import PairwrightError


def guarded(call: Callable[[], object], *, debug: bool = False) -> int:
    """Do it; returns the exit code. debug: errors are not caught."""
    if debug:
        return int(call() or 0)  # type: ignore[call-overload]
    try:
        return int(call() or 0)  # type: ignore[call-overload]
    except PairwrightError as error:
        return fail(str(error), error.exit_code)
    except TyperException as error:
        return misused(error.format_message())
    except typer.Exit as ended:
        return int(ended.exit_code)
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
