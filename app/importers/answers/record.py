"""Write answers that come from elsewhere into the log: some hundreds in one transaction, each only once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from db import feedback, queue
from db.engine import Database
from db.errors import BadInput, Conflict
from db.nouns import Answer, Origin, PairVerdict, Question

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

BATCH = 200


class Report(Protocol):
    """What is counted."""

    added: int
    known: int
    skipped: list[tuple[str, str]]


@dataclass(frozen=True)
class Told:
    """One answer from elsewhere. event: its number there, so that an undo can name it."""

    where: str
    question: Question
    verdicts: tuple[PairVerdict, ...]
    source: str
    key: str
    seconds: float | None = None
    origin: Origin | None = None
    event: int | None = None


@dataclass(frozen=True)
class Undone:
    """An undo from elsewhere. supersedes: the number, there, of what it takes back."""

    where: str
    supersedes: int
    source: str
    key: str
    origin: Origin | None = None
    event: int | None = None


@dataclass
class Recorder:
    """Adds answers to the log of one criterion. events: what became of the numbers of the other log."""

    database: Database
    criterion: int
    report: Report
    events: dict[int, int] = field(default_factory=dict)

    def add(self, told: Sequence[Told | Undone]) -> None:
        """In this order; what cannot be added is skipped and says why."""
        for start in range(0, len(told), BATCH):
            with self.database.write() as s:
                for one in told[start : start + BATCH]:
                    self._add(s, one)

    def skip(self, where: str, why: str) -> None:
        """Leave something out."""
        self.report.skipped.append((where, why))

    def _add(self, s: "Session", one: Told | Undone) -> None:
        there = feedback.event_of(s, one.source, one.key)
        if there is not None and there[1] != self.criterion:  # the log of another criterion, brought in here
            one = replace(one, key=f"copy-{self.criterion}:{one.key}"[:200])
            there = feedback.event_of(s, one.source, one.key)
        if there is not None:
            self.report.known += 1
            self._note(one, there[0])
            return
        try:
            recorded = self._undo(s, one) if isinstance(one, Undone) else self._answer(s, one)
        except (BadInput, Conflict) as error:
            self.skip(one.where, str(error))
            return
        self.report.added += 1
        self._note(one, recorded)

    def _answer(self, s: "Session", one: Told) -> int:
        with s.begin_nested():
            (number,) = queue.put(s, self.criterion, [replace(one.question, criterion=self.criterion)], retire=False)
            said = Answer(number, one.verdicts, one.source, one.key, one.seconds, origin=one.origin)
            return feedback.record(s, said).id

    def _undo(self, s: "Session", one: Undone) -> int:
        target = self.events.get(one.supersedes)
        if target is None:
            raise BadInput(f"it takes back event {one.supersedes}, which is not in the file. Export the whole log.")
        return feedback.undo(s, target, one.key, one.source, one.origin).id

    def _note(self, one: Told | Undone, event: int) -> None:
        if one.event is not None:
            self.events[one.event] = event
