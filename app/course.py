"""One simulated run on its way: ask, answer, record, learn. The loop never sees the labels that score it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.curve import Row
from db import feedback, queue
from db.engine import Database
from db.nouns import Answer, Item, PairVerdict, Question, Snapshot, Statement, Verdict
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from oracle.session import Session, Step
from oracle.weighing import Weigher
from trainer.evaluate import scores
from trainer.learner import Learner

SILENCE = 25  # this many unanswered questions in a row, and the oracle has no more to say
NAME = "simulation"
WEIGHTLESS = (Verdict.SKIP, Verdict.UNSURE)


@dataclass
class Effort:
    """What the answers have cost so far, in the three units; how many were false; how many in a row were none."""

    screens: int = 0
    verdicts: int = 0
    seconds: float = 0.0
    wrong: int = 0
    silent: int = 0


@dataclass(frozen=True)
class Drift:
    """After `at` screens "same" means something else: these labels."""

    at: int
    truth: Sequence[Any]


@dataclass
class Course:
    """items: in the order of the snapshot's rows. truth: their labels, None where unknown; for scoring only.

    drift: the labels that count later; each answer and each row is judged by those of its own time.
    """

    database: Database
    criterion: int
    items: Sequence[Item]
    truth: Sequence[Any] | None
    learner: Learner
    answerer: Any
    acquisition: Any
    snapshot: Snapshot
    graph: ConstraintGraph = field(default_factory=ConstraintGraph)
    effort: Effort = field(default_factory=Effort)
    last_event: int = 0
    learnt: int = 0  # how many versions were promoted
    drift: Drift | None = None
    witness: Callable[[Step], object] = lambda _: None  # hears of every screen

    def __post_init__(self) -> None:
        self._proposed = False
        self._weigher = Weigher()
        self._session = Session(self.database, self.criterion, self.answerer, refresh=self._propose, name=NAME)

    @property
    def truth_now(self) -> Sequence[Any] | None:
        """The labels that hold at the latest screen."""
        return self.drift.truth if self.drift and self.effort.screens > self.drift.at else self.truth

    def ask(self) -> bool:
        """Ask one question and record what is said. False: nothing is left to ask, or nobody answers any more."""
        step = self._session.step() if self.effort.silent < SILENCE else None
        if step is None:
            return False
        self.witness(step)
        self.effort.screens += 1
        self.effort.seconds += step.seconds
        self.effort.silent = 0 if step.answer else self.effort.silent + 1
        if step.answer is None:
            self._leave(step.question)
        self._read()
        return True

    def show(self) -> Question | None:
        """What the next `ask` will ask; the proposal is made now and kept. None: nothing is left to ask."""
        self._propose()
        self._proposed = True
        with self.database.write() as s:
            waiting = queue.claim(s, self.criterion, NAME, 1)
            for leased in waiting:
                queue.release(s, leased.question.id or 0, leased.token)
        return waiting[0].question if waiting else None

    def learn(self) -> None:
        """Learn from the log; a candidate that is better on held-out answers takes over."""
        candidate = self.learner.learn(self.graph)
        if candidate is not None and candidate.better:
            self.snapshot = self.learner.accept(candidate)
            self.learnt += 1

    def row(self) -> Row:
        """The figures of this moment, over all items."""
        return {
            "screens": self.effort.screens,
            "pair_verdicts": self.effort.verdicts,
            "seconds": self.effort.seconds,
            **self._figures(),
            "wrong_answers": self.effort.wrong,
            "conflicts_open": len(self.graph.conflicts()),
            "model_version": self.learnt,
        }

    def groups(self) -> np.ndarray:
        """The partition of this moment, (N,) in the order of the items."""
        return infer(self.snapshot, self.graph).labels

    def _figures(self) -> Row:
        labels = self.groups()
        truth = self.truth_now
        if truth is None:
            return {"clusters": float(len(np.unique(labels)))}
        return scores(truth, labels, self.snapshot.vectors, self.snapshot.neighbours)

    def _propose(self) -> None:
        """Put the next question into the queue, unless it was shown; what waits there from before is retired."""
        if self._proposed:
            self._proposed = False
            return
        proposed = self.acquisition.propose(self.snapshot, self.graph, 1, criterion=self.criterion)
        with self.database.write() as s:
            queue.put(s, self.criterion, proposed)

    def _leave(self, question: Question) -> None:
        """Record what a person's "skip" writes, so that the same question does not come for ever."""
        assert question.id is not None
        verdicts = tuple(PairVerdict(a, b, Verdict.SKIP) for a, b in question.pairs())
        with self.database.write() as s:
            feedback.record(s, Answer(question.id, verdicts, NAME, f"skip-{question.id}"))

    def _read(self) -> None:
        """Bring the graph up to the log, as every reader does: by asking for what is new."""
        with self.database.read() as s:
            new = feedback.statements(s, self.criterion, after=self.last_event)
            self.last_event = feedback.last_event(s, self.criterion)
        self.graph.update(new)
        self._weigher.refresh(self.graph)
        for statement in new:
            self._count(statement)

    def _count(self, said: Statement) -> None:
        if said.verdict in WEIGHTLESS:
            return
        self.effort.verdicts += 1
        truth = self.truth_now
        if truth is not None and said.verdict in (Verdict.SAME, Verdict.DIFFERENT):
            a, b = (truth[self.snapshot.position[item]] for item in (said.a, said.b))
            known = a is not None and b is not None
            self.effort.wrong += known and (a == b) != (said.verdict is Verdict.SAME)
