"""`grid`, `replay` and `diff`: many runs at once, what a finished run was, and what differs between two."""

import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from app.cli.run import Run, command
from db.errors import Conflict


def register(app: typer.Typer) -> None:
    command(app, "grid", GRID)(grid)
    command(app, "replay", REPLAY)(replay)
    command(app, "diff", DIFF)(diff)


GRID = """
pairwright grid grid.toml --report out
pairwright grid grid.toml --report out --jobs 4 --json
"""


def grid(
    run: Run,
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="What to compare; see docs/simulate.md.")],
    report: Annotated[Path, typer.Option(help="Folder for report.html, grid.json and the runs.")],
    jobs: Annotated[int, typer.Option(help="How many runs at once.", min=1)] = 1,
) -> None:
    """Simulate acquisition x oracle x seed and say who wins. Started again it goes on where it was stopped."""
    from app.grid_start import compare

    with run.progress("runs") as bar:
        verdicts = compare(run.settings, file, report, jobs, bar)
    words = [one.words for one in verdicts] or ["nothing to compare: one strategy alone, or no labels to score against"]
    run.show(verdicts, "\n".join([*words, f"report: {report / 'report.html'}"]))


REPLAY = """
pairwright replay run1
pairwright replay run1 --report run1-again --json
"""


def replay(
    run: Run,
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a simulated run.")],
    report: Annotated[Path | None, typer.Option(help="Keep the replay's files here. Default: nowhere.")] = None,
) -> None:
    """Run a simulation again from its transcript: the same curve.csv, byte for byte, or where it departs and why."""
    from app.replay import replay as again

    kept = nullcontext(str(report)) if report else tempfile.TemporaryDirectory()
    with kept as place, run.progress("replaying") as bar:
        found = again(run.settings, folder, Path(place), lambda _, done, of: bar(int(done), int(of)))
    words = f"{found.screens} screens replayed; curve.csv is {'the same' if found.same_curve else 'another one'}"
    run.show(found, "\n".join([words, *found.departures]))
    if not found.same_curve:
        raise Conflict(f"the replay of '{folder}' departs: {found.departures[0]}.")


DIFF = """
pairwright diff run1 run2
pairwright diff 2 3 --json
"""


def diff(
    run: Run,
    before: Annotated[str, typer.Argument(help="Folder of a simulated run, or number of a model version.")],
    after: Annotated[str, typer.Argument(help="The other one, of the same sort.")],
) -> None:
    """Compare the groups of two runs or two model versions: merged, split, and items that moved."""
    from app.differing import difference, of_run

    if before.isdecimal() and after.isdecimal() and not (Path(before).is_dir() and Path(after).is_dir()):
        from app.cli.models import diff as of_versions

        of_versions(run, int(before), int(after))
        return
    found = difference(of_run(Path(before)), of_run(Path(after)))
    run.show(found, found.words())
