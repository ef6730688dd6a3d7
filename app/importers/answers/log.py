"""A whole feedback log, as `export answers` writes it: screens as they were asked, undos, times and audit chances."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.importers.answers.record import Recorder, Told, Undone
from app.importers.answers.tables import nested
from db import checks
from db.errors import BadInput
from db.nouns import Kind, Origin, PairVerdict, Question, Verdict

Row = Mapping[str, Any]
NEEDED = {"kind", "source", "key", "layout", "anchor", "candidates", "verdicts", "proposer"}


class _Absent(Exception):
    """An image that this collection does not hold."""


def is_log(columns: Sequence[str]) -> bool:
    """Whether a table is a log."""
    return set(columns) >= NEEDED


def add(recorder: Recorder, rows: Sequence[Row], place: Mapping[str, int]) -> None:
    """Add every event whose images are all here, in the order of the log. Raises BadInput for a damaged row."""
    told: list[Told | Undone] = []
    for number, row in enumerate(rows, start=1):
        where = f"row {number}"
        try:
            told.append(_undo(row, where) if row["kind"] == "undo" else _answer(row, place, where))
        except _Absent as absent:
            recorder.skip(where, f"the image {absent} is not in this collection.")
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"{where} is no event of a log ({error}). Export the answers again.") from error
    recorder.add(told)


def _undo(row: Row, where: str) -> Undone:
    return Undone(
        where, int(row["supersedes"]), str(row["source"]), str(row["key"]), _origin(row), int(float(row["event"]))
    )


def _answer(row: Row, place: Mapping[str, int], where: str) -> Told:
    asked = _question(row, place, where)
    said = tuple(_verdict(asked.anchor, given, place) for given in nested(row["verdicts"], where))
    event = None if row.get("event") in (None, "") else int(float(row["event"]))
    return Told(where, asked, said, str(row["source"]), str(row["key"]), _number(row, "seconds"), _origin(row), event)


def _question(row: Row, place: Mapping[str, int], where: str) -> Question:
    """The version that asked is another one here, so it is not named."""
    return Question(
        0,
        Kind(row["layout"]),
        _item(row["anchor"], place),
        tuple(_item(one, place) for one in nested(row["candidates"], where)),
        str(row["proposer"]),
        probability=_number(row, "probability") or 1.0,
        audit=_yes(row.get("audit")),
        expected=tuple(float(one) for one in nested(row.get("expected") or [], where)),
        context=tuple(_item(one, place) for one in nested(row.get("context") or [], where)),
        reason=str(row.get("reason") or ""),
    )


def _verdict(anchor: int, given: Any, place: Mapping[str, int]) -> PairVerdict:
    sha, verdict, confidence, background = given
    sure = None if confidence is None else float(confidence)
    return PairVerdict(anchor, _item(sha, place), Verdict(verdict), sure, bool(background))


def _item(sha: Any, place: Mapping[str, int]) -> int:
    if checks.sha256(sha) not in place:
        raise _Absent(sha[:12])
    return place[sha]


def _origin(row: Row) -> Origin | None:
    given = row.get("at")
    if given in (None, ""):
        return None
    at = datetime.fromisoformat(str(given))
    if at.tzinfo is None:
        raise ValueError(f"the time {given} has no zone")
    return Origin(at, _yes(row.get("late")))


def _number(row: Row, name: str) -> float | None:
    return None if row.get(name) in (None, "") else float(row[name])


def _yes(value: Any) -> bool:
    return str(value or "").strip().lower() in ("true", "1", "1.0", "yes")
