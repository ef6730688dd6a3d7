"""A person: wait until somebody answers the question in the browser, the terminal or over REST.

The answer is the very row of the log, key and source included, so recording it again is a harmless replay.
"""

import time
from dataclasses import dataclass

from db import feedback
from db.engine import Database
from db.errors import BadInput
from db.nouns import Answer, Question


@dataclass
class Answerer:
    """database: whose log to watch. wait_s: patience for one question; after that it counts as not answered."""

    waits = True  # somebody else must be able to claim the question meanwhile

    database: Database
    wait_s: float = 600.0
    poll_s: float = 0.2
    budget: int | None = None
    spent: int = 0

    def answer(self, question: Question) -> Answer | None:
        """The first standing answer to the question; None if nobody answers in time, or the budget is spent."""
        if question.id is None:
            raise BadInput("a person can answer a queued question only, and this one has no id. Queue it first.")
        if self.budget is not None and self.spent >= self.budget:
            return None
        until = time.monotonic() + self.wait_s
        while (found := self._look(question)) is None and time.monotonic() < until:
            time.sleep(self.poll_s)
        self.spent += found is not None
        return found

    def _look(self, question: Question) -> Answer | None:
        with self.database.read() as s:
            events = feedback.log(s, question.criterion, limit=200)
        for event in reversed(events):
            if event.kind == "answer" and event.question.id == question.id and not event.undone:
                return Answer(question.id or 0, event.verdicts, event.source, event.key, event.seconds)
        return None
