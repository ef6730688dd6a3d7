"""Ask for a deep refresh after every so many answers. The work itself is a job, done by a process of its own."""

from dataclasses import dataclass

from db import catalog, feedback, jobs
from db.engine import Database
from trainer.systems import DEFAULT

KIND = "refresh"
WAITING = ("queued", "running")
ENDED = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Refreshing:
    """A tick for the trainer's ticker. every: answers from one refresh of a criterion to the next."""

    database: Database
    every: int

    def __call__(self) -> None:
        with self.database.read() as s:
            known = [one.id for one in catalog.criteria(s)]
        for criterion in known:
            self._look(criterion)

    def _look(self, criterion: int) -> None:
        """Ask where enough answers came since the last refresh was asked for, however that one ended."""
        with self.database.write() as s:
            if jobs.newest(s, [KIND], criterion, WAITING) is not None:
                return
            last = jobs.newest(s, [KIND], criterion, ENDED)
            answers = len({one.answer for one in feedback.statements(s, criterion)})
            if answers - int(last.payload.get("answers", 0) if last else 0) >= self.every:
                because = f"{answers:,} answers"
                jobs.enqueue(s, KIND, {"method": DEFAULT, "answers": answers, "because": because}, criterion=criterion)
