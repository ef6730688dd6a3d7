"""Keep a constraint graph equal to the log while answers and undos come in, every annotator weighed by the log."""

from sqlalchemy.orm import Session

from db import feedback
from oracle.constraints import ConstraintGraph
from oracle.weighing import Weigher


class Follower:
    """The constraint graph of one criterion and the last event of the log it has taken in. Not for two threads."""

    def __init__(self, criterion: int) -> None:
        self.criterion = criterion
        self.graph = ConstraintGraph()
        self.weigher = Weigher()
        self.seen = 0

    def catch_up(self, s: Session) -> bool:
        """Take in what happened since the last call; True if anything did.

        The newest event is read first: what commits while the rest is read waits for the next call.
        """
        newest = feedback.last_event(s, self.criterion)
        if newest == self.seen:
            return False
        changes = feedback.changes(s, self.criterion, self.seen)
        for answer in changes.removed:
            self.graph.remove(answer)
        self.graph.update(said for said in changes.added if said.answer <= newest)
        back = any(said.answer <= self.seen for said in changes.added)
        self.weigher.refresh(self.graph, rewritten=back or bool(changes.removed))
        self.seen = newest
        return True

    def events_since(self, s: Session, event: int) -> int:
        """How many answers were given or taken back after this event."""
        changes = feedback.changes(s, self.criterion, event)
        return len({said.answer for said in changes.added if said.answer <= self.seen} | set(changes.removed))
