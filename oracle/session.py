"""A session: ask -> answer -> record, over and over. A person at a terminal, a script and a robot all sit here.

session = Session(database, criterion, answerer)
for step in session.run(20): print(step.question.reason, step.answer)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import uuid4

from db import feedback, queue
from db.engine import Database
from db.feedback import Recorded
from db.nouns import Answer, Kind, Question
from oracle import timing


class Answers(Protocol):
    """Whoever can answer: every file of oracle/answerers, or an object of yours."""

    def answer(self, question: Question) -> Answer | None:
        """One verdict per pair of the question; None for no answer."""


@dataclass(frozen=True)
class Step:
    """One question and what came of it. recorded: None if nobody answered. seconds: measured or modelled."""

    question: Question
    answer: Answer | None
    recorded: Recorded | None
    seconds: float


@dataclass
class Session:
    """One answerer at one criterion.

    source: the name in the log; the answer's own if None. kind: only questions of this layout. refresh: called before
    each claim, so that whoever proposes may bring the queue up to date. name: who holds the questions meanwhile.
    """

    database: Database
    criterion: int
    answerer: Answers
    source: str | None = None
    kind: Kind | None = None
    lease_s: float = 180.0
    refresh: Callable[[], object] | None = None
    name: str = field(default_factory=lambda: uuid4().hex)

    def step(self) -> Step | None:
        """Ask one question; None if none waits. Whatever goes wrong while answering, the question is given back."""
        leased = self._claim()
        if leased is None:
            return None
        said = self._asked(leased)
        if said is None:
            return Step(leased.question, None, None, timing.seconds(leased.question, None))
        row = self._row(said, leased)
        with self.database.write() as s:
            recorded = feedback.record(s, row)
        return Step(leased.question, row, recorded, timing.seconds(leased.question, row))

    def run(self, screens: int | None = None) -> Iterator[Step]:
        """Steps until `screens` were answered, the queue is empty or the answerer falls silent."""
        answered = 0
        while screens is None or answered < screens:
            step = self.step()
            if step is None:
                return
            yield step
            if step.recorded is None:
                return
            answered += 1

    def undo(self, answer: int) -> Recorded:
        """Take one answer of this session back."""
        with self.database.write() as s:
            return feedback.undo(s, answer, f"{self.name}:undo-{answer}", self.source or "session")

    def _claim(self) -> queue.Leased | None:
        if self.refresh is not None:
            self.refresh()
        with self.database.write() as s:
            kind = self.kind.value if self.kind else None
            leased = queue.claim(s, self.criterion, self.name, 1, kind=kind, lease_s=self.lease_s, source=self.source)
        return leased[0] if leased else None

    def _asked(self, leased: queue.Leased) -> Answer | None:
        """What the answerer says. The question is given back if it says nothing, fails, or leaves it to others."""
        if self._waits:
            self._release(leased)
        said = None
        try:
            said = self.answerer.answer(leased.question)
        finally:
            if said is None:
                self._release(leased)
        return said

    def _row(self, said: Answer, leased: queue.Leased) -> Answer:
        """The event for the log. What others answered keeps its own source and key, so it is not counted twice."""
        if self._waits:
            return said
        source = self.source or said.source
        return replace(said, source=source, key=f"{self.name}:{leased.question.id}:{leased.token}", lease=leased.token)

    def _release(self, leased: queue.Leased) -> None:
        with self.database.write() as s:
            queue.release(s, leased.question.id or 0, leased.token)

    @property
    def _waits(self) -> bool:
        return bool(getattr(self.answerer, "waits", False))
