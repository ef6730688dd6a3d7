"""Answers that exist already, as answers with their source: logs, pair lists, labels. See `import_answers`.

Bringing the same file in twice adds nothing: each answer carries a key made of what it says. What was taken back here
since stays taken back.
"""

from dataclasses import dataclass, field
from pathlib import Path

from app.importers.answers import log, pairs
from app.importers.answers.record import Recorder, Told
from app.importers.answers.tables import read_table
from db import catalog, feedback
from db.engine import Database
from oracle.answerers.replay import places

__all__ = ["AnswersReport", "Told", "import_answers", "import_labels"]


@dataclass
class AnswersReport:
    """added and known count answers; skipped lists (row, one sentence why)."""

    added: int = 0
    known: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)


def import_answers(database: Database, criterion: str, file: Path, source: str | None = None) -> AnswersReport:
    """Add a log (`export answers`), a pair list (`export pairs`, or any list of pairs with a verdict), or pair indices.

    Args: source: who said it, where the file does not say; default: the file's name.
    Raises: BadInput for a file that cannot be used, NotFound for the criterion.
    """
    columns, rows = read_table(file)
    with database.read() as s:
        about = catalog.criterion(s, criterion)
        items = catalog.items(s, about.collection)
        standing = feedback.statements(s, about.id)
    report, place = AnswersReport(), places(items)
    recorder = Recorder(database, about.id, report)
    if log.is_log(columns):
        log.add(recorder, rows, place)
    else:
        pairs.add(
            recorder, columns, rows, pairs.known_names(items, place), source or f"file:{file.name}"[:200], standing
        )
    return report


def import_labels(database: Database, criterion: str, column: str, source: str | None = None) -> AnswersReport:
    """Add what a metadata column says: each labelled image belongs with the first of its label, and these differ.

    Raises: NotFound for the criterion or a column no image has, BadInput where there are too many labels.
    """
    from app.importers.answers import labels

    with database.read() as s:
        about = catalog.criterion(s, criterion)
        items = catalog.items(s, about.collection)
    report = AnswersReport()
    labels.add(Recorder(database, about.id, report), items, column, source or f"labels:{column}"[:200])
    return report
