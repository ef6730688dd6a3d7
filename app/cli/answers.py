"""`import-answers`: what was said before, elsewhere, as answers with their source."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.run import Run, command
from db.errors import BadInput


def register(app: typer.Typer) -> None:
    command(app, "import-answers", IMPORT)(import_answers)


IMPORT = """
pairwright import-answers answers.jsonl --criterion material
pairwright import-answers pairs.csv --criterion material --source "last year's pairs"
pairwright import-answers --labels material --criterion material
"""


def import_answers(
    run: Run,
    criterion: Annotated[str, typer.Option(help="Name of the criterion the answers are about.")],
    file: Annotated[
        Path | None, typer.Argument(help="A log (`export answers`), a pair list, or pair indices of `--style pml`.")
    ] = None,
    labels: Annotated[str | None, typer.Option(help="Instead of a file: a metadata column of labels.")] = None,
    source: Annotated[str | None, typer.Option(help="Who said it, where the file does not say.")] = None,
) -> None:
    """Bring existing answers in. The same file again adds nothing; images are found by content hash, name or id."""
    from app.importers import answers

    if (file is None) == (labels is None):
        raise BadInput("give either a FILE of answers or --labels COLUMN, not both.")
    with run.database() as database:
        if labels is not None:
            report = answers.import_labels(database, criterion, labels, source)
        else:
            assert file is not None
            report = answers.import_answers(database, criterion, file, source)
    skipped = [{"where": where, "reason": reason} for where, reason in report.skipped]
    document = {"criterion": criterion, "added": report.added, "known": report.known, "skipped": skipped}
    reasons = "".join(f"\n  {entry['where']}: {entry['reason']}" for entry in skipped[:20])
    more = f"\n  and {len(skipped) - 20} more (--json lists them all)" if len(skipped) > 20 else ""
    run.show(document, f"{report.added} added, {report.known} known, {len(skipped)} skipped{reasons}{more}")
