"""Keep the question queue fresh: after every answer, propose again from what is known now."""

from collections.abc import Iterable, Sequence
from typing import Any

from db import events, queue
from db.engine import Database
from db.nouns import Question, Snapshot
from oracle import plugins
from oracle.ledger import Fits
from trainer.follow import Follower


class Asker:
    """Asks for one criterion. Set `snapshot` when another model version is served; call `refresh` often.

    acquisition: a name of `family`. keep: questions that should wait for people at any time. follower: what keeps up
    with the log; with `oracle.captions` a `trainer.fits.Reader`, and then `snapshot` is a `Fits`.
    """

    def __init__(
        self, database: Database, criterion: int, *, acquisition: str = "mixed", seed: int = 0, keep: int = 8,
        family: str = "oracle.acquisition", follower: Any = None,
    ) -> None:  # fmt: skip
        self.database, self.criterion, self.keep = database, criterion, keep
        self.rule: Any = plugins.load(family, acquisition, seed=seed)
        self.follower = follower or Follower(criterion)
        self.snapshot: Snapshot | Fits | None = None
        self.asked_from: tuple[int | None, int] | None = None  # (model version, last event) of the last proposal
        self.exhausted = False  # nothing was left to ask then

    def refresh(self) -> int:
        """Replace the waiting questions if the log or the model moved, refill them if few are left.

        Returns: how many questions were queued; 0 if all is well or there is no model yet.
        """
        if self.snapshot is None:
            return 0
        with self.database.read() as s:
            self.follower.catch_up(s)
            waiting = queue.open_count(s, self.criterion)
            in_hand = queue.in_hand(s, self.criterion)
        now = (self.snapshot.version, self.follower.seen)
        moved = now != self.asked_from
        if not moved and (waiting >= self.keep or self.exhausted):
            return 0
        questions = self._propose(in_hand)
        self.asked_from, self.exhausted = now, len(questions) < self.keep
        return self._put(questions)

    def _propose(self, in_hand: Sequence[Question]) -> list[Question]:
        """New questions beside those somebody is answering right now: no pair is shown twice."""
        assert self.snapshot is not None
        wanted = 2 * (self.keep + len(in_hand))  # some may be the very ones in hand, or share a pair with another
        proposed = self.rule.propose(self.snapshot, self.follower.graph, wanted, criterion=self.criterion)
        return list(_apart_from(proposed, in_hand))[: self.keep]

    def _put(self, questions: list[Question]) -> int:
        """Queue those whose pairs nobody has taken into their hands since we looked."""
        with self.database.write() as s:
            questions = list(_apart_from(questions, queue.in_hand(s, self.criterion)))
            queue.put(s, self.criterion, questions, retire=True)
            events.publish(s, "questions", {"open": len(questions)}, self.criterion)
        return len(questions)


def _apart_from(proposed: Iterable[Question], in_hand: Sequence[Question]) -> Iterable[Question]:
    """Those questions that share no pair with one in somebody's hands, nor with one before them."""
    taken = {frozenset(pair) for question in in_hand for pair in question.pairs()}
    for question in proposed:
        pairs = {frozenset(pair) for pair in question.pairs()}
        if not taken & pairs:
            taken |= pairs
            yield question
