"""What every command shares: where the workspace is, how to print, how to fail."""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.settings import Settings

if TYPE_CHECKING:
    from db.engine import Database

Workspace = Annotated[
    Path | None,
    typer.Option(
        envvar="PAIRWRIGHT_WORKSPACE", help="Folder of the database, images and models. Default: ./workspace."
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        envvar="PAIRWRIGHT_DATABASE_URL",
        help="Database address, such as postgresql+psycopg://user@host/name. Default: SQLite in the workspace.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the whole traceback when something fails.")]

Chosen = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="How to train: KEY=VALUE, more than once. negatives=NAME, negatives.KEY=VALUE, objective=NAME, ...",
        metavar="KEY=VALUE",
    ),
]

RayAddress = Annotated[
    str | None,
    typer.Option(
        envvar="PAIRWRIGHT_RAY_ADDRESS",
        help="With --ray: HOST:PORT of a Ray cluster that this machine is part of. Default: Ray is started for this "
        "command, on this machine alone.",
    ),
]

SHARED = {
    "workspace": (Workspace, None),
    "database_url": (DatabaseUrl, None),
    "as_json": (Json, False),
    "debug": (Debug, False),
}


@dataclass(frozen=True)
class Run:
    """One invocation: `settings` say where, `as_json` says how results are printed."""

    settings: Settings
    as_json: bool = False
    debug: bool = False

    @property
    def workspace(self) -> Path:
        return self.settings.folder

    @contextmanager
    def database(self) -> Iterator["Database"]:
        """The database, opened for the length of a `with`."""
        with closing(self.settings.open()) as opened:
            yield opened

    def show(self, document: Any, text: str | Table) -> None:
        """Print one result: the document for programs, the text for people."""
        if self.as_json:
            sys.stdout.write(to_json(document) + "\n")
        else:
            console(stderr=False).print(text, soft_wrap=isinstance(text, str))

    def say(self, text: str) -> None:
        """A remark beside the result: always on stderr."""
        console().print(text, soft_wrap=True)

    @contextmanager
    def progress(self, title: str) -> Iterator[Callable[[int, int], None]]:
        """A progress bar on stderr; hand the callable `(done, of)`."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console(), transient=True) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, of: bar.update(task, completed=done, total=of)

    @contextmanager
    def telling(self) -> Iterator[Callable[[str, int, int], None]]:
        """A progress bar on stderr, where that is a screen, which says what is going on: hand it `(what, done, of)`."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        screen = console()
        with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
            task = bar.add_task("getting ready", total=None)
            yield lambda what, done, of: bar.update(task, description=what, completed=done, total=of)


def console(*, stderr: bool = True) -> Console:
    """Made on each use, so that redirected streams are respected. Words of users are never read as markup."""
    return Console(stderr=stderr, markup=False, highlight=False)


def to_json(document: Any) -> str:
    """One line of JSON; dataclasses, numpy and paths are understood."""
    return orjson.dumps(document, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot write {type(value).__name__} as JSON")


def table(title: str, columns: list[str], rows: list[list[Any]]) -> Table:
    """A plain table; the last column takes the room that is left."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*("" if cell is None else str(cell) for cell in row))
    return made


def command(group: typer.Typer, name: str, examples: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register `function(run, ...)` as a command: adds what every command takes, and the examples."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def call(**given: Any) -> None:
            shared = {key: given.pop(key) for key in SHARED}
            function(_run(**shared), **given)

        call.__signature__ = _with_shared(function)  # type: ignore[attr-defined]
        call.__annotations__ = {key: p.annotation for key, p in inspect.signature(call).parameters.items()}
        lines = "\n".join(f"  {line}" for line in examples.strip().splitlines())
        call.__doc__ = f"{inspect.getdoc(function)}\n\n\b\nExamples:\n{lines}"  # \b: keep the lines as they are
        group.command(name)(call)
        return function

    return register


def _run(workspace: Path | None, database_url: str | None, as_json: bool, debug: bool) -> Run:
    return Run(Settings(workspace=workspace, database_url=database_url), as_json, debug)


def _with_shared(function: Callable[..., None]) -> inspect.Signature:
    own = list(inspect.signature(function).parameters.values())[1:]
    word = inspect.Parameter.KEYWORD_ONLY
    shared = [inspect.Parameter(key, word, default=d, annotation=a) for key, (a, d) in SHARED.items()]
    return inspect.Signature([p.replace(kind=word) for p in own] + shared)
